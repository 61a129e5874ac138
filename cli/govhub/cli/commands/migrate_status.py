"""``migrate status``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

System = Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="One system's run; the whole board when none.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "status")(status)


def status(terminal: Terminal, hub: HubName, system: System = None) -> int:
    """Show which system is at which stage, or one system's run and what it waits for. From the record alone."""
    from govhub.cli.views.migration import show_board, show_system
    from govhub.ops.migration.status import board, one_system

    view = view_of(terminal)
    if system is None:
        document = board(hub)
        view.show(document, lambda console: show_board(console, document))
        return Exit.FAILED if any(row["problem"] for row in document["systems"]) else Exit.OK
    document = one_system(hub, system)
    view.show(document, lambda console: show_system(console, document))
    return Exit.OK
