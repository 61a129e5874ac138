"""``capacity``: what is full, where, and by what."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from govhub.cli.commands import (
    capacity_forecast,
    capacity_import,
    capacity_report,
    capacity_rules,
    capacity_token,
    capacity_whatif,
)
from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.tables import Csv, one_form, show_rows
from govhub.core.exits import Exit

if TYPE_CHECKING:
    from govhub.monitoring.halls import Server
    from govhub.ops.capacity.live import Sources

Where = Annotated[str, typer.Argument(metavar="[PLACE]", help="A site, site/hall, site/hall/row or rack; all of it.")]
Place = Annotated[str, typer.Option(metavar="PLACE", help="Only the racks of this site, site/hall or site/hall/row.")]
Units = Annotated[int, typer.Option(metavar="U", min=1, max=20, help="Height of the server that room is counted in.")]
Watts = Annotated[float, typer.Option(metavar="W", min=1, max=50_000, help="Its draw.")]
Weight = Annotated[float, typer.Option("--kg", metavar="KG", min=0.1, max=2000, help="Its weight.")]
Metered = Annotated[
    str | None,
    typer.Option("--prometheus", metavar="URL", help="Where meters are read; GOVHUB_PROMETHEUS, else the lab's own."),
]
LiveFlag = Annotated[
    bool | None,
    typer.Option("--live/--no-live", help="Ask meters and clusters, or nobody; by default while the lab runs."),
]


class Sort(StrEnum):
    """What ``--sort`` takes."""

    POWER = "power"
    FEED = "feed"
    SPACE = "space"
    GAP = "gap"
    WEIGHT = "weight"
    STRANDED = "stranded"
    NAME = "name"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "capacity", "What is full and what binds first: racks, power, cooling, compute, network.")
    command(child, "show")(show)
    command(child, "racks")(racks)
    capacity_token.register(child)
    capacity_forecast.register(child)
    capacity_report.register(child)
    capacity_whatif.register(child)
    capacity_rules.register(child)
    capacity_import.register(child)


def show(
    terminal: Terminal,
    hub: HubName,
    place: Where = "",
    *,
    units: Units = 2,
    watts: Watts = 800.0,
    kg: Weight = 30.0,
    csv: Csv = False,
    prometheus: Metered = None,
    live: LiveFlag = None,
) -> int:
    """Show what binds each hall first, then figures with what is known of them, and how old what is measured is."""
    from govhub.cli.views.capacity import show_capacity
    from govhub.ops.capacity.csvs import figure_lines
    from govhub.ops.capacity.show import show as run

    one_form(terminal, csv=csv)
    document = run(hub, place.strip("/"), _server(units, watts, kg), _sources(prometheus, live))
    show_rows(
        terminal,
        document,
        lambda console: show_capacity(console, document, verbose=terminal.verbose),
        figure_lines,
        csv=csv,
    )
    return Exit.OK


def racks(
    terminal: Terminal,
    hub: HubName,
    *,
    place: Place = "",
    sort: Sort = Sort.POWER,
    units: Units = 2,
    watts: Watts = 800.0,
    kg: Weight = 30.0,
    csv: Csv = False,
    prometheus: Metered = None,
    live: LiveFlag = None,
) -> int:
    """List racks, the fullest first: units, weight, power, feeds after a loss, and how many servers still fit."""
    from govhub.cli.views.capacity import show_racks
    from govhub.ops.capacity.csvs import rack_lines
    from govhub.ops.capacity.racks import racks as run

    one_form(terminal, csv=csv)
    sources = _sources(prometheus, live)
    document = run(hub, place.strip("/"), sort.value, _server(units, watts, kg), sources)
    show_rows(
        terminal,
        document,
        lambda console: show_racks(console, document, verbose=terminal.verbose),
        rack_lines,
        csv=csv,
    )
    return Exit.OK


def _sources(prometheus: str | None, live: bool | None) -> Sources:
    from govhub.ops.capacity.live import Sources

    return Sources(live, prometheus)


def _server(units: int, watts: float, kg: float) -> Server:
    from govhub.monitoring.halls import Server

    return Server(units=units, watts=watts, kg=kg)
