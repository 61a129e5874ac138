"""Every limit of a hub and what is used of it, level by level: racks, feeds, elements, phases, halls, pools.

One list for all who ask: the gate looks for what is above its limit, a plan for what changes, a what-if for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from govhub.inventory.model.power import Side
from govhub.inventory.topology import Path
from govhub.monitoring.arithmetic.failover import feed_load
from govhub.monitoring.arithmetic.figure import Floats, Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing import pools, ports
from govhub.monitoring.placing.halls import halls_of
from govhub.monitoring.placing.power import limits, must_survive

PHASES = ("L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Level:
    """One kind of limit over many parts; arrays of equal length, NaN where unknown."""

    resource: str
    unit: str
    at: list[str]
    """Addresses: of racks, elements, halls, pools."""
    used: Floats
    limit: Floats
    path: Callable[[int], Path]
    """Where in the hub's files a part's limit is declared."""
    lost: Callable[[int], str] = lambda _: ""
    """The loss after which ``used`` is the load; empty for the load as it is."""


def levels(columns: Columns, *, racks: bool = True, compute: bool = True) -> Iterator[Level]:
    """All levels; without ``racks`` those that racks share, without ``compute`` none of pools."""
    if racks:
        yield from _racks(columns)
    yield from _elements(columns)
    yield from _halls(columns)
    if compute:
        yield from _pools(columns)


def _racks(columns: Columns) -> Iterator[Level]:
    table, load = columns.racks, columns.loads
    names, where = table.addresses, rack_path(columns)
    yield Level("power", "W", names, load.watts, table.rated, where)
    leaves = (columns.feeds.a, columns.feeds.b)
    for side, leaf, used, limit in zip(Side, leaves, feed_load(columns.feeds), columns.breakers, strict=True):
        yield _feeds(columns, side, np.flatnonzero(leaf >= 0), (used, limit))
    yield Level("space", "U", names, load.units, table.units.astype(np.float64), where)
    yield Level("weight", "kg", names, load.kg, table.max_kg, where)
    yield Level("outlets", "outlets", names, load.outlets, table.outlets, where)
    taken, have = ports.cabled(columns.hub)
    yield Level("ports", "ports", names, taken, have, where)


def _feeds(columns: Columns, side: Side, at: Ints, watts: tuple[Floats, Floats]) -> Level:
    """The feeds of one side, of the racks that have one."""
    path, lost = feed_path(columns, side), _other(columns, side)
    names = columns.racks.addresses
    return Level(
        f"feed.{side.value}",
        "W",
        [names[rack] for rack in at],
        watts[0][at],
        watts[1][at],
        lambda place: path(int(at[place])),
        lambda place: lost(int(at[place])),
    )


def _other(columns: Columns, side: Side) -> Callable[[int], str]:
    """The element whose loss puts all of a rack on one feed: that of the other side."""
    mine, other = (columns.feeds.a, columns.feeds.b) if side is Side.A else (columns.feeds.b, columns.feeds.a)

    def lost(rack: int) -> str:
        both = mine[rack] >= 0 and other[rack] >= 0
        return columns.elements.names[int(other[rack])] if both else ""

    return lost


def _elements(columns: Columns) -> Iterator[Level]:
    elements, load = columns.elements, columns.tree_load
    if not elements.names:
        return
    whole = load.known == load.racks
    survive = must_survive(columns)
    carried = np.where(survive[:, None], load.failover, load.normal)
    used = np.where(whole, carried.sum(axis=1), np.nan)
    entries = columns.tree.entries

    def path(place: int) -> Path:
        return "power", entries[place]

    def lost(place: int) -> str:
        found = int(load.lost[place]) if survive[place] else -1
        return elements.names[found] if found >= 0 else ""

    yield Level("element", "W", elements.names, used, elements.capacity, path, lost)
    each = limits(columns)[:, 1:]
    at = np.flatnonzero(np.isfinite(each[:, 0]))
    names = [f"{elements.names[place]}/{phase}" for place in at for phase in PHASES]
    peaks = np.where(survive[:, None], load.peaks, load.normal)
    phases = np.where(whole[at, None], peaks[at], np.nan).ravel()
    members = np.repeat(at, len(PHASES))
    yield Level(
        "phase",
        "W",
        names,
        phases,
        each[at].ravel(),
        lambda place: path(int(members[place])),
        lambda place: lost(int(members[place])),
    )


def _halls(columns: Columns) -> Iterator[Level]:
    halls = halls_of(columns)
    names = [hall.name for hall in halls]
    used = np.array([hall.used for hall in halls])
    where = hall_paths(columns)
    yield Level(
        "budget", "W", names, used, np.array([hall.budget for hall in halls]), lambda place: where[names[place]]
    )
    cooling = np.array([np.nan if hall.cooling is None else hall.cooling for hall in halls])
    yield Level("cooling", "W", names, used, cooling, lambda place: where[names[place]])


def _pools(columns: Columns) -> Iterator[Level]:
    rows = pools.after_rack_loss(columns.hub)
    clusters = {cluster.name: place for place, cluster in enumerate(columns.model.clusters)}
    for resource, unit in pools.RESOURCES.items():
        found = [row for row in rows if row.resource == resource]
        yield Level(
            f"pool.{resource}",
            unit,
            [row.address for row in found],
            np.array([row.requested for row in found], dtype=np.float64),
            np.array([row.left for row in found], dtype=np.float64),
            lambda place, found=found: ("clusters", clusters[found[place].cluster]),  # type: ignore[misc]
            lambda place, found=found: found[place].lost,  # type: ignore[misc]
        )


def hall_paths(columns: Columns) -> dict[str, Path]:
    """Where each hall is declared."""
    return {
        f"{site.name}/{hall.name}": ("sites", i, "halls", j)
        for i, site in enumerate(columns.model.sites)
        for j, hall in enumerate(site.halls)
    }


def rack_path(columns: Columns) -> Callable[[int], Path]:
    """Where a rack's hall is declared: racks themselves stand in patterns of its rows."""
    where = hall_paths(columns)

    def path(rack: int) -> Path:
        return (*where[columns.halls[int(columns.racks.hall[rack])]], "rows")

    return path


def feed_path(columns: Columns, side: Side) -> Callable[[int], Path]:
    """Where a rack's feed on one side is declared."""
    feeds = columns.tree.feeds[side]
    names = columns.racks.addresses

    def path(rack: int) -> Path:
        found = feeds.get(names[rack])
        return ("feeds", found[1]) if found else ("feeds",)

    return path
