"""``evidence export`` and ``evidence verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

To = Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file; evidence is never overwritten.")]
All = Annotated[bool, typer.Option("--all", help="All kept audits, not only the latest of each host.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A file that `evidence export` wrote.")]
Sealed = Annotated[str | None, typer.Option("--hub", metavar="HUB", help="Check too that this hub's key sealed it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "evidence", "What audits found, for those who examine it.")
    command(child, "export")(export)
    command(child, "verify")(verify)


def export(terminal: Terminal, hub: HubName, to: To, *, everything: All = False) -> int:
    """Write control, host, check, result and time of audits as a chain of records."""
    from govhub.cli.views.evidence import show_export
    from govhub.ops.evidence import export as write

    document = write(hub, to, everything=everything)
    view_of(terminal).show(document, lambda console: show_export(console, document, terminal.program))
    return Exit.OK


def verify(terminal: Terminal, file: File, *, hub: Sealed = None) -> int:
    """Check that no record was changed, removed, reordered or cut off. Needs nothing but the file."""
    from govhub.cli.views.evidence import show_verified
    from govhub.ops.evidence import verify as check

    document = check(file, hub)
    view_of(terminal).show(document, lambda console: show_verified(console, document))
    return Exit.OK if document["intact"] else Exit.FAILED
