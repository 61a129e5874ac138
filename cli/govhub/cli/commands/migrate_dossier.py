"""``migrate dossier export`` and ``migrate dossier verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="The system.")]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A new folder; a dossier is never overwritten.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="What `migrate dossier export` wrote.")]
Sealed = Annotated[str | None, typer.Option("--hub", metavar="HUB", help="Check too that this hub's key sealed it.")]


def register(child: typer.Typer) -> None:
    """Add the commands to ``migrate``."""
    inner = group(child, "dossier", "The acceptance papers of a system.")
    command(inner, "export")(export)
    command(inner, "verify")(verify)


def export(terminal: Terminal, hub: HubName, system: System, *, out: Out) -> int:
    """Write the record of a system as JSON, HTML, docx and xlsx, in Chinese and English."""
    from govhub.cli.views.migration import show_exported
    from govhub.ops.migration.dossier import export as write

    document = write(hub, system, out)
    view_of(terminal).show(document, lambda console: show_exported(console, document, terminal.program))
    return Exit.OK


def verify(terminal: Terminal, folder: Folder, *, hub: Sealed = None) -> int:
    """Check chain, signatures and digests of a dossier. Needs nothing but the folder."""
    from govhub.cli.views.migration import show_checked
    from govhub.ops.migration.dossier import verify as check

    document = check(folder, hub)
    view_of(terminal).show(document, lambda console: show_checked(console, document))
    return Exit.OK if document["intact"] else Exit.FAILED
