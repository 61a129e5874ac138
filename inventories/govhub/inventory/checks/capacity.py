"""Whether each cluster's hosts carry the quotas that were promised on it, also when a rack is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from govhub.inventory import sizing
from govhub.inventory.checks.report import Report
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.tenancy import Service, Tenant
from govhub.inventory.sizing import Amount
from govhub.inventory.topology import Path, PlacedHost

HINT = "add hosts, choose smaller quota classes, or raise hub.overcommit if the load allows it"


def check(report: Report) -> None:
    """CAP001 quotas above the capacity, CAP002 above it without the largest rack, CAP005 capacity unknown."""
    hosts = workers(report.hub.topology.hosts.values())
    promised = _promised(report)
    for position, cluster in enumerate(report.model.clusters):
        path: Path = ("clusters", position)
        nodes = hosts.get(cluster.name)
        if not nodes:
            report.warning(
                "CAP005",
                path,
                f'the capacity of cluster "{cluster.name}" is unknown: it has no worker hosts here',
                hint=f"add hosts with `cluster: {cluster.name}`; nothing on it can be checked for capacity until then",
            )
            continue
        needs = promised[cluster.name]
        if short := needs.shortages(_offer(report, sizing.capacity_of(nodes))):
            summary = f'the quotas on cluster "{cluster.name}" exceed what its hosts offer: {", ".join(short)}'
            report.error("CAP001", path, summary, detail=_overcommit(report), hint=HINT)
        else:
            _without_a_rack(report, path, cluster.name, needs, nodes)


def workers(hosts: Iterable[PlacedHost]) -> dict[str, list[PlacedHost]]:
    """The worker nodes of each cluster that has any."""
    found: defaultdict[str, list[PlacedHost]] = defaultdict(list)
    for host in hosts:
        if host.cluster and host.role is HostRole.WORKER:
            found[host.cluster].append(host)
    return dict(found)


def _promised(report: Report) -> defaultdict[str, Amount]:
    """The sum of all quotas by cluster; parts with unknown class or cluster are reported elsewhere."""
    index = report.index
    total: defaultdict[str, Amount] = defaultdict(Amount)
    parts: list[Tenant | Service] = [*report.model.tenants, *report.model.services]
    for part in parts:
        cluster = index.cluster_of(part)
        if cluster and part.quota in index.quota_classes:
            total[cluster] += sizing.quota_of(report.model, part)
    return total


def _offer(report: Report, capacity: Amount) -> Amount:
    return sizing.overcommitted(capacity, report.model.hub.overcommit)


def _overcommit(report: Report) -> str:
    over = report.model.hub.overcommit
    return f"overcommitment counted in: cpu {over.cpu:g}, memory {over.memory:g}"


def _without_a_rack(report: Report, path: Path, cluster: str, needs: Amount, nodes: list[PlacedHost]) -> None:
    """The rack with most cores need not be the one with most memory, so each dimension loses its own worst rack."""
    racks = sizing.capacity_by_rack(nodes)
    whole = sizing.capacity_of(nodes)
    short: defaultdict[str, list[str]] = defaultdict(list)
    for dimension in sizing.DIMENSIONS:
        rack = sizing.largest(racks, dimension)
        left = _offer(report, whole - racks[rack])
        if needs.of(dimension) > left.of(dimension):
            short[rack].append(sizing.shortage(dimension, needs.of(dimension), left.of(dimension)))
    for rack, texts in short.items():
        report.error(
            "CAP002",
            path,
            f'without the rack {rack}, the quotas on cluster "{cluster}" exceed what is left: {", ".join(texts)}',
            detail=_overcommit(report),
            hint="spread the hosts over more racks, or " + HINT,
        )
