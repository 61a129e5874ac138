"""The power tree and the cooling units, expanded from their patterns.

Problems in patterns are collected by :mod:`govhub.inventory.checks.power`; here a broken entry simply yields nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from govhub.inventory.model.power import Side
from govhub.inventory.model.root import HubFile
from govhub.inventory.patterns import PatternError, expand
from govhub.inventory.topology import MAX_NAMES, Path

Finding = tuple[str, Path, str]
"""``(code, path into the model, message)``."""


class _Expander:
    """Expands patterns while all of them together stand for at most ``MAX_NAMES`` names."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._total = 0

    def __call__(self, pattern: str, where: Path) -> list[str]:
        if self._total > MAX_NAMES:
            return []
        try:
            names = expand(pattern)
        except PatternError as error:
            self._findings.append(("PLC001", where, str(error)))
            return []
        self._total += len(names)
        if self._total > MAX_NAMES:
            self._findings.append(("PLC006", where, f"power and cooling stand for more than {MAX_NAMES:,} names"))
            return []
        return names


@dataclass(slots=True)
class PowerTree:
    """Elements in the order of their declaration; columns of equal length."""

    names: list[str] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    """Index of each element's entry in ``power``."""
    parents: list[int] = field(default_factory=list)
    """Index of the element above; -1 at the top, and where it is unknown or would close a circle."""
    alternates: list[int] = field(default_factory=list)
    """Index of the element that takes over when the one above is lost; -1 of all that is no transfer switch."""
    feeds: dict[Side, dict[str, tuple[int, int, int]]] = field(default_factory=lambda: {side: {} for side in Side})
    """For each side and rack: the element, the index of the entry in ``feeds``, and the place within the entry."""
    findings: list[Finding] = field(default_factory=list)

    def above(self, element: int) -> Iterator[int]:
        """``element`` and all that it hangs on, from below to the top."""
        while element >= 0:
            yield element
            element = self.parents[element]


def power_tree(model: HubFile, racks: Collection[str] | None = None) -> PowerTree:
    """The power tree of a hub; with ``racks``, feeds of racks that do not exist are findings."""
    tree = PowerTree()
    expanded = _Expander(tree.findings)
    above: list[str | None] = []
    others: list[str | None] = []
    index: dict[str, int] = {}
    for position, entry in enumerate(model.power):
        where: Path = ("power", position)
        names = expanded(entry.names, (*where, "names"))
        parents = expanded(entry.fed_by, (*where, "fed_by")) if entry.fed_by else []
        dealt = _dealt(tree.findings, names, parents, (*where, "fed_by")) if parents else [None] * len(names)
        spare = expanded(entry.alternate, (*where, "alternate")) if entry.alternate else []
        spares = _dealt(tree.findings, names, spare, (*where, "alternate")) if spare else [None] * len(names)
        for name, parent, other in zip(names, dealt, spares, strict=True):
            if name in index:
                tree.findings.append(("PWR002", (*where, "names"), f'the power element "{name}" is declared twice'))
                continue
            index[name] = len(tree.names)
            tree.names.append(name)
            tree.entries.append(position)
            above.append(parent)
            others.append(other)
    for name, parent, position in zip(tree.names, above, tree.entries, strict=True):
        if parent is not None and parent not in index:
            text = f'"{parent}", which feeds "{name}", is no power element of this hub'
            tree.findings.append(("PWR001", ("power", position, "fed_by"), text))
        tree.parents.append(index.get(parent, -1) if parent is not None else -1)
    for name, other, position in zip(tree.names, others, tree.entries, strict=True):
        if other is not None and other not in index:
            text = f'"{other}", which "{name}" changes to, is no power element of this hub'
            tree.findings.append(("PWR001", ("power", position, "alternate"), text))
        tree.alternates.append(index.get(other, -1) if other is not None else -1)
    _open_circles(tree)
    _open_switches(tree)
    _feeds(tree, expanded, model, index, racks)
    return tree


