"""One rack, unit by unit, with its machines and feeds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from govhub.inventory.model.power import Side
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls
from govhub.monitoring.rows import rack_rows
from govhub.monitoring.web.source import Document


class Elevations:
    """The machines of a hub by rack; built once, racks are asked for one by one."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        hub = columns.hub
        self._machines: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for host in hub.topology.hosts.values():
            more: dict[str, Any] = {"role": host.role.value, "cluster": host.cluster or None, "pool": host.pool or None}
            more |= {"accelerators": host.accelerators or None}
            self._machines[host.rack].append(_machine("host", host.name, host, host.unit) | more)
        for device in hub.topology.devices.values():
            more = {"role": device.role, "type": device.type}
            self._machines[device.rack].append(_machine("device", device.name, device, device.unit) | more)
        for source in hub.model.sources:
            if source.rack:
                self._machines[source.rack].append(_machine("source", source.name, source, None))

    def rack(self, halls: Halls, address: str) -> Document | None:
        """The rack's row, its machines from the top, and its feeds; None when there is no such rack.

        A machine whose unit is not known has ``unit`` None: it stands somewhere, and the gap is unknown.
        """
        columns = self.columns
        place = columns.place.get(address)
        if place is None:
            return None
        inside = np.zeros(len(columns.racks.addresses), dtype=bool)
        inside[place] = True
        (row,) = rack_rows(halls, inside, "name")
        machines = sorted(self._machines.get(address, []), key=lambda item: (-(item["unit"] or 0), item["name"]))
        measured = float(halls.measured.watts[place])
        near = columns.racks.addresses
        return {
            **row,
            "hall": columns.halls[int(columns.racks.hall[place])],
            "measured_watts": None if np.isnan(measured) else round(measured, 1),
            "before": near[place - 1] if place else None,
            "after": near[place + 1] if place + 1 < len(near) else None,
            "contents": machines,
            "feeds": [self._feed(address, place, side) for side in Side],
        }

    def _feed(self, address: str, place: int, side: Side) -> dict[str, Any]:
        columns = self.columns
        found = columns.tree.feeds[side].get(address)
        if found is None:
            return {"side": side.value, "path": [], "breaker_watts": None, "phases": None, "phase": None}
        leaf, entry, _ = found
        feed = columns.model.feeds[entry]
        breaker = columns.breakers[0 if side is Side.A else 1][place]
        phase = (columns.feeds.phase_a if side is Side.A else columns.feeds.phase_b)[place]
        return {
            "side": side.value,
            "path": [columns.elements.names[item] for item in columns.tree.above(leaf)],
            "breaker_watts": None if np.isnan(breaker) else round(float(breaker), 1),
            "breaker_amps": feed.breaker_amps,
            "phases": feed.phases,
            "phase": f"L{int(phase) + 1}" if phase < 3 else None,
        }


def _machine(kind: str, name: str, machine: Any, unit: int | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "unit": unit,
        "units": machine.units,
        "watts": machine.watts,
        "kg": machine.kg,
        "cords": getattr(machine, "cords", 2),
    }
