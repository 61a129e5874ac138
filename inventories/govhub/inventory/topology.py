"""Racks and hosts, expanded from their patterns.

Kept as small slotted objects: 80,000 racks load in well under a second. Problems in patterns are
collected by :mod:`govhub.inventory.checks.places`; here a broken pattern simply yields nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from govhub.core.quantities import bytes_of
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.place import Hall, Rack, RackOverride, Site
from govhub.inventory.model.root import HubFile
from govhub.inventory.patterns import PatternError, expand

Path = tuple[str | int, ...]
MAX_NAMES = 4_000_000
"""Names that all patterns of a hub may stand for together: 80,000 racks and their hosts many times over."""


@dataclass(frozen=True, slots=True)
class PlacedRack:
    """One rack at its place; ``address`` is ``site/hall/row/rack``."""

    address: str
    site: str
    hall: str
    row: str
    name: str
    units: int
    rated_kw: float
    max_kg: float
    standard_racks: float
    """How many standard racks it counts as in published figures."""
    outlets: int | None = None
    """Outlets of each side; None when unknown."""
    ports: int | None = None
    """Cabled network ports; None when unknown."""


@dataclass(frozen=True, slots=True)
class PlacedDevice:
    """One device other than a host, in its rack."""

    name: str
    rack: str
    type: str
    role: str
    units: int
    watts: float
    kg: float
    cords: int
    unit: int | None
    """Lowest rack unit; None when unknown."""
    entry: int
    """Index of the ``devices`` entry it comes from."""


@dataclass(frozen=True, slots=True)
class PlacedHost:
    """One host in its rack; ``millicores`` and ``memory`` (bytes) are what it offers."""

    name: str
    rack: str
    role: HostRole
    cluster: str
    pool: str
    arch: str
    millicores: int
    memory: int
    accelerator: str
    accelerators: int
    units: int
    watts: int
    kg: float
    address: str
    """Management address; empty when none is declared."""
    lab: bool
    entry: int
    """Index of the ``hosts`` entry it comes from; leads to its position in the file."""
    serial: str = ""
    """Serial number of the machine; empty when it is not known."""
    bmc: str = ""
    """Management controller; empty when none is known."""
    cords: int = 2
    """1 when it goes dark with side A of its rack."""
    unit: int | None = None
    """Lowest rack unit; None when unknown."""

    @property
    def row(self) -> str:
        """``site/hall/row``."""
        return self.rack.rpartition("/")[0]


class Topology:
    """The hub's racks and hosts by address and name; built on first use."""

    def __init__(self, model: HubFile) -> None:
        self._model = model
        self.findings: list[tuple[str, Path, str]] = []
        """``(code, path into the model, message)`` of everything that could not be placed."""
        self._names = 0

    @cached_property
    def racks(self) -> dict[str, PlacedRack]:
        """All racks by address."""
        placed: dict[str, PlacedRack] = {}
        for s, site in enumerate(self._model.sites):
            for h, hall in enumerate(site.halls):
                self._hall(placed, site, hall, ("sites", s, "halls", h))
        return placed

    @cached_property
    def hosts(self) -> dict[str, PlacedHost]:
        """All hosts by name."""
        placed: dict[str, PlacedHost] = {}
        for index, entry in enumerate(self._model.hosts):
            where: Path = ("hosts", index)
            names = self._expand(entry.names, (*where, "names"))
            racks = self._known_racks(entry.racks, (*where, "racks"))
            if not racks:
                continue
            addresses = self._expand(entry.addresses, (*where, "addresses")) if entry.addresses else []
            if addresses and len(addresses) != len(names):
                text = f"{len(names)} hosts have {len(addresses)} addresses"
                self.findings.append(("PLC008", (*where, "addresses"), text))
                addresses = []
            memory = bytes_of(entry.memory)
            cards = entry.accelerators
            for position, name in enumerate(names):
                if name in entry.retired:
                    # Passed over, not left out: the places of those after it are counted from it.
                    continue
                machine = entry.machines.get(name)
                if name in placed:
                    self.findings.append(("PLC003", (*where, "names"), f'the host "{name}" is declared twice'))
                    continue
                placed[name] = PlacedHost(
                    name=name,
                    rack=racks[position % len(racks)],
                    role=entry.role,
                    cluster=entry.cluster or "",
                    pool=entry.pool or "",
                    arch=entry.arch.value,
                    millicores=entry.cores * 1000,
                    memory=memory,
                    accelerator=cards.resource if cards else "",
                    accelerators=cards.count if cards else 0,
                    units=entry.units,
                    watts=entry.watts,
                    kg=entry.kg,
                    address=addresses[position] if addresses else "",
                    lab=entry.lab,
                    entry=index,
                    serial=machine.serial if machine else "",
                    bmc=(machine.bmc or "") if machine else "",
                    cords=entry.cords,
                    unit=_unit(entry.unit, entry.units, position // len(racks)),
                )
        return placed

    @cached_property
    def devices(self) -> dict[str, PlacedDevice]:
        """All devices other than hosts, by name; those of an unknown type are left out."""
        placed: dict[str, PlacedDevice] = {}
        types = {kind.name: kind for kind in reversed(self._model.device_types)}
        for index, entry in enumerate(self._model.devices):
            where: Path = ("devices", index)
            names = self._expand(entry.names, (*where, "names"))
            racks = self._known_racks(entry.racks, (*where, "racks"))
            kind = types.get(entry.type)
            if not racks or kind is None:
                continue
            for position, name in enumerate(names):
                if name in placed or name in self.hosts:
                    self.findings.append(("PLC003", (*where, "names"), f'the device "{name}" is declared twice'))
                    continue
                unit = _unit(entry.unit, kind.units, position // len(racks))
                at = racks[position % len(racks)]
                sizes = (kind.units, kind.watts, kind.kg, kind.cords)
                placed[name] = PlacedDevice(name, at, kind.name, entry.role.value, *sizes, unit, index)
        return placed

    def nodes(self, cluster: str) -> list[PlacedHost]:
        """The hosts that are worker nodes of ``cluster``."""
        return [host for host in self.hosts.values() if host.cluster == cluster and host.role is HostRole.WORKER]

    def _hall(self, placed: dict[str, PlacedRack], site: Site, hall: Hall, where: Path) -> None:
        prefix = f"{site.name}/{hall.name}"
        overridden = [
            self._expand(override.racks, (*where, "overrides", index, "racks"))
            for index, override in enumerate(hall.overrides)
        ]
        changed: dict[str, RackOverride] = {}
        for override, names in zip(hall.overrides, overridden, strict=True):
            changed |= dict.fromkeys((name for name in names if not _gone(changed, name)), override)
        seen: set[str] = set()
        for index, run in enumerate(hall.rows):
            rows = self._expand(run.names, (*where, "rows", index, "names"))
            racks = self._expand(run.racks, (*where, "rows", index, "racks"))
            if not self._affordable(len(rows) * len(racks), (*where, "rows", index, "names")):
                continue
            for name in (f"{row}/{rack}" for row in rows for rack in racks):
                if name in seen:
                    text = f'the rack "{prefix}/{name}" is declared twice'
                    self.findings.append(("PLC002", (*where, "rows", index, "names"), text))
                    continue
                seen.add(name)
                if not _gone(changed, name):
                    address = f"{prefix}/{name}"
                    placed[address] = _rack(address, run.rack, changed.get(name))
        for index, names in enumerate(overridden):
            missing = [name for name in names if name not in seen]
            if missing:
                text = f'the override names "{missing[0]}", which no row of {prefix} has'
                self.findings.append(("PLC004", (*where, "overrides", index, "racks"), text))

    def _known_racks(self, pattern: str, where: Path) -> list[str]:
        names = self._expand(pattern, where)
        unknown = [name for name in names if name not in self.racks]
        if unknown:
            text = f'"{unknown[0]}" is no rack of this hub' + (f" (and {len(unknown) - 1} more)" if unknown[1:] else "")
            self.findings.append(("PLC005", where, text))
        return [name for name in names if name in self.racks]

    def _expand(self, pattern: str, where: Path) -> list[str]:
        if self._names > MAX_NAMES:
            return []
        try:
            names = expand(pattern)
        except PatternError as error:
            self.findings.append(("PLC001", where, str(error)))
            return []
        return names if self._affordable(len(names), where) else []

    def _affordable(self, more: int, where: Path) -> bool:
        """Whether the hub stays below ``MAX_NAMES``; the first pattern that goes beyond is a finding."""
        if self._names > MAX_NAMES:
            return False
        self._names += more
        if self._names > MAX_NAMES:
            self.findings.append(("PLC006", where, f"the patterns of this hub stand for more than {MAX_NAMES:,} names"))
        return self._names <= MAX_NAMES


def _gone(changed: dict[str, RackOverride], name: str) -> bool:
    """Whether the position is empty; no later override brings it back."""
    return name in changed and changed[name].removed


def _rack(address: str, rack: Rack, override: RackOverride | None) -> PlacedRack:
    units, kw, kg = rack.units, rack.rated_kw, rack.max_kg
    outlets, ports = rack.outlets, rack.ports
    if override:
        units, kw, kg = override.units or units, override.rated_kw or kw, override.max_kg or kg
        outlets, ports = override.outlets or outlets, override.ports or ports
    site, hall, row, name = address.split("/")
    rest = (rack.standard_racks, outlets, ports)
    return PlacedRack(address, site, hall, row, name, units, kw, kg, *rest)


def _unit(first: int | None, units: int, below: int) -> int | None:
    """Where the machine stands that has ``below`` others of its run under it."""
    return None if first is None else first + below * units