def cooling_units(model: HubFile) -> tuple[list[tuple[str, str, float | None]], list[Finding]]:
    """``(name, site/hall, kW or None)`` of every cooling unit, and what is wrong with their patterns."""
    halls = {f"{site.name}/{hall.name}" for site in model.sites for hall in site.halls}
    found: list[tuple[str, str, float | None]] = []
    findings: list[Finding] = []
    seen: set[str] = set()
    expanded = _Expander(findings)
    for position, entry in enumerate(model.cooling):
        where: Path = ("cooling", position)
        names = expanded(entry.names, (*where, "names"))
        places = expanded(entry.halls, (*where, "halls"))
        unknown = [place for place in places if place not in halls]
        if unknown:
            findings.append(("PWR001", (*where, "halls"), f'"{unknown[0]}" is no hall of this hub'))
            continue
        for name, hall in zip(names, _dealt(findings, names, places, (*where, "halls")), strict=True):
            if name in seen:
                findings.append(("PWR002", (*where, "names"), f'the cooling unit "{name}" is declared twice'))
            elif hall is not None:
                found.append((name, hall, entry.kw))
            seen.add(name)
    return found, findings


def _feeds(
    tree: PowerTree, expanded: _Expander, model: HubFile, index: dict[str, int], racks: Collection[str] | None
) -> None:
    for position, entry in enumerate(model.feeds):
        where: Path = ("feeds", position)
        addresses = expanded(entry.racks, (*where, "racks"))
        sources = expanded(entry.fed_by, (*where, "fed_by"))
        strange = [name for name in sources if name not in index]
        if strange:
            text = f'"{strange[0]}" is no power element of this hub'
            tree.findings.append(("PWR001", (*where, "fed_by"), text))
            continue
        # Positions may be empty: only a pattern that meets nothing at all is a mistake.
        if racks is not None and addresses and not any(address in racks for address in addresses):
            tree.findings.append(("PWR001", (*where, "racks"), f'"{addresses[0]}" is no rack of this hub'))
        side = tree.feeds[entry.side]
        for place, (address, source) in enumerate(
            zip(addresses, _dealt(tree.findings, addresses, sources, (*where, "fed_by")), strict=True)
        ):
            if address in side:
                text = f"the rack {address} has two feeds on side {entry.side.value.upper()}"
                tree.findings.append(("PWR005", (*where, "racks"), text))
            elif source is not None and (racks is None or address in racks):
                side[address] = (index[source], position, place)


def _open_circles(tree: PowerTree) -> None:
    """Cut each circle where it closes, with a finding: everything after this may climb without end otherwise."""
    done = [False] * len(tree.names)
    for start in range(len(tree.names)):
        trail: dict[int, None] = {}
        element = start
        while element >= 0 and not done[element]:
            trail[element] = None
            parent = tree.parents[element]
            if parent in trail:
                circle = [*trail][[*trail].index(parent) :]
                names = " ← ".join(tree.names[item] for item in [*circle, parent])
                tree.findings.append(("PWR003", ("power", tree.entries[element], "fed_by"), names))
                tree.parents[element] = parent = -1
            element = parent
        for item in trail:
            done[item] = True


def _open_switches(tree: PowerTree) -> None:
    """Cut alternates that lead back to their switch, by whatever ways power may come."""
    for switch, other in enumerate(tree.alternates):
        seen: set[int] = set()
        waiting = [other]
        while waiting:
            element = waiting.pop()
            if element < 0 or element in seen:
                continue
            seen.add(element)
            waiting += [tree.parents[element], tree.alternates[element]]
        if switch in seen:
            names = f"{tree.names[switch]} ← {tree.names[other]} ← … ← {tree.names[switch]}"
            tree.findings.append(("PWR003", ("power", tree.entries[switch], "alternate"), names))
            tree.alternates[switch] = -1


def _dealt(findings: list[Finding], names: list[str], above: list[str], where: Path) -> list[str | None]:
    """Who is above each name: equal parts, in order; None for all when the parts would not be equal."""
    if not above or len(names) % len(above):
        if names and above:
            findings.append(("PWR004", where, f"{len(names):,} cannot be dealt in equal parts to {len(above):,}"))
        return [None] * len(names)
    part = len(names) // len(above)
    return [above[position // part] for position in range(len(names))]
