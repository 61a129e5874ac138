"""A loaded hub turned once into columns: racks, the power tree, cooling. Everything after this is over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govhub.inventory.loader import Hub
from govhub.inventory.model.power import Feeds, PhaseRule, PowerElements, Side
from govhub.inventory.powertree import PowerTree, cooling_units, power_tree
from govhub.monitoring.arithmetic import electrical
from govhub.monitoring.arithmetic.failover import THREE_PHASE, RackFeeds, TreeLoad, tree_load
from govhub.monitoring.arithmetic.figure import Bools, Floats, Ints
from govhub.monitoring.arithmetic.tree import rolled_up
from govhub.monitoring.loads import Loads, loads_of

_PHASES = {PhaseRule.L1: 0, PhaseRule.L2: 1, PhaseRule.L3: 2}


@dataclass(frozen=True, slots=True)
class Racks:
    """One entry a rack; W, kg and rack units."""

    addresses: list[str]
    hall: Ints
    """Place in ``Columns.halls``."""
    units: Ints
    rated: Floats
    """W that the cabinet is rated for."""
    budget: Floats
    """W that the hall's power is built for: standard racks × W of one."""
    standard: Floats
    """Standard racks that it counts as."""
    max_kg: Floats
    outlets: Floats
    """Outlets of one side; NaN where unknown."""


@dataclass(frozen=True, slots=True)
class Elements:
    """One entry an element of the power tree."""

    names: list[str]
    kind: Ints
    """Place in ``kind_names``."""
    kind_names: list[str]
    """In the order of their declaration."""
    parents: Ints
    capacity: Floats
    """W with its redundant modules away; NaN where unknown."""
    whole: Floats
    """W with all modules."""
    alternates: Ints
    """What transfer switches change to; -1 of all else."""


