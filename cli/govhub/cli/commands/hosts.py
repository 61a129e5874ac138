"""``hosts list``, and the commands that have modules of their own."""

from __future__ import annotations

import typer

from govhub.cli.commands import enrol, hosts_read, retire, upgrade
from govhub.cli.commands.rotating import rotate
from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "hosts", "The servers under the clusters: what is declared, and how they stand.")
    command(child, "list")(list_)
    hosts_read.register(child)
    upgrade.register(child)
    command(child, "rotate")(rotate)
    enrol.register(child)
    retire.register(child)


def list_(terminal: Terminal, hub: HubName) -> int:
    """Show every host and what `up` would do with it; no host is contacted."""
    from govhub.cli.views.standing import show_hosts
    from govhub.ops.hosts import list_hosts

    document = list_hosts(hub)
    view_of(terminal).show(document, lambda console: show_hosts(console, document, terminal.program))
    return 0
