"""The capacity side of a plan: what workloads request before and after, against what the pools hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from govhub.core.plan import Amounts, CapacityDelta
from govhub.core.quantities import GIB, bytes_of, millicores
from govhub.engine.state import Checkpoint
from govhub.inventory.loader import Hub
from govhub.inventory.sizing import capacity_of
from govhub.stacks.context import DOMAIN
from govhub.stacks.graph import Graph, Shard

_CONTROLLERS = ("Deployment", "StatefulSet")


def capacity_deltas(
    hub: Hub, graph: Graph, recorded: Mapping[Shard, Checkpoint], changed: set[str]
) -> tuple[CapacityDelta, ...]:
    """One delta a cluster; ``changed`` holds the addresses that the plan changes, everything else stays as recorded."""
    out = []
    for cluster in hub.model.clusters:
        before: dict[str, dict[str, Any]] = {}
        for shard, checkpoint in recorded.items():
            if shard.cluster == cluster.name:
                for identity, record in checkpoint.objects.items():
                    before[f"{shard.cluster}/{shard.stack}/{identity}"] = record.inputs
        wanted = {item.address: item.manifest for item in graph if item.shard.cluster == cluster.name}
        after = {address: body for address, body in before.items() if address not in changed}
        after |= {address: body for address, body in wanted.items() if address in changed}
        out.append(
            CapacityDelta(
                cluster=cluster.name,
                before=_amounts(before.values()),
                after=_amounts(after.values()),
                available=_available(hub, cluster.name),
            )
        )
    return tuple(out)


def _amounts(manifests: Iterable[dict[str, Any]]) -> Amounts:
    milli, memory, pods = 0, 0, 0
    racks: set[str] = set()
    for body in manifests:
        kind = body.get("kind")
        if kind in _CONTROLLERS:
            count = int(body["spec"].get("replicas", 1))
            cpu, each = _requests(body["spec"]["template"]["spec"])
            milli, memory, pods = milli + cpu * count, memory + each * count, pods + count
        elif kind == "Node":
            racks.add((body["metadata"].get("labels") or {}).get(f"{DOMAIN}/rack", ""))
    return Amounts(round(milli / 1000, 3), round(memory / GIB, 3), pods, len(racks - {""}))


def _requests(pod: dict[str, Any]) -> tuple[int, int]:
    """Millicores and bytes that one pod requests."""
    requests = [(item.get("resources") or {}).get("requests") or {} for item in pod.get("containers", [])]
    cpu = sum(millicores(item["cpu"]) for item in requests if "cpu" in item)
    return cpu, sum(bytes_of(item["memory"]) for item in requests if "memory" in item)


def _available(hub: Hub, cluster: str) -> Amounts | None:
    nodes = hub.topology.nodes(cluster)
    if not nodes:
        return None
    total = capacity_of(nodes)
    racks = len({node.rack for node in nodes})
    return Amounts(round(total.millicores / 1000, 3), round(total.memory / GIB, 3), total.pods, racks)
