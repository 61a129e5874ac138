"""Placing machines, one by one, until something is full: fast, deterministic, and never beyond a limit.

Everything that a machine takes is taken from all that share it: the rack, each element above both of its feeds as it is
and after every single loss, the power and the cooling of the hall. So the answer is one of all limits together, not the
least of many that were counted apart.

*pack* fills rack after rack in the order of the files. *spread* gives one machine at a time to the row that got
fewest, and in it to the rack that got fewest (the emptier one by power first): whatever fails takes few of them. A rack
or a way that refuses a machine is not asked again, as loads only grow. Machines are alike, so where the sides of the
tree mirror each other (2N) and feeds have three phases, limits are nested and no order places more; elsewhere (other
trees, phases that run full apart from their elements) another order may find some more room.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from govhub.monitoring.arithmetic.figure import Bools, Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.halls import halls_of
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.paths import Share, Way
from govhub.monitoring.placing.power import Stop, Tree
from govhub.monitoring.placing.room import Room, room_of


class Order(StrEnum):
    """How machines are dealt to racks."""

    PACK = "pack"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What keeps a machine out: a resource of racks themselves, of their hall, or an element of the power tree."""

    resource: str
    """``power``, ``space``, … of a rack; ``budget``, ``cooling`` of a hall; ``element`` or ``phase``; ``lost``."""
    at: str = ""
    """The hall or the element; empty for what racks lack each for itself."""
    used: float | None = None
    """W before the machine that does not go."""
    limit: float | None = None
    lost: str = ""
    """The element after whose loss ``used`` is the load; empty for the load as it is."""
    phase: int = 0
    """1 to 3 of a ``phase``."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many racks a refusal keeps out, and the first of them (its place in the columns)."""

    refusal: Refusal
    racks: int
    first: int


