"""Racks and hosts: what could not be placed, and racks that hold more than they carry."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from govhub.core.text import plural
from govhub.inventory.checks.report import Report
from govhub.inventory.model.common import LABEL
from govhub.inventory.model.migration import Source
from govhub.inventory.topology import Path, PlacedDevice, PlacedHost, PlacedRack

MAX_LABEL = 63
_LABEL = re.compile(LABEL)
_HINTS = {
    "PLC001": "write a range like {01..12} or a list like {a,b}",
    "PLC002": "let the patterns of the rows not meet",
    "PLC003": "let the patterns of the hosts not meet: a host has one place",
    "PLC004": "name racks as row/rack, as the rows of this hall spell them",
    "PLC005": "name racks as site/hall/row/rack, as the sites spell them",
    "PLC006": "split the hub, or check the ranges for a digit too many",
    "PLC008": "give one address a host, such as 10.0.0.{11..14}",
}


@dataclass(slots=True)
class _Load:
    """What stands in one rack: rack units, kg and W, and how much of it each entry put there."""

    units: int = 0
    kg: float = 0.0
    watts: float = 0.0
    entries: dict[Path, int] = field(default_factory=dict)

    def take(self, what: PlacedHost | PlacedDevice | Source, path: Path) -> None:
        self.units += what.units
        self.kg += what.kg
        self.watts += what.watts
        self.entries[path] = self.entries.get(path, 0) + 1

    def main_entry(self) -> Path:
        """The entry that put most hosts here; the later one among equals, because it came on top."""
        return max(self.entries, key=lambda path: (self.entries[path], str(path[0]), int(path[1])))


def check(report: Report) -> None:
    """PLC001 to PLC006, PLC008 from the topology, PLC007 names, PLC010 height, PLC011 weight, PLC012 power of racks."""
    topology = report.hub.topology
    hosts, devices, racks = (
        topology.hosts,
        topology.devices,
        topology.racks,
    )  # expanding them is what fills the findings
    groups: defaultdict[tuple[str, Path], list[str]] = defaultdict(list)
    for code, path, text in topology.findings:
        groups[code, path].append(text)
    for (code, path), texts in groups.items():
        more = f" (and {len(texts) - 1:,} more)" if texts[1:] else ""
        report.error(code, path, texts[0] + more, hint=_HINTS[code])
    _rack_names(report, racks.values())
    _host_names(report, hosts.values())
    _overfull(report, racks, hosts.values(), devices.values())


def _is_label(name: str) -> bool:
    return len(name) <= MAX_LABEL and _LABEL.fullmatch(name) is not None


def _rack_names(report: Report, racks: Iterable[PlacedRack]) -> None:
    bad: dict[str, str] = {}
    for hall, name in {(f"{rack.site}/{rack.hall}", part) for rack in racks for part in (rack.row, rack.name)}:
        if not _is_label(name):
            bad[hall] = min(name, bad.get(hall, name))
    for i, site in enumerate(report.model.sites):
        for j, hall_model in enumerate(site.halls):
            if name := bad.get(f"{site.name}/{hall_model.name}", ""):
                _bad_name(report, ("sites", i, "halls", j, "rows"), "row or rack", name)


def _host_names(report: Report, hosts: Iterable[PlacedHost]) -> None:
    bad: dict[int, str] = {}
    for host in hosts:
        if not _is_label(host.name):
            bad.setdefault(host.entry, host.name)
    for entry, name in bad.items():
        _bad_name(report, ("hosts", entry, "names"), "host", name)


def _bad_name(report: Report, path: Path, kind: str, name: str) -> None:
    hint = f"use lower-case letters, digits and hyphens, {MAX_LABEL} at most: names become labels of nodes (RFC 1123)"
    report.error("PLC007", path, f'"{name}" is no name for a {kind}', hint=hint)


def _overfull(
    report: Report, racks: dict[str, PlacedRack], hosts: Iterable[PlacedHost], devices: Iterable[PlacedDevice]
) -> None:
    loads: defaultdict[str, _Load] = defaultdict(_Load)
    for host in hosts:
        loads[host.rack].take(host, ("hosts", host.entry, "racks"))
    for device in devices:
        loads[device.rack].take(device, ("devices", device.entry, "racks"))
    for index, source in enumerate(report.model.sources):
        path: Path = ("sources", index, "rack")
        if source.rack is None:
            continue
        if source.rack in racks:
            loads[source.rack].take(source, path)
        else:
            report.unknown(path, "rack", source.rack, racks)
    # One mistake in a `hosts` entry overfills many racks: one diagnostic an entry and kind.
    groups: defaultdict[tuple[str, Path], list[tuple[str, str]]] = defaultdict(list)
    for address, load in loads.items():
        for code, text in _excesses(racks[address], load):
            main = load.main_entry()
            groups[code, main].append((address, text))
    for (code, where), found in groups.items():
        address, text = found[0]
        more = f" (and {plural(len(found) - 1, 'rack')} more)" if found[1:] else ""
        report.error(
            code,
            where,
            f"the rack {address} is overfull: {text}{more}",
            hint="spread the hosts over more racks, or correct what the rack or the host is rated for",
        )


def _excesses(rack: PlacedRack, load: _Load) -> list[tuple[str, str]]:
    found = []
    if load.units > rack.units:
        found.append(("PLC010", f"{load.units} of {rack.units} rack units"))
    if load.kg > rack.max_kg + 1e-6:
        found.append(("PLC011", f"{load.kg:g} of {rack.max_kg:g} kg"))
    if load.watts > rack.rated_kw * 1000 + 1e-6:
        found.append(("PLC012", f"{load.watts / 1000:g} of {rack.rated_kw:g} kW"))
    return found
