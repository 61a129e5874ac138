"""Columns of a hub that is not there: with more machines in it, or with parts of it lost."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np

from govhub.inventory.loader import Hub
from govhub.inventory.topology import PlacedHost
from govhub.monitoring.arithmetic.failover import RackFeeds
from govhub.monitoring.arithmetic.figure import Bools, Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.loads import Loads
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.slots import positions

_SAME = ("racks", "tree", "elements", "cooling", "halls_of_elements", "_sides")
"""What neither machines nor losses change; worked out once."""


def with_loads(columns: Columns, loads: Loads, hub: Hub | None = None) -> Columns:
    """The same hub with other machines in its racks; ``hub`` is one that differs in hosts alone."""
    out = Columns(hub or columns.hub)
    for name in _SAME:
        out.__dict__[name] = getattr(columns, name)
    out.__dict__["loads"] = loads
    return out


def with_feeds(columns: Columns, dead_a: Bools, dead_b: Bools, lost: Bools) -> Columns:
    """The same hub with feeds and racks away; machines with one cord are dark without side A, and draw nothing.

    Args:
        columns: of the hub as it is.
        dead_a: racks whose side A is away.
        dead_b: the same of side B.
        lost: racks that are away themselves.
    """
    feeds, loads = columns.feeds, columns.loads
    a, b = np.where(dead_a, -1, feeds.a), np.where(dead_b, -1, feeds.b)
    # Single cords hang on side A wherever there is one; the arithmetic would move them to B.
    single = np.where(lost | (dead_a & (feeds.a >= 0)), 0.0, feeds.single)
    out = with_loads(columns, loads)
    out.__dict__["feeds"] = RackFeeds(a, b, feeds.phase_a, feeds.phase_b, np.where(lost, 0.0, feeds.dual), single)
    return out


def placed(columns: Columns, need: Need, counts: Ints, like: PlacedHost | None = None) -> Columns:
    """The hub with ``counts`` machines more in each rack, at the lowest units where positions are known.

    Machines ``like`` a host are hosts of its cluster and pool, and offer what it does; others are of none.
    """
    loads = columns.loads
    watts = counts * need.watts
    dual = need.cords == 2
    occupied = loads.occupied.copy()
    for rack in np.flatnonzero((counts > 0) & loads.positioned):
        mask = int(occupied[rack])
        for unit in positions(mask, int(columns.racks.units[rack]), need.units, int(counts[rack])):
            mask |= ((1 << need.units) - 1) << (unit - 1)
        occupied[rack] = np.uint64(mask)
    more = dataclasses.replace(
        loads,
        machines=loads.machines + counts,
        units=loads.units + counts * need.units,
        kg=loads.kg + counts * need.kg,
        dual=loads.dual + (watts if dual else 0.0),
        single=loads.single + (0.0 if dual else watts),
        watts=loads.watts + watts,
        outlets=loads.outlets + counts,
        occupied=occupied,
    )
    return with_loads(columns, more, _with_hosts(columns, like, counts) if like else None)


def _with_hosts(columns: Columns, like: PlacedHost, counts: Ints) -> Hub:
    """The hub with more hosts like one of them. None of their names can stand in a file, so they are nobody else's."""
    topology = copy.copy(columns.hub.topology)
    racks = np.repeat(np.array(columns.racks.addresses), counts).tolist()
    one = dataclasses.replace(like, unit=None, serial="", bmc="", address="")
    names = (f"{like.name}+{number}" for number in range(1, len(racks) + 1))
    more = {name: dataclasses.replace(one, name=name, rack=rack) for name, rack in zip(names, racks, strict=True)}
    topology.hosts = columns.hub.topology.hosts | more
    return dataclasses.replace(columns.hub, _topology=topology)
