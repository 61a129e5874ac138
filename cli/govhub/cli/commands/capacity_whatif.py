"""``capacity what-if``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.tables import Csv, one_form, show_rows
from govhub.core.errors import UsageError

Servers = Annotated[int, typer.Option(metavar="N", min=0, max=1_000_000, help="Place this many machines.")]
Kind = Annotated[
    str,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="What they are: a device type, a pool or a host of the hub to have more of, or a built-in size.",
    ),
]
Units = Annotated[int | None, typer.Option(metavar="U", min=1, max=60, help="Height, instead of the type's.")]
Watts = Annotated[float | None, typer.Option(metavar="W", min=1, max=50_000, help="Draw, instead of the type's.")]
Weight = Annotated[float | None, typer.Option("--kg", metavar="KG", min=0.1, max=2000, help="Weight, likewise.")]
Cords = Annotated[int | None, typer.Option(metavar="N", min=1, max=2, help="Power supplies, likewise: 1 or 2.")]
File = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Add the parts of this YAML file, as hub files write them: systems, hosts, …"),
]
Place = Annotated[str, typer.Option(metavar="PLACE", help="Only into racks of this site, site/hall or site/hall/row.")]
Lose = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        help="Lose a site, hall, row, rack, power element, cooling unit, device or line. May be repeated.",
    ),
]


class Order(StrEnum):
    """What ``--order`` takes."""

    SPREAD = "spread"
    PACK = "pack"


Ordered = Annotated[Order, typer.Option(help="Few machines into each row, or rack after rack.")]


def register(child: typer.Typer) -> None:
    """Add the command to the group ``capacity``."""
    command(child, "what-if")(what_if)


def what_if(
    terminal: Terminal,
    hub: HubName,
    *,
    servers: Servers = 0,
    kind: Kind = "",
    units: Units = None,
    watts: Watts = None,
    kg: Weight = None,
    cords: Cords = None,
    file: File = None,
    lose: Lose = None,
    place: Place = "",
    order: Ordered = Order.SPREAD,
    csv: Csv = False,
) -> int:
    """Show what more machines, more systems or a loss would do. Reads the hub's files alone; 4 when it does not fit."""
    if not (servers or file or lose):
        hint = "say --servers N, --file FILE or --lose ADDRESS; they go together"
        raise UsageError.one("USE010", "there is nothing to try", hint=hint)
    from govhub.cli.views.capacity_whatif import show_what_if
    from govhub.ops.capacity.csvs import change_lines
    from govhub.ops.capacity.whatif import WhatIfRequest
    from govhub.ops.capacity.whatif import what_if as run

    one_form(terminal, csv=csv)
    request = WhatIfRequest(
        hub=hub,
        servers=servers,
        type=kind,
        units=units,
        watts=watts,
        kg=kg,
        cords=cords,
        file=file,
        lose=tuple(address.strip("/") for address in lose or ()),
        place=place.strip("/"),
        order=order.value,
    )
    result = run(request)
    document = result.document
    show_rows(
        terminal,
        document,
        lambda console: show_what_if(console, document, verbose=terminal.verbose),
        change_lines,
        csv=csv,
    )
    return result.exit
