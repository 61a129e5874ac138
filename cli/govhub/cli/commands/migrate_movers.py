"""``migrate movers``."""

from __future__ import annotations

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "movers")(movers)


def movers(terminal: Terminal, hub: HubName) -> int:
    """Ask each mover host what it has to do now: commands, moves with a place there, free disk."""
    from govhub.cli.views.movers import show_movers
    from govhub.ops.migration.places import movers as asked

    view = view_of(terminal)
    document = asked(hub)
    view.show(document, lambda console: show_movers(console, document))
    return Exit.UNREACHABLE if any(row["problem"] for row in document["movers"]) else Exit.OK
