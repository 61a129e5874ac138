"""Compute of the hub: headroom of pools without a rack, departments from quota to watts, and the three powers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from govhub.core.quantities import bytes_of
from govhub.inventory import sizing
from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.fabric import CircuitKind
from govhub.monitoring.arithmetic.figure import Figure, Floats, Ints, amount, unknown
from govhub.monitoring.arithmetic.shares import waterfall, watts_of_owners
from govhub.monitoring.placing.pools import RESOURCES, after_rack_loss, nodes_of


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

    ``cores``, ``memory`` and ``accelerators`` (only where some are requested) each lose the rack that holds most of
    them. What is declared is counted in all environments; workloads that name no pool may run on any node.
    """
    nodes = nodes_of(hub)
    found: defaultdict[tuple[str, str], dict[str, Figure]] = defaultdict(dict)
    for row in after_rack_loss(hub):
        figure = amount(row.requested, row.left, RESOURCES[row.resource])
        found[row.cluster, row.pool][row.resource] = replace(figure, at=row.lost)
    return [
        {
            "cluster": cluster,
            "pool": pool,
            "arch": nodes[cluster, pool][0].arch if pool else "",
            "nodes": len(nodes[cluster, pool]),
        }
        | figures
        for (cluster, pool), figures in sorted(found.items())
    ]


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


def powers(hub: Hub) -> dict[str, Any]:
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
