"""``lab up``, ``lab status`` and ``lab down``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.errors import UsageError

Nodes = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=20000, help="At least N nodes a cluster, for tests of size.")
]

Hosts = Annotated[
    bool, typer.Option("--hosts", help="Boot real Debian hosts too: those marked `lab`, or N. Needs root.")
]
MeterFlag = Annotated[
    bool | None,
    typer.Option("--meters/--no-meters", help="Start simulated meters and a Prometheus; by default where installed."),
]
Count = Annotated[int | None, typer.Argument(metavar="[N]", min=1, max=60, help="How many hosts, with --hosts.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "lab", "The embedded data center: real control planes on this machine.")
    command(child, "up")(up)
    command(child, "status")(status)
    command(child, "down")(down)


def up(
    terminal: Terminal,
    hub: HubName,
    count: Count = None,
    *,
    nodes: Nodes = None,
    hosts: Hosts = False,
    meters: MeterFlag = None,
) -> int:
    """Start a control plane for each cluster, with nodes from the inventory, and meters of its racks."""
    if count is not None and not hosts:
        raise UsageError.one("USE004", f"{count} of what?", hint="lab up HUB --hosts N boots N real hosts")
    from govhub.ops.lab import lab_up

    if meters is False:
        from govhub.ops.labmeters import stop_meters

        stop_meters(hub)

    return _show(terminal, lab_up(hub, nodes, view_of(terminal).message, (count or 0) if hosts else None, meters))


def status(terminal: Terminal, hub: HubName) -> int:
    """Show which lab clusters run."""
    from govhub.ops.lab import lab_status

    return _show(terminal, lab_status(hub))


def down(terminal: Terminal, hub: HubName) -> int:
    """Stop the lab and remove its data; the hub's state is put aside."""
    from govhub.ops.lab import lab_down

    return _show(terminal, lab_down(hub))


def _show(terminal: Terminal, document: dict[str, Any]) -> int:
    from govhub.cli.views.standing import show_lab

    view_of(terminal).show(document, lambda console: show_lab(console, document, terminal.program))
    return 0
