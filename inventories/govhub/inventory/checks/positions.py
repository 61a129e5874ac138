"""Machines at known rack units: no two of them at one, none above the top."""

from __future__ import annotations

from collections import defaultdict

from govhub.core.text import plural
from govhub.inventory.checks.report import Report
from govhub.inventory.topology import Path, PlacedDevice, PlacedHost

Machine = PlacedHost | PlacedDevice


def check(report: Report) -> None:
    """PLC013 a machine where another one stands, or above the rack's top."""
    topology = report.hub.topology
    machines: list[tuple[Machine, Path]] = [(host, ("hosts", host.entry, "unit")) for host in topology.hosts.values()]
    machines += [(device, ("devices", device.entry, "unit")) for device in topology.devices.values()]
    taken: dict[tuple[str, int], str] = {}
    wrong: defaultdict[Path, list[str]] = defaultdict(list)
    for machine, path in machines:
        if machine.unit is None:
            continue
        top = machine.unit + machine.units - 1
        if top > (height := topology.racks[machine.rack].units):
            wrong[path].append(f'"{machine.name}" reaches unit {top} of {height} in the rack {machine.rack}')
            continue
        places = [(machine.rack, unit) for unit in range(machine.unit, top + 1)]
        other = next((taken[place] for place in places if place in taken), None)
        if other:
            wrong[path].append(f'"{machine.name}" stands where "{other}" does, in the rack {machine.rack}')
        taken |= dict.fromkeys(places, machine.name)
    for path, texts in wrong.items():
        more = f" (and {plural(len(texts) - 1, 'machine')} more)" if texts[1:] else ""
        report.error("PLC013", path, texts[0] + more, hint="correct `unit`, or leave it out where it is not known")
