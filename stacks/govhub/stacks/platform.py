"""The platform stack: node pools, priorities, storage classes, network zones and admission policies."""

from __future__ import annotations

import json

from govhub.inventory.model.compute import Cluster, Pool
from govhub.inventory.topology import PlacedHost
from govhub.stacks.admission import emit_admission
from govhub.stacks.context import DOMAIN, Context, manifest
from govhub.stacks.graph import Component, Shard, Stack

SYSTEM_NAMESPACE = "govhub-system"
PRIORITIES = {1: 100_000, 2: 10_000, 3: 1_000}


def render_platform(ctx: Context) -> None:
    """Emit the foundation of every cluster."""
    for index, cluster in enumerate(ctx.hub.model.clusters):
        shard = ctx.shard(Stack.PLATFORM, cluster.name)
        _pools(ctx, shard, index, cluster)
        _classes(ctx, shard)
        _zones(ctx, shard, cluster)
        emit_admission(ctx, shard)


def _pools(ctx: Context, shard: Shard, index: int, cluster: Cluster) -> None:
    pools = {pool.name: (position, pool) for position, pool in enumerate(cluster.pools)}
    for host in ctx.hub.topology.nodes(cluster.name):
        if host.pool not in pools:
            continue
        position, pool = pools[host.pool]
        ctx.emit(
            shard,
            Component("NodePool", pool.name),
            _node(host, pool),
            source=ctx.hub.at("clusters", index, "pools", position),
            patch=True,
        )


def _node(host: PlacedHost, pool: Pool) -> dict[str, object]:
    site, hall, _, _ = host.rack.split("/")
    body = manifest("v1", "Node", host.name)
    body["metadata"]["labels"] = {
        **pool.labels,
        f"{DOMAIN}/pool": pool.name,
        # A slash is not allowed in a label's value.
        f"{DOMAIN}/rack": host.rack.replace("/", "."),
        f"{DOMAIN}/row": host.row.replace("/", "."),
        "topology.kubernetes.io/region": site,
        "topology.kubernetes.io/zone": f"{site}.{hall}",
    }
    if pool.taints:
        body["spec"] = {
            "taints": [{key: value for key, value in taint.model_dump().items() if value} for taint in pool.taints]
        }
    return body


def _classes(ctx: Context, shard: Shard) -> None:
    component = Component("Classes", "classes")
    source = ctx.hub.at("hub", "name")
    for tier, value in PRIORITIES.items():
        body = manifest("scheduling.k8s.io/v1", "PriorityClass", f"govhub-tier-{tier}")
        body |= {"value": value, "description": f"Departmental systems of tier {tier}"}
        if tier == max(PRIORITIES):
            body["globalDefault"] = True
        ctx.emit(shard, component, body, source=source)
    body = manifest("storage.k8s.io/v1", "StorageClass", "govhub-standard")
    body |= {
        # Volumes are made by the storage layer (in the lab: as fixed volumes); the class holds what must not vary.
        "provisioner": "kubernetes.io/no-provisioner",
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    ctx.emit(shard, component, body, source=source)


def _zones(ctx: Context, shard: Shard, cluster: Cluster) -> None:
    component = Component("Zones", cluster.zone)
    namespace = manifest("v1", "Namespace", SYSTEM_NAMESPACE)
    namespace["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = ctx.emit(shard, component, namespace, source=ctx.hub.at("zones"))
    for index, zone in enumerate(ctx.hub.model.zones):
        prefixes = [
            {"cidr": str(prefix.cidr), "purpose": prefix.purpose.value, "site": prefix.site or ""}
            for prefix in ctx.hub.model.prefixes
            if prefix.zone == zone.name
        ]
        body = manifest("v1", "ConfigMap", f"zone-{zone.name}", SYSTEM_NAMESPACE)
        body["metadata"]["labels"] = {f"{DOMAIN}/zone": zone.name}
        body["data"] = {"kind": zone.kind.value, "prefixes.json": json.dumps(prefixes, sort_keys=True)}
        ctx.emit(shard, component, body, source=ctx.hub.at("zones", index), after=(namespace,))
