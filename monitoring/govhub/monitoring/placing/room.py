"""Room of each rack by itself: how many machines of one size its own resources take, and which of them is the least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.failover import feed_load
from govhub.monitoring.arithmetic.figure import Floats, Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing import ports
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.slots import slots

EPS = 1e-6
PLENTY = 1 << 40
"""Room where no resource is known: nobody has that many machines."""


@dataclass(frozen=True, slots=True)
class Room:
    """One entry a rack."""

    machines: Ints
    """Whole machines that the rack takes; ``PLENTY`` where nothing is known."""
    cause: Ints
    """Place in ``names`` of what runs out first; -1 where nothing is known."""
    names: list[str]
    """In the order of blame among equals."""
    used: dict[str, Floats]
    limit: dict[str, Floats]
    """What each resource has, in its own unit; NaN where unknown."""


def room_of(columns: Columns, need: Need) -> Room:
    """The room of every rack, whatever feeds it.

    Feeds are held against the draw that comes over when the other side is lost: a machine with two supplies needs all
    of its W on each side's breaker (2N at half of both is full).
    """
    racks, loads = columns.racks, columns.loads
    feed_a, feed_b = feed_load(columns.feeds)
    a, b = columns.breakers
    # A single supply takes nothing of side B, unless there is no A.
    if need.cords == 1:
        b = np.where(columns.feeds.a >= 0, np.nan, b)
    used = {
        "power": loads.watts,
        "feed.a": feed_a,
        "feed.b": feed_b,
        "space": loads.units,
        "weight": loads.kg,
        "outlets": loads.outlets,
    }
    limit = {
        "power": racks.rated,
        "feed.a": a,
        "feed.b": b,
        "space": racks.units.astype(np.float64),
        "weight": racks.max_kg,
        "outlets": racks.outlets,
    }
    takes = {"power": need.watts, "feed.a": need.watts, "feed.b": need.watts, "weight": need.kg, "outlets": 1.0}
    fits = {name: np.floor((limit[name] - used[name] + EPS) / each) for name, each in takes.items()}
    fits["space"] = np.maximum(_units(columns, need), 0.0)
    counted = ports.room(columns.hub, need)
    fits |= counted
    if need.ports:
        for name, found in counted.items():
            limit[name] = np.where(np.isnan(found), np.nan, found)
    order = ("power", "feed.a", "feed.b", "space", "weight", "outlets", "ports", "switch")
    table = np.stack([np.maximum(fits[name], 0.0) for name in order], axis=1)
    filled = np.where(np.isnan(table), np.inf, table)
    least = filled.min(axis=1)
    machines = np.where(np.isinf(least), PLENTY, np.minimum(least, PLENTY)).astype(np.int64)
    cause = np.where(np.isinf(least), -1, np.argmin(filled, axis=1))
    return Room(machines, cause, list(order), used, limit)


def _units(columns: Columns, need: Need) -> Floats:
    """By gaps where the positions of all machines are known, else by free units."""
    racks, loads = columns.racks, columns.loads
    gaps = slots(loads.occupied, racks.units, need.units).astype(np.float64)
    if not need.units:
        return gaps
    return np.where(loads.positioned, gaps, np.floor((racks.units - loads.units) / need.units))
