"""Address ranges: no two of them overlap by mistake, and each zone has one."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from govhub.inventory.checks.report import Report
from govhub.inventory.model.network import Prefix

Net = IPv4Network | IPv6Network


def check(report: Report) -> None:
    """NET001 overlapping prefixes, NET002 zones without a prefix."""
    prefixes = report.model.prefixes
    told: set[int] = set()
    for inner, outer in overlaps([prefix.cidr for prefix in prefixes]):
        if inner not in told and not _meant(prefixes[inner], prefixes[outer]):
            told.add(inner)
            _overlap(report, inner, outer)
    owned = {prefix.zone for prefix in prefixes}
    for position, zone in enumerate(report.model.zones):
        if zone.name not in owned:
            report.error(
                "NET002",
                ("zones", position),
                f'the zone "{zone.name}" has no prefix',
                detail="flows from and to a zone are allowed by its prefixes; without one they allow nothing",
                hint=f"add a prefix with `zone: {zone.name}`",
            )


def overlaps(networks: list[Net]) -> Iterator[tuple[int, int]]:
    """Positions ``(inner, outer)`` of networks where one lies in the other, or equals it; the closest outer first.

    Sorted by first address and length, the networks around one of them form a stack, which is no
    higher than there are prefix lengths: n log n in all.
    """
    around: list[int] = []
    for here in sorted(range(len(networks)), key=lambda position: _order(networks[position])):
        while around and not _contains(networks[around[-1]], networks[here]):
            around.pop()
        yield from ((here, outer) for outer in reversed(around))
        if not around or networks[around[-1]] != networks[here]:
            around.append(here)


def _order(network: Net) -> tuple[int, int, int]:
    return (network.version, int(network.network_address), network.prefixlen)


def _contains(outer: Net, inner: Net) -> bool:
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and int(inner.network_address) >> (inner.max_prefixlen - outer.prefixlen)
        == int(outer.network_address) >> (outer.max_prefixlen - outer.prefixlen)
    )


def _meant(inner: Prefix, outer: Prefix) -> bool:
    """A container and what stands inside it: same zone, and not for the same purpose."""
    return inner.cidr != outer.cidr and inner.zone == outer.zone and inner.purpose is not outer.purpose


def _overlap(report: Report, inner: int, outer: int) -> None:
    first, second = report.model.prefixes[inner], report.model.prefixes[outer]
    later = max(inner, outer)
    report.error(
        "NET001",
        ("prefixes", later, "cidr"),
        f"the prefix {first.cidr} ({_use(first)}) overlaps {second.cidr} ({_use(second)})",
        detail=f"the other one: {report.hub.at('prefixes', min(inner, outer), 'cidr')}",
        hint="take a free range; only a container of the same zone and another purpose may hold it",
    )


def _use(prefix: Prefix) -> str:
    return f"{prefix.purpose.value}, zone {prefix.zone}"