class Columns:
    """The hub as columns; built on first use of each part."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.model = hub.model
        placed = hub.topology.racks
        self.halls = [f"{site.name}/{hall.name}" for site in self.model.sites for hall in site.halls]
        self.tiers = {f"{site.name}/{hall.name}": site.tier for site in self.model.sites for hall in site.halls}
        self.place = {address: place for place, address in enumerate(placed)}

    @cached_property
    def racks(self) -> Racks:
        """All racks."""
        placed = list(self.hub.topology.racks.values())
        halls = {name: place for place, name in enumerate(self.halls)}
        sites = {site.name: site.standard_rack_kw for site in self.model.sites}
        standard = _floats([rack.standard_racks for rack in placed])
        return Racks(
            addresses=[rack.address for rack in placed],
            hall=np.array([halls[f"{rack.site}/{rack.hall}"] for rack in placed], dtype=np.int64),
            units=np.array([rack.units for rack in placed], dtype=np.int64),
            rated=_floats([rack.rated_kw for rack in placed]) * 1000,
            budget=standard * _floats([sites[rack.site] for rack in placed]) * 1000,
            standard=standard,
            max_kg=_floats([rack.max_kg for rack in placed]),
            outlets=_floats([rack.outlets for rack in placed]),
        )

    @cached_property
    def loads(self) -> Loads:
        """What stands in each rack."""
        return loads_of(self.hub, self.place)

    @cached_property
    def tree(self) -> PowerTree:
        """The power tree by names."""
        return power_tree(self.model, self.hub.topology.racks)

    @cached_property
    def elements(self) -> Elements:
        """The power tree as columns."""
        sizes = [_watts(entry) for entry in self.model.power]
        kinds = list(dict.fromkeys(entry.kind.value for entry in self.model.power))
        each = _floats([sizes[entry] for entry in self.tree.entries])
        modules = _floats([self.model.power[entry].modules for entry in self.tree.entries])
        redundant = _floats([self.model.power[entry].redundant for entry in self.tree.entries])
        return Elements(
            names=self.tree.names,
            kind=np.array(
                [kinds.index(self.model.power[entry].kind.value) for entry in self.tree.entries], dtype=np.int64
            ),
            kind_names=kinds,
            parents=np.array(self.tree.parents, dtype=np.int64),
            capacity=each * (modules - redundant),
            whole=each * modules,
            alternates=np.array(self.tree.alternates, dtype=np.int64),
        )

    @cached_property
    def feeds(self) -> RackFeeds:
        """How each rack is fed, and what it draws as declared."""
        (a, phase_a, _), (b, phase_b, _) = self._sides
        return RackFeeds(a, b, phase_a, phase_b, self.loads.dual, self.loads.single)

    @cached_property
    def breakers(self) -> tuple[Floats, Floats]:
        """W that each rack's feed of side A and B carries; NaN where unknown or none."""
        return self._sides[0][2], self._sides[1][2]

    @cached_property
    def tree_load(self) -> TreeLoad:
        """Load of the power tree as declared, and after the worst single loss."""
        return tree_load(self.elements.parents, self.feeds, self.elements.alternates)

    @cached_property
    def cooling(self) -> dict[str, Floats]:
        """W of each cooling unit by hall; NaN where unknown. Halls without declared units are left out."""
        halls: dict[str, list[float | None]] = {}
        for _, hall, kw in cooling_units(self.model)[0]:
            halls.setdefault(hall, []).append(kw)
        return {hall: _floats(units) * 1000 for hall, units in halls.items()}

    @cached_property
    def halls_of_elements(self) -> NDArray[np.bool_]:
        """Which halls each element feeds, or would after a transfer: shape ``(elements, halls)``."""
        out = np.zeros((len(self.elements.names), len(self.halls)))
        for leaf in (self.feeds.a, self.feeds.b):
            fed = leaf >= 0
            np.add.at(out, (leaf[fed], self.racks.hall[fed]), 1)
        found = rolled_up(out, self.elements.parents) > 0
        switches = np.flatnonzero(self.elements.alternates >= 0)
        # One round for each switch above another one.
        for _ in switches:
            more = np.zeros_like(out)
            np.add.at(more, self.elements.alternates[switches], found[switches].astype(np.float64))
            found |= rolled_up(more, self.elements.parents) > 0
        return found

    def inside(self, place: str) -> Bools:
        """The racks of a place: ``site``, ``site/hall``, ``site/hall/row``, a rack, or all for the empty string."""
        if not place:
            return np.ones(len(self.racks.addresses), dtype=bool)
        start = place.rstrip("/") + "/"
        return np.array([f"{address}/".startswith(start) for address in self.racks.addresses], dtype=bool)

    @cached_property
    def _sides(self) -> tuple[tuple[Ints, Ints, Floats], tuple[Ints, Ints, Floats]]:
        return self._side(Side.A), self._side(Side.B)

    def _side(self, side: Side) -> tuple[Ints, Ints, Floats]:
        """Element, phase and breaker's W of each rack's feed on one side."""
        count = len(self.place)
        element = np.full(count, -1, dtype=np.int64)
        phase = np.full(count, THREE_PHASE, dtype=np.int64)
        breaker = np.full(count, np.nan)
        sizes = [_breaker(feed) for feed in self.model.feeds]
        for rack, (leaf, entry, place) in self.tree.feeds[side].items():
            at = self.place[rack]
            element[at] = leaf
            breaker[at] = sizes[entry]
            feed = self.model.feeds[entry]
            if feed.phases == 1:
                phase[at] = _PHASES.get(feed.phase, place % 3)
        return element, phase, breaker


def _watts(entry: PowerElements) -> float:
    """W of one module of an element; NaN when unknown."""
    if entry.kw is not None:
        return entry.kw * 1000
    if entry.kva is not None:
        return electrical.apparent_to_real(entry.kva, entry.power_factor)
    if entry.amps is not None:
        return electrical.three_phase_watts(entry.volts, entry.amps, entry.power_factor)
    return float("nan")


def _breaker(feed: Feeds) -> float:
    """W that a feed's breaker carries for long; NaN when unknown."""
    if feed.breaker_amps is None:
        return float("nan")
    watts = electrical.three_phase_watts if feed.phases == 3 else electrical.single_phase_watts
    return watts(feed.volts, feed.breaker_amps * feed.derating, feed.power_factor)


def _floats(values: Sequence[float | None]) -> Floats:
    """An array with NaN for None."""
    return np.array(values, dtype=np.float64)
