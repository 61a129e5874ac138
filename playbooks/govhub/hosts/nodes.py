"""What a host is told that becomes a node of a Kubernetes cluster."""

from __future__ import annotations

from typing import Any

from govhub.hosts.images import mirrors
from govhub.hosts.reach import Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster, HostRole
from govhub.inventory.model.network import Purpose, dns_address, ranges
from govhub.inventory.topology import PlacedHost

GROUP = "kubernetes_node"
KUBELET, BGP = 10250, 179
SANDBOX_IMAGE = "kubernetes/pause:3.10"
JOIN_VARIABLE = "GOVHUB_JOIN_TOKEN"
"""The environment variable that the role finds a bootstrap token in."""


def joins(reached: Reaches, host: PlacedHost) -> bool:
    """Whether our roles make it a node of its cluster."""
    return host.role is HostRole.WORKER and host.cluster in reached.joins


def node_variables(hub: Hub, reached: Reaches, host: PlacedHost) -> dict[str, Any]:
    """The options of the role ``container_node``; none for other hosts."""
    if not joins(reached, host):
        return {}
    join = reached.joins[host.cluster]
    cluster = next(item for item in hub.model.clusters if item.name == host.cluster)
    return {
        "container_node_server": join.server,
        "container_node_ca": join.ca,
        "container_node_address": reached.hosts[host.name].address,
        "container_node_downloads": join.downloads,
        "container_node_programs": dict(join.programs),
        "container_node_own_kernel": join.own_kernel,
        "container_node_sandbox_image": f"{hub.model.hub.registries[0]}{SANDBOX_IMAGE}",
        "container_node_taints": _taints(cluster, host.pool),
        "container_node_registries": mirrors(hub, reached),
        "container_node_dns": [dns_address(item) for item in _ranges(hub, cluster, Purpose.SERVICES)],
        "firewall_pods": _ranges(hub, cluster, Purpose.PODS),
        "container_node_pods": _ranges(hub, cluster, Purpose.PODS),
        "container_node_services": _ranges(hub, cluster, Purpose.SERVICES),
    }


def node_rules(reached: Reaches, host: PlacedHost, nodes: list[str]) -> list[dict[str, Any]]:
    """What may reach a node itself: the API server its kubelet, other nodes its routes."""
    control = sorted({*nodes, *reached.networks.get("control", [])})
    rules = []
    if host.cluster and host.role in (HostRole.WORKER, HostRole.CONTROL_PLANE):
        rules.append({"name": "kubelet", "protocol": "tcp", "ports": [KUBELET], "sources": control})
    if joins(reached, host):
        rules.append({"name": "routes", "protocol": "tcp", "ports": [BGP], "sources": nodes})
    return rules


def _taints(cluster: Cluster, pool: str) -> list[dict[str, Any]]:
    """Those of its pool, from the first moment: a pod that does not belong there may wait already."""
    taints = [taint for item in cluster.pools if item.name == pool for taint in item.taints]
    return [taint.model_dump() for taint in taints]


def _ranges(hub: Hub, cluster: Cluster, purpose: Purpose) -> list[str]:
    return ranges(hub.model.prefixes, purpose, cluster.name, cluster.zone)
