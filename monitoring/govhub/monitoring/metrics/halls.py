"""Samples of one hall: its racks, and the hall itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.blocks import Block, block
from govhub.monitoring.metrics.places import INFO, Places

GRAMS = 1000.0
"""Files say kg, metrics are in base units."""


def rack_values(halls: Halls) -> dict[str, Floats]:
    """Families of racks without further labels: a value for each rack."""
    racks, loads = halls.columns.racks, halls.columns.loads
    return {
        "govhub_rack_units": racks.units.astype(np.float64),
        "govhub_rack_units_used": loads.units,
        "govhub_rack_units_contiguous": halls.gap.astype(np.float64),
        "govhub_rack_weight_grams": loads.kg * GRAMS,
        "govhub_rack_weight_limit_grams": racks.max_kg * GRAMS,
        "govhub_rack_rated_watts": racks.rated,
        "govhub_rack_budget_watts": racks.budget,
        "govhub_rack_allocated_watts": loads.watts,
        "govhub_rack_stranded_watts": halls.stranded,
        "govhub_rack_servers_room": halls.servers,
    }


def blocks_of_racks(halls: Halls, places: Places, hall: str) -> Iterator[Block]:
    """The racks of ``site/hall``."""
    place = places.of(hall)
    yield Block(INFO, place.info, np.ones(len(place.racks)))
    for family, values in rack_values(halls).items():
        yield Block(family, place.plain, values[place.racks])
    for number, failover in enumerate((halls.feed_a, halls.feed_b)):
        yield Block("govhub_rack_feed_failover_watts", place.sides[number], failover[place.racks])
    for number, limit in enumerate(halls.columns.breakers):
        yield Block("govhub_rack_feed_limit_watts", place.sides[number], limit[place.racks])


def blocks_of_hall(halls: Halls, hall: str) -> Iterator[Block]:
    """The hall as a whole."""
    site, name = hall.split("/")
    inside = halls.columns.racks.hall == halls.columns.halls.index(hall)
    figures = halls.figures(inside) | halls.hall(hall)

    binds = halls.binds(hall)
    fits = {**binds.fits, "binding": binds.servers} if binds else {}
    yield block("govhub_hall_servers_room", {(site, name, resource): servers for resource, servers in fits.items()})
    cooling = figures["cooling"]
    # Units of unknown capacity would make the sum of the others look like all there is.
    capacity = cooling.denominator if cooling.known == cooling.parts else None
    yield block("govhub_hall_cooling_capacity_watts", {(site, name): capacity})
    heat = float(halls.columns.loads.watts[inside].sum())
    yield block("govhub_hall_cooling_load_watts", {(site, name): heat})
    racks = figures["racks"]
    states = {"declared": racks.denominator, "used": racks.numerator}
    yield block("govhub_hall_standard_racks", {(site, name, state): value for state, value in states.items()})
    yield block(
        "govhub_figure_known_parts", {(site, name, figure): float(item.known) for figure, item in figures.items()}
    )
    yield block("govhub_figure_parts", {(site, name, figure): float(item.parts) for figure, item in figures.items()})
