"""Compute of the hub: headroom of pools without a rack, departments from quota to watts, and the three powers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from govhub.core.quantities import bytes_of
from govhub.inventory import sizing
from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.fabric import CircuitKind
from govhub.inventory.model.tenancy import System
from govhub.inventory.topology import PlacedHost
from govhub.monitoring.arithmetic.figure import Figure, Floats, Ints, amount, unknown
from govhub.monitoring.arithmetic.headroom import after_rack_loss
from govhub.monitoring.arithmetic.shares import waterfall, watts_of_owners


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod as a cluster tells it."""

    tenant: str
    node: str
    """Empty while it waits for a node."""
    millicores: int
    """Requested."""
    used: float | None = None
    """Millicores in use; None when nobody measured."""


def pool_headroom(hub: Hub) -> list[dict[str, object]]:
    """Requests of each pool against its nodes without the worst rack; those of no pool stand at the cluster's.

    What is declared is counted in all environments; workloads that name no pool may run on any node of the cluster.
    """
    hosts: defaultdict[tuple[str, str, str], list[PlacedHost]] = defaultdict(list)
    for host in hub.topology.hosts.values():
        if host.cluster and host.role is HostRole.WORKER:
            hosts[host.cluster, host.pool, host.arch].append(host)
            hosts[host.cluster, "", ""].append(host)
    requests = _requests(hub)
    out: list[dict[str, object]] = []
    for (cluster, pool, arch), nodes in sorted(hosts.items()):
        asked = sum((found for key, found in requests.items() if key[0] == cluster and pool in ("", key[1])), 0)
        names = sorted({host.rack for host in nodes})
        places = {name: place for place, name in enumerate(names)}
        racks = np.array([places[host.rack] for host in nodes], dtype=np.int64)
        cores = np.array([host.millicores / 1000 for host in nodes])
        figure = after_rack_loss(cores, racks, asked / 1000, "cores", names)
        out.append({"cluster": cluster, "pool": pool, "arch": arch, "nodes": len(nodes), "cores": figure})
    return out


def _requests(hub: Hub) -> dict[tuple[str, str], int]:
    """Millicores that are declared, by cluster and pool (empty for any)."""
    index = Index(hub.model)
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for _, owner in index.owners():
        cluster = index.cluster_of(owner)
        if cluster is None:
            continue
        environments = (
            [index.environments[name].production for name in owner.environments if name in index.environments]
            if isinstance(owner, System)
            else [True]
        )
        for workload in owner.workloads:
            for production in environments:
                found[cluster, workload.pool or ""] += sizing.requests_of(workload, production).millicores
    return dict(found)


def departments(hub: Hub, pods: Sequence[Pod] | None = None) -> list[dict[str, object]]:
    """Quota, requests, usage and watts of each department, in cores and W.

    With ``pods`` the requests, usage and watts are those of the cluster; without them, requests are those that the hub
    declares, and usage and watts are unknown.
    """
    tenants = [tenant.name for tenant in hub.model.tenants]
    quotas = [sizing.quota_of(hub.model, tenant).millicores / 1000 for tenant in hub.model.tenants]
    if pods is None:
        declared = _declared(hub)
        return [
            _department(name, quota, amount(declared.get(name, 0) / 1000, quota, "cores"), None, None)
            for name, quota in zip(tenants, quotas, strict=True)
        ]
    place = {name: number for number, name in enumerate(tenants)}
    mine = [pod for pod in pods if pod.tenant in place]
    owner = np.array([place[pod.tenant] for pod in mine], dtype=np.int64)
    asked = np.array([pod.millicores / 1000 for pod in mine], dtype=np.float64)
    used = np.array([np.nan if pod.used is None else pod.used / 1000 for pod in mine], dtype=np.float64)
    sums, usage, known, parts = waterfall(owner, asked, used, len(tenants))
    watts = _watts(hub, mine, owner, asked, len(tenants))
    out = []
    for number, (name, quota) in enumerate(zip(tenants, quotas, strict=True)):
        use = Figure(
            unit="cores",
            numerator=float(usage[number]) if known[number] else None,
            denominator=float(sums[number]) if known[number] else None,
            known=int(known[number]),
            parts=int(parts[number]),
        )
        out.append(_department(name, quota, amount(float(sums[number]), quota, "cores"), use, float(watts[number])))
    return out


def _department(
    name: str, quota: float, requests: Figure, usage: Figure | None, watts: float | None
) -> dict[str, object]:
    return {
        "tenant": name,
        "quota_cores": quota,
        "requests": requests,
        "usage": usage or unknown("cores"),
        "watts": watts,
    }


def _watts(hub: Hub, pods: list[Pod], owner: Ints, asked: Floats, owners: int) -> Floats:
    hosts = list(hub.topology.hosts.values())
    nodes = {host.name: number for number, host in enumerate(hosts)}
    node = np.array([nodes.get(pod.node, -1) for pod in pods], dtype=np.int64)
    offered = np.array([host.millicores / 1000 for host in hosts])
    return watts_of_owners(owner, node, asked, offered, np.array([float(host.watts) for host in hosts]), owners)


def _declared(hub: Hub) -> dict[str, int]:
    index = Index(hub.model)
    found: defaultdict[str, int] = defaultdict(int)
    for system in hub.model.systems:
        for name in system.environments:
            if name in index.environments:
                found[system.tenant] += sizing.system_requests(system, index.environments[name]).millicores
    return dict(found)


def powers(hub: Hub) -> dict[str, object]:
    """Storage, compute and network power (存力, 算力, 运力) as declared.

    MIIT's "Action plan for high-quality development of computing infrastructure" (2023): storage in bytes of raw
    capacity, computing by class of processor, network by the capacity that leaves the sites. TFLOPS are the makers'
    peaks with FP16, known only for cards that state them.
    """
    entries = hub.model.hosts
    hosts = list(hub.topology.hosts.values())
    stored = [(host, entries[host.entry].storage) for host in hosts if host.role is HostRole.STORAGE]
    cards: defaultdict[str, list[tuple[int, float | None]]] = defaultdict(list)
    for host in hosts:
        accelerators = entries[host.entry].accelerators
        if accelerators:
            kind = accelerators.kind or accelerators.resource
            cards[kind].append((accelerators.count, accelerators.tflops))
    lines: defaultdict[str, float] = defaultdict(float)
    for circuit in hub.model.circuits:
        lines[circuit.kind.value] += circuit.gbps * circuit.count
    told = [bytes_of(size) for _, size in stored if size]
    return {
        "storage": {"bytes": sum(told) if told else None, "known": len(told), "of": len(stored), "copies": "raw"},
        "cores": {
            arch: sum(h.millicores for h in hosts if h.arch == arch and h.role is HostRole.WORKER) / 1000
            for arch in sorted({host.arch for host in hosts})
        },
        "accelerators": [
            {
                "kind": kind,
                "cards": sum(count for count, _ in found),
                "tflops_fp16": sum(count * peak for count, peak in found if peak) if any(p for _, p in found) else None,
                "known": sum(count for count, peak in found if peak),
            }
            for kind, found in sorted(cards.items())
        ],
        "network_gbps": {kind.value: lines.get(kind.value) for kind in CircuitKind},
    }
