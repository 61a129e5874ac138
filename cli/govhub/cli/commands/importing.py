"""``import departments`` and ``import systems``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Table = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or xlsx table, with titles in its first row.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")]
Partial = Annotated[bool, typer.Option("--partial", help="Import the good rows although others have errors.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "import", "Bring departments or systems from a table into a hub's files.")
    command(child, "departments")(departments)
    command(child, "systems")(systems)


def departments(
    terminal: Terminal, hub: HubName, file: Table, dry_run: DryRun = False, partial: Partial = False
) -> int:
    """Import departments: one a row, added or updated by name."""
    return _run(terminal, hub, file, "departments", dry_run, partial)


def systems(terminal: Terminal, hub: HubName, file: Table, dry_run: DryRun = False, partial: Partial = False) -> int:
    """Import systems: one a row, added or updated by name."""
    return _run(terminal, hub, file, "systems", dry_run, partial)


def _run(
    terminal: Terminal, hub: str, file: Path, what: Literal["departments", "systems"], dry_run: bool, partial: bool
) -> int:
    from govhub.cli.views.documents import show_import
    from govhub.ops.importing import import_table

    result = import_table(hub, file, what, dry_run=dry_run, partial=partial)
    document = {"schema": "govhub.import/1", "hub": hub} | result.as_dict()
    view_of(terminal).show(
        document, lambda console: show_import(console, result, hub, terminal.program, verbose=terminal.verbose)
    )
    return Exit.OK if result.ok else Exit.INVALID
