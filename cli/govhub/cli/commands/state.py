"""``state list``, ``state move`` and ``state forget``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

To = Annotated[str, typer.Option("--to", metavar="ADDRESS", help="A folder, or postgres://user@host:port/database.")]
Cluster = Annotated[str, typer.Option("--cluster", metavar="NAME", help="The cluster that was rebuilt or is gone.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "state", "Where the state of a hub is, and what it records.")
    command(child, "list")(list_)
    command(child, "move")(move)
    command(child, "forget")(forget)


def list_(terminal: Terminal, hub: HubName) -> int:
    """List the shards of a hub's state."""
    from govhub.cli.views.standing import show_state
    from govhub.ops.state import list_state

    document = list_state(hub)
    view_of(terminal).show(document, lambda console: show_state(console, document))
    return 0


def move(terminal: Terminal, hub: HubName, to: To) -> int:
    """Move a hub's state to another address: copied, verified, then removed."""
    from govhub.cli.views.standing import show_moved
    from govhub.ops.state import move_state

    document = move_state(hub, to)
    view_of(terminal).show(document, lambda console: show_moved(console, document))
    return 0


def forget(terminal: Terminal, hub: HubName, cluster: Cluster) -> int:
    """Let go of a cluster that is gone; its state is put aside, not deleted."""
    from govhub.cli.views.standing import show_forgotten
    from govhub.ops.state import forget as run

    document = run(hub, cluster)
    view_of(terminal).show(document, lambda console: show_forgotten(console, document))
    return 0
