"""What stands in each rack: units, weight and draw of hosts, devices and sources, as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Source
from govhub.inventory.topology import PlacedDevice, PlacedHost
from govhub.monitoring.arithmetic.figure import Bools, Floats, Ints, summed

Machine = PlacedHost | PlacedDevice | Source


@dataclass(frozen=True, slots=True)
class Loads:
    """One entry a rack."""

    machines: Ints
    """How many machines stand in it."""
    units: Floats
    kg: Floats
    dual: Floats
    """W of machines with two supplies."""
    single: Floats
    """W of machines with one."""
    watts: Floats
    """All of the declared draw."""
    outlets: Floats
    """Outlets taken on one side."""
    occupied: NDArray[np.uint64]
    """Bit ``i`` for rack unit ``i + 1``, of machines whose unit is known."""
    positioned: Bools
    """Whether the units of all its machines are known; an empty rack's are."""


def loads_of(hub: Hub, place: Mapping[str, int]) -> Loads:
    """Sum up the machines of ``hub``; ``place`` is each rack's place in the columns."""
    machines = list(_machines(hub))
    at = np.array([place[address] for address, _ in machines], dtype=np.int64)
    units = np.array([machine.units for _, machine in machines], dtype=np.float64)
    watts = np.array([machine.watts for _, machine in machines], dtype=np.float64)
    kg = np.array([machine.kg for _, machine in machines], dtype=np.float64)
    dual = np.array([getattr(machine, "cords", 2) == 2 for _, machine in machines], dtype=bool)
    count = len(place)

    # Plain numbers: one at a time, numpy's own are ten times slower.
    occupied, positioned = [0] * count, [True] * count
    for address, machine in machines:
        unit = getattr(machine, "unit", None)
        if unit is None:
            positioned[place[address]] = False
        else:
            occupied[place[address]] |= ((1 << machine.units) - 1) << (unit - 1)
    dual_watts, single_watts = summed(at, watts * dual, count), summed(at, watts * ~dual, count)
    return Loads(
        machines=np.bincount(at, minlength=count),
        units=summed(at, units, count),
        kg=summed(at, kg, count),
        dual=dual_watts,
        single=single_watts,
        watts=dual_watts + single_watts,
        outlets=summed(at, np.ones(len(machines)), count),
        occupied=np.array(occupied, dtype=np.uint64),
        positioned=np.array(positioned, dtype=bool),
    )


def _machines(hub: Hub) -> Iterator[tuple[str, Machine]]:
    for host in hub.topology.hosts.values():
        yield host.rack, host
    for device in hub.topology.devices.values():
        yield device.rack, device
    for source in hub.model.sources:
        if source.rack:
            yield source.rack, source