@dataclass(slots=True)
class Placement:
    """Where machines went, and what stopped the next one."""

    counts: Ints
    """Machines that were placed in each rack."""
    wanted: int
    room: Room
    inside: Bools
    """Racks that were asked."""
    kept: list[Kept] = field(default_factory=list)
    """What keeps the next machine out, most racks first; empty when all were placed."""
    full: list[tuple[Refusal, int]] = field(default_factory=list)
    """What several racks share and ran full on the way, with how many machines were placed by then, in that order."""

    @property
    def placed(self) -> int:
        """How many machines have a rack."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True)
class Degraded:
    """A hub after a loss, as far as placing asks."""

    columns: Columns
    closed: Bools
    """Racks that are lost, or have no side left that a machine needs."""
    cooling: Mapping[str, float] = field(default_factory=dict)
    """W of cooling that is left, of halls that lost some."""


@dataclass(slots=True)
class _Way:
    """Racks that are fed alike: what each machine puts on each tree."""

    shares: list[tuple[Tree, Share]]
    closed: Refusal | None = None


class Placer:
    """Machines of one size against a hub; with ``degraded``, the limits of the hub after a loss hold too."""

    def __init__(self, columns: Columns, need: Need, inside: Bools, degraded: Degraded | None = None) -> None:
        self.columns, self.need = columns, need
        self.room = room_of(columns, need)
        self._left: list[int] = self.room.machines.tolist()
        self._counts = [0] * len(self._left)
        self._full: list[tuple[Refusal, int]] = []
        self._placed = 0
        self._inside = inside
        self._racks = [int(rack) for rack in np.flatnonzero(inside)]
        self._dead: list[bool] = degraded.closed.tolist() if degraded else [False] * len(self._left)
        hubs = [columns, degraded.columns] if degraded else [columns]
        self._trees = [(found, Tree(found)) for found in hubs]
        self._halls = halls_of(columns)
        for hall in self._halls:
            left = degraded.cooling.get(hall.name) if degraded else None
            if left is not None:
                hall.cooling = left if hall.cooling is None else min(left, hall.cooling)
        self._closed_halls: dict[int, Refusal] = {}
        self._hall: list[int] = columns.racks.hall.tolist()
        self._keys = _keys([found for found, _ in self._trees])
        self._ways: dict[int, _Way] = {}

    def run(self, count: int, order: Order = Order.SPREAD) -> Placement:
        """Place up to ``count`` machines."""
        if order is Order.PACK:
            for rack in self._racks:
                # Until it is refused: what stops it is known then.
                while self._placed < count and self._fill(rack, count - self._placed):
                    pass
        else:
            self._spread(count)
        out = Placement(np.array(self._counts, dtype=np.int64), count, self.room, self._inside, full=self._full)
        if self._placed < count:
            out.kept = self._kept()
        return out

    def _spread(self, count: int) -> None:
        rows: dict[str, list[tuple[int, float, int]]] = {}
        loads, names = self.columns.loads.watts.tolist(), self.columns.racks.addresses
        for rack in self._racks:
            if self._left[rack] > 0 and not self._dead[rack]:
                rows.setdefault(names[rack].rpartition("/")[0], []).append((0, loads[rack], rack))
        queue = [(0, number, racks) for number, racks in enumerate(rows.values())]
        for _, _, racks in queue:
            heapq.heapify(racks)
        while queue and self._placed < count:
            got, number, racks = queue[0]
            times, watts, rack = racks[0]
            if not self._fill(rack, 1):
                heapq.heappop(racks)
                if not racks:
                    heapq.heappop(queue)
                continue
            heapq.heapreplace(racks, (times + 1, watts, rack))
            heapq.heapreplace(queue, (got + 1, number, racks))

    def _fill(self, rack: int, count: int) -> int:
        """Put up to ``count`` machines into a rack; how many went."""
        fit = min(count, self._left[rack])
        if fit <= 0 or self._dead[rack]:
            return 0
        way = self._way(rack)
        if way.closed or self._hall[rack] in self._closed_halls:
            return 0
        fit = min(fit, self._hall_room(rack), self._way_room(way))
        if fit <= 0:
            return 0
        watts = fit * self.need.watts
        for tree, share in way.shares:
            tree.take(share, watts)
        self._halls[self._hall[rack]].used += watts
        self._left[rack] -= fit
        self._counts[rack] += fit
        self._placed += fit
        return fit

    def _hall_room(self, rack: int) -> int:
        place = self._hall[rack]
        hall = self._halls[place]
        fit, resource, limit = hall.room(self.need.watts)
        if fit <= 0:
            self._closed_halls[place] = refusal = Refusal(resource, hall.name, hall.used, limit)
            self._full.append((refusal, self._placed))
        return fit

    def _way_room(self, way: _Way) -> int:
        least = 1 << 40
        for tree, share in way.shares:
            fit, stop = tree.room(share, self.need.watts)
            if fit <= 0 and stop:
                way.closed = self._refusal(tree, stop)
                if all((way.closed.at, way.closed.phase) != (old.at, old.phase) for old, _ in self._full):
                    self._full.append((way.closed, self._placed))
                return 0
            least = min(least, fit)
        return least

    def _way(self, rack: int) -> _Way:
        key = self._keys[rack]
        found = self._ways.get(key)
        if found is None:
            shares = []
            for columns, tree in self._trees:
                feeds = columns.feeds
                way = Way(int(feeds.a[rack]), int(feeds.b[rack]), int(feeds.phase_a[rack]), int(feeds.phase_b[rack]))
                shares.append((tree, tree.share(way, self.need.cords)))
            self._ways[key] = found = _Way(shares)
        return found

    def _refusal(self, tree: Tree, stop: Stop) -> Refusal:
        names = self.columns.elements.names
        lost = tree.worst_loss(stop)
        load = stop.carried
        return Refusal(
            "phase" if stop.phase else "element",
            names[stop.element],
            load,
            stop.limit,
            names[lost] if lost >= 0 else "",
            stop.phase,
        )

    def _kept(self) -> list[Kept]:
        """Why each rack takes no machine more, summed up."""
        counts: Counter[Refusal] = Counter()
        first: dict[Refusal, int] = {}
        for rack in self._racks:
            refusal = self._why(rack)
            counts[refusal] += 1
            first.setdefault(refusal, rack)
        order = sorted(counts, key=lambda refusal: (-counts[refusal], first[refusal]))
        return [Kept(refusal, counts[refusal], first[refusal]) for refusal in order]

    def _why(self, rack: int) -> Refusal:
        if self._dead[rack]:
            return Refusal("lost")
        if self._left[rack] <= 0:
            return Refusal(self.room.names[int(self.room.cause[rack])])
        closed = self._closed_halls.get(self._hall[rack]) or self._way(rack).closed
        assert closed, "a rack that nothing keeps has room"
        return closed


def _keys(hubs: list[Columns]) -> list[int]:
    """One number a rack: equal for racks that are fed alike in all of ``hubs``."""
    first = hubs[0]
    count = len(first.elements.names) + 1
    feeds = first.feeds
    key = ((feeds.a + 1) * count + feeds.b + 1) * 16 + feeds.phase_a * 4 + feeds.phase_b
    for other in hubs[1:]:
        # A loss only takes sides away.
        key = key * 4 + (other.feeds.a < 0) * 2 + (other.feeds.b < 0)
    out: list[int] = key.tolist()
    return out
