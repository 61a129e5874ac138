"""``status``."""

from __future__ import annotations

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "status")(status)


def status(terminal: Terminal, hub: HubName) -> int:
    """Show clusters, state, the lock, the last run and readiness."""
    from govhub.cli.views.standing import show_status
    from govhub.ops.status import status as run

    document = run(hub)
    view_of(terminal).show(document, lambda console: show_status(console, document, terminal.program))
    return 0
