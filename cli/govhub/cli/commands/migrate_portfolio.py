"""``migrate import`` and ``migrate assess``: what there is, and what can move how."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from govhub.cli.grammar import command
from govhub.cli.options import Detailed, HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit


class Kind(StrEnum):
    """What ``--table`` takes."""

    SOURCES = "sources"
    MIGRATIONS = "migrations"
    MOVES = "moves"


Table = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or xlsx table, with titles in its first row.")]
Which = Annotated[Kind | None, typer.Option("--table", help="What it lists; its titles tell when this is not given.")]
Go = Annotated[bool, typer.Option("--go", help="Write it; without this, only the difference is shown.")]
Partial = Annotated[bool, typer.Option("--partial", help="Import the good rows although others have errors.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="SYSTEM", help="Names or patterns; all when none.")]
Offline = Annotated[bool, typer.Option("--offline", help="Take what was read last; contact nobody.")]
Seconds = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Give a source up after so long.")]


def register(child: typer.Typer) -> None:
    """Add the commands."""
    command(child, "import")(import_)
    command(child, "assess")(assess)


def import_(
    terminal: Terminal, hub: HubName, file: Table, *, table: Which = None, go: Go = False, partial: Partial = False
) -> int:
    """Bring sources, migrations or moves from a table into a hub's files; a dry run unless --go."""
    from govhub.cli.views.documents import show_import
    from govhub.cli.views.machines import show_diff
    from govhub.cli.views.text import line
    from govhub.ops.migration.importing import import_portfolio

    result = import_portfolio(hub, file, table.value if table else None, go=go, partial=partial)
    document = {"schema": "govhub.migrate-import/1", "hub": hub} | result.as_dict() | {"diff": result.diff}

    def show(console: Any) -> None:
        show_diff(console, result.diff)
        line(console)
        show_import(console, result, hub, terminal.program, verbose=terminal.verbose)

    view_of(terminal).show(document, show)
    return Exit.OK if result.ok else Exit.INVALID


def assess(
    terminal: Terminal,
    hub: HubName,
    systems: Names = None,
    *,
    offline: Offline = False,
    timeout: Seconds = 180.0,
    detailed: Detailed = False,
) -> int:
    """Read sources over SSH, compare them with what is declared, and say what can move how. Writes nothing there."""
    from govhub.cli.views.assessment import show_assessment
    from govhub.ops.migration.assessing import AssessRequest, assess_portfolio

    document = assess_portfolio(AssessRequest(hub=hub, systems=tuple(systems or ()), offline=offline, timeout=timeout))
    view_of(terminal).show(document, lambda console: show_assessment(console, document, verbose=terminal.verbose))
    verdicts = document["summary"]["verdicts"]
    return Exit.CHANGES if detailed and (verdicts["blocked"] or verdicts["unknown"]) else Exit.OK
