"""The machine that is to be placed, by size or by type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govhub.inventory.model.compute import Hosts
from govhub.inventory.model.fabric import DeviceType, Ports


@dataclass(frozen=True, slots=True)
class Need:
    """What one machine takes of a rack and of what feeds it."""

    name: str
    units: int = 2
    watts: float = 800.0
    """Rated draw; each of two supplies carries all of it when the other side is lost."""
    kg: float = 30.0
    cords: int = 2
    """2 takes an outlet on each side, 1 an outlet on side A (or on the only side)."""
    ports: tuple[tuple[float, str, int], ...] = ()
    """``(Gbit/s, media or "", count)``; empty when unknown: ports are not looked at then."""

    @property
    def port_count(self) -> int | None:
        """Ports of all speeds; None when unknown."""
        return sum(count for _, _, count in self.ports) if self.ports else None


BUILT_IN = {
    need.name: need
    for need in (
        Need("server", 2, 800.0, 30.0),
        Need("server-1u", 1, 500.0, 18.0),
        Need("storage", 4, 1200.0, 60.0),
        Need("ai-server", 4, 4600.0, 90.0),
        Need("switch", 1, 350.0, 12.0),
    )
}
"""Sizes that are usual on the market, ours: for what is not in the hub yet."""


def of_host(name: str, entry: Hosts) -> Need:
    """One host of a run."""
    return Need(name, entry.units, float(entry.watts), entry.kg, entry.cords, ports_of(entry.ports))


def of_device(kind: DeviceType) -> Need:
    """One device of a type; its own ports look at other devices, so none are taken in the rack."""
    return Need(kind.name, kind.units, kind.watts, kind.kg, kind.cords)


def ports_of(ports: Sequence[Ports]) -> tuple[tuple[float, str, int], ...]:
    """Declared ports as plain values."""
    return tuple((port.gbps, port.media.value if port.media else "", port.count) for port in ports)
