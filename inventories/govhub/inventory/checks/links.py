"""Links between devices: both ends exist, and have free ports of the link's speed that take its media."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from govhub.inventory.checks.report import Report
from govhub.inventory.model.fabric import Links, Media, Ports, PortUse, meets, takes
from govhub.inventory.patterns import PatternError, expand
from govhub.inventory.topology import Path


@dataclass(slots=True)
class _End:
    """The ports of one machine by speed and direction, and how many of them links need."""

    ports: list[Ports]
    needed: dict[float, int] = field(default_factory=dict)

    def has(self, gbps: float, use: PortUse) -> int:
        fitting = (port.count for port in self.ports if port.gbps == gbps and port.use in (use, PortUse.ANY))
        return sum(fitting)

    def media(self, gbps: float, use: PortUse) -> set[Media | None]:
        """What the ports are made of that may carry the link; None stands for not known."""
        return {port.media for port in self.ports if port.gbps == gbps and port.use in (use, PortUse.ANY)}

    def of_speed(self, gbps: float) -> int:
        return sum(port.count for port in self.ports if port.gbps == gbps)


def check(report: Report) -> None:
    """LNK001 no port of the link's speed on an end, LNK002 more links than ports, LNK003 media that do not meet."""
    if not report.model.links:
        return
    ends = _ends(report)
    for position, link in enumerate(report.model.links):
        lower = _members(report, ("links", position, "lower"), link.lower, ends)
        upper = _members(report, ("links", position, "upper"), link.upper, ends)
        if lower and upper:
            _speed(report, ("links", position, "lower"), link, lower, ends, PortUse.UP)
            _speed(report, ("links", position, "upper"), link, upper, ends, PortUse.DOWN)
            _media(report, ("links", position), link, ends, lower, upper)
            _need(report, ("links", position), link, ends, lower, upper)


def _ends(report: Report) -> dict[str, _End]:
    """Every host and device by name."""
    types = {kind.name: kind.ports for kind in reversed(report.model.device_types)}
    topology = report.hub.topology
    found = {name: _End(report.model.hosts[host.entry].ports) for name, host in topology.hosts.items()}
    return found | {name: _End(types[device.type]) for name, device in topology.devices.items()}


def _members(report: Report, path: Path, pattern: str, ends: dict[str, _End]) -> list[str]:
    try:
        names = expand(pattern)
    except PatternError as error:
        report.error("PLC001", path, str(error), hint="write a range like {01..12} or a list like {a,b}")
        return []
    unknown = [name for name in names if name not in ends]
    if unknown:
        report.unknown(path, "host or device", unknown[0], ends)
    return [] if unknown else names


def _speed(report: Report, path: Path, link: Links, names: list[str], ends: dict[str, _End], use: PortUse) -> None:
    for name in names:
        ports = ends[name].ports
        # Ports that are not declared are unknown, not missing.
        if ports and not ends[name].has(link.gbps, use):
            have = ", ".join(f"{port.count} × {port.gbps:g} Gbit/s {port.use.value}" for port in ports)
            report.error(
                "LNK001",
                path,
                f'"{name}" has no port of {link.gbps:g} Gbit/s for the link "{link.name}"',
                detail=f"its ports: {have}",
                hint="correct `gbps` of the link or the ports of the device: both ends run at one speed",
            )
            return


def _media(report: Report, path: Path, link: Links, ends: dict[str, _End], lower: list[str], upper: list[str]) -> None:
    """The first end that does not take the link's media; else the first pair whose ports no cable joins."""
    sides = (("lower", lower, PortUse.UP), ("upper", upper, PortUse.DOWN))
    kinds = [{name: ends[name].media(link.gbps, use) for name in names} for _, names, use in sides]
    for (side, _, _), known in zip(sides, kinds, strict=True):
        for name, found in known.items():
            if found and link.media and not any(takes(media, link.media) for media in found):
                summary = f'"{name}" has ports of {_words(found)}, and the link "{link.name}" is {link.media.value}'
                hint = "correct `media` of the link or the ports, or take a device type with other cages"
                report.error("LNK003", (*path, side), summary, hint=hint)
                return
    # Equal devices have equal ports: few pairs are really different.
    firsts = [{frozenset(found): name for name, found in reversed(known.items()) if found} for known in kinds]
    for below, one in firsts[0].items():
        for above, other in firsts[1].items():
            if not any(meets(media, facing) for media in below for facing in above):
                summary = f'no cable joins {_words(below)} of "{one}" and {_words(above)} of "{other}"'
                report.error("LNK003", path, summary, hint="correct `media` of the ports, or link other devices")
                return


def _words(found: Iterable[Media | None]) -> str:
    return ", ".join(sorted(media.value for media in found if media)) or "unknown media"


def _need(report: Report, path: Path, link: Links, ends: dict[str, _End], lower: list[str], upper: list[str]) -> None:
    short: defaultdict[str, list[str]] = defaultdict(list)
    for names, others in ((lower, upper), (upper, lower)):
        for name in names:
            end = ends[name]
            before = end.needed.get(link.gbps, 0)
            end.needed[link.gbps] = needed = before + link.count * len(others)
            have = end.of_speed(link.gbps)
            if have and needed > have >= before:
                short[f"{needed} of {have} ports of {link.gbps:g} Gbit/s"].append(name)
    for text, names in short.items():
        more = f" (and {len(names) - 1} more)" if names[1:] else ""
        hint = "lower `count`, or use a device type with more ports"
        report.error("LNK002", path, f'the link "{link.name}" needs {text} on "{names[0]}"{more}', hint=hint)
