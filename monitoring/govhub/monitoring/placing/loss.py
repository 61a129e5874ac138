"""Losing parts of a hub: what goes dark, what is left with one side, and what then carries too much."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from govhub.inventory.powertree import cooling_units
from govhub.monitoring.arithmetic.failover import feed_load
from govhub.monitoring.arithmetic.figure import Bools, Floats
from govhub.monitoring.arithmetic.switching import Ways
from govhub.monitoring.columns import Columns, Elements
from govhub.monitoring.placing.derive import with_feeds
from govhub.monitoring.placing.levels import PHASES
from govhub.monitoring.placing.place import Degraded
from govhub.monitoring.placing.power import limits

EPS = 1e-6


@dataclass(slots=True)
class Lost:
    """The parts that are lost themselves, by what they are."""

    racks: Bools
    elements: Bools
    cooling: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)
    circuits: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Overload:
    """A part that carries more than it may after the loss."""

    resource: str
    at: str
    used: float
    limit: float
    before: float
    """What it carried as it was."""


@dataclass(slots=True)
class Fallout:
    """A hub after a loss."""

    lost: Lost
    before: Columns
    columns: Columns
    """What is left: feeds and machines that are away draw nothing."""
    dead: Bools
    """Elements without power: lost ones, and all below them."""
    dark: Bools
    """Racks in which no machine has power."""
    dimmed: Bools
    """Racks of which only machines with one cord are dark."""
    one_side: Bools
    """Racks that had two sides and have one."""
    hosts: set[str]
    """Hosts without power."""
    devices: set[str]
    """Devices that are lost or without power."""
    overloads: list[Overload]
    cooling: list[dict[str, object]]
    """Halls that lost cooling units: W of heat that is left, and W of cooling (None when unknown)."""


KINDS = ("place", "power", "cooling", "device", "circuit")


def meanings(columns: Columns, address: str) -> list[tuple[str, Lost]]:
    """What ``address`` may mean, as ``(kind, what is lost)``; ``power:NAME`` asks for one kind."""
    kind, _, name = address.rpartition(":")
    return [(found, lost) for found, lost in _named(columns, name) if kind in ("", found)]


def _named(columns: Columns, name: str) -> Iterator[tuple[str, Lost]]:
    model, hub = columns.model, columns.hub
    none = np.zeros(len(columns.racks.addresses), dtype=bool), np.zeros(len(columns.elements.names), dtype=bool)
    if name and (inside := columns.inside(name)).any():
        yield "place", Lost(inside, none[1])
    if name in columns.elements.names:
        yield "power", Lost(none[0], np.array([item == name for item in columns.elements.names]))
    if any(unit == name for unit, _, _ in cooling_units(model)[0]):
        yield "cooling", Lost(*none, cooling={name})
    if name in hub.topology.devices:
        yield "device", Lost(*none, devices={name})
    if any(circuit.name == name for circuit in model.circuits):
        yield "circuit", Lost(*none, circuits={name})


def together(parts: Iterable[Lost]) -> Lost:
    """Several losses at once; at least one."""
    first, *rest = parts
    out = Lost(first.racks.copy(), first.elements.copy(), set(first.cooling), set(first.devices), set(first.circuits))
    for part in rest:
        out.racks |= part.racks
        out.elements |= part.elements
        out.cooling |= part.cooling
        out.devices |= part.devices
        out.circuits |= part.circuits
    return out


def fallout(columns: Columns, lost: Lost) -> Fallout:
    """The hub after ``lost``: power goes the ways that are left, and what hangs on none is dark.

    Racks whose feeds nobody declared are dark only when they are lost themselves: what feeds them is unknown.
    """
    feeds = columns.feeds
    dead, elements = _switched(columns, lost)
    sides = [(leaf >= 0) & (dead[leaf] if len(dead) else False) for leaf in (feeds.a, feeds.b)]
    live = [(leaf >= 0) & ~side for leaf, side in zip((feeds.a, feeds.b), sides, strict=True)]
    fed = (feeds.a >= 0) | (feeds.b >= 0)
    dark = lost.racks | (fed & ~live[0] & ~live[1])
    dimmed = ~dark & sides[0]
    one_side = ~dark & (feeds.a >= 0) & (feeds.b >= 0) & (live[0] ^ live[1])
    after = with_feeds(columns, sides[0], sides[1], lost.racks)
    after.__dict__["elements"] = elements
    place = columns.place
    topology = columns.hub.topology
    hosts = {h.name for h in topology.hosts.values() if dark[place[h.rack]] or (h.cords == 1 and dimmed[place[h.rack]])}
    devices = {
        d.name for d in topology.devices.values() if dark[place[d.rack]] or (d.cords == 1 and dimmed[place[d.rack]])
    }
    overloads = [*_elements(columns, after, dead), *_feeds(columns, after, one_side)]
    cooling = list(_cooling(columns, lost.cooling, np.where(dark, 0.0, columns.loads.watts)))
    devices |= lost.devices
    return Fallout(lost, columns, after, dead, dark, dimmed, one_side, hosts, devices, overloads, cooling)


def _switched(columns: Columns, lost: Lost) -> tuple[Bools, Elements]:
    """Which elements have no power, and the tree with its transfer switches where they are then."""
    elements = columns.elements
    away = set(np.flatnonzero(lost.elements).tolist())
    ways = Ways(elements.parents.tolist(), elements.alternates.tolist())
    found = [ways.way(place, away) for place in range(len(elements.names))]
    dead = np.array([way is None for way in found], dtype=bool)
    parents, alternates = elements.parents.copy(), elements.alternates.copy()
    for place in np.flatnonzero((alternates >= 0) & ~dead).tolist():
        if dead[parents[place]]:
            parents[place], alternates[place] = alternates[place], -1
        elif dead[alternates[place]]:
            alternates[place] = -1
    return dead, dataclasses.replace(elements, parents=parents, alternates=alternates)


def degraded(columns: Columns, found: Fallout, cords: int) -> Degraded:
    """What placing has to know of the hub after the loss."""
    closed = found.dark | (found.dimmed if cords == 1 else np.zeros_like(found.dark))
    return Degraded(found.columns, closed, cooling_left(columns, found.lost.cooling))


def cooling_left(columns: Columns, lost: set[str]) -> dict[str, float]:
    """W of cooling of the halls that lost units, with all the others at work; halls with an unknown unit left out."""
    units: dict[str, list[tuple[str, float | None]]] = {}
    for name, hall, kw in cooling_units(columns.model)[0]:
        units.setdefault(hall, []).append((name, kw))
    return {
        hall: 1000 * sum(kw or 0.0 for name, kw in found if name not in lost)
        for hall, found in units.items()
        if any(name in lost for name, _ in found) and all(kw is not None for _, kw in found)
    }


def _cooling(columns: Columns, lost: set[str], watts: Floats) -> Iterator[dict[str, object]]:
    left = cooling_left(columns, lost)
    touched = dict.fromkeys(hall for name, hall, _ in cooling_units(columns.model)[0] if name in lost)
    for hall in touched:
        heat = float(watts[columns.racks.hall == columns.halls.index(hall)].sum())
        cool = left.get(hall)
        yield {"hall": hall, "heat": heat, "left": cool, "exceeded": cool is not None and heat > cool * (1 + EPS)}


def _elements(columns: Columns, after: Columns, dead: Bools) -> Iterator[Overload]:
    elements = columns.elements
    if not elements.names:
        return
    limit = limits(columns)
    now, before = after.tree_load.normal, columns.tree_load.normal
    tables = [np.column_stack([load.sum(axis=1), load]) for load in (now, before)]
    over = (tables[0] > limit * (1 + EPS) + EPS) & ~dead[:, None]
    for place, meter in np.argwhere(over).tolist():
        name = elements.names[place] + (f"/{PHASES[meter - 1]}" if meter else "")
        sides = float(tables[0][place, meter]), float(limit[place, meter]), float(tables[1][place, meter])
        yield Overload("phase" if meter else "element", name, *sides)


def _feeds(columns: Columns, after: Columns, one_side: Bools) -> Iterator[Overload]:
    for side, load, limit, leaf in zip(
        "ab", feed_load(after.feeds), columns.breakers, (after.feeds.a, after.feeds.b), strict=True
    ):
        with np.errstate(invalid="ignore"):
            over = one_side & (leaf >= 0) & (load > limit * (1 + EPS) + EPS)
        for rack in np.flatnonzero(over).tolist():
            sides = float(load[rack]), float(limit[rack]), float(columns.feeds.dual[rack] / 2)
            yield Overload(f"feed.{side}", columns.racks.addresses[rack], *sides)
