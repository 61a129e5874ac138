"""Whose pods run on which node of a cluster, and which of them are there for others: one look at all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from govhub.core.kube import KINDS, Kube, is_ready
from govhub.ops.nodes.pods import Pod, moves
from govhub.stacks.context import DOMAIN

_TENANT = f"{DOMAIN}/tenant"


@dataclass(frozen=True)
class Census:
    """The pods of one cluster that somebody would miss, and its nodes, at one moment."""

    cluster: str
    pods: list[Pod]
    """Those that end are not among them: what takes their place is."""
    ready_nodes: frozenset[str]
    """Nodes that are ready and take pods."""
    nodes: frozenset[str]
    _departments: dict[str, str] = field(repr=False)
    """By namespace."""

    def on(self, node: str) -> list[Pod]:
        """The pods of a node."""
        return self._by_node.get(node, [])

    def tenant_of(self, pod: Pod) -> str:
        """The department that a pod belongs to: by its own label, else by its namespace's; empty for none."""
        meta = pod["metadata"]
        return str((meta.get("labels") or {}).get(_TENANT) or self._departments.get(meta["namespace"], ""))

    def ready(self, node: str) -> dict[str, int]:
        """Ready pods of each department on a node."""
        found = Counter(self.tenant_of(pod) for pod in self.on(node) if is_ready(pod))
        return {tenant: count for tenant, count in found.items() if tenant}

    @cached_property
    def totals(self) -> dict[str, tuple[int, int]]:
        """For each department, its pods and how many of them are not ready."""
        every = Counter(self.tenant_of(pod) for pod in self.pods)
        gone = Counter(self.tenant_of(pod) for pod in self.pods if not is_ready(pod))
        return {tenant: (count, gone[tenant]) for tenant, count in every.items() if tenant}

    def alone(self, pod: Pod) -> bool:
        """Whether no other pod does its work meanwhile; what belongs to nobody comes back nowhere."""
        if not (part := _part(pod)):
            return not pod["metadata"].get("ownerReferences")
        return self._by_part[part] < 2

    @cached_property
    def _by_node(self) -> dict[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in self.pods:
            found.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return found

    @cached_property
    def _by_part(self) -> Counter[tuple[str, str, str] | None]:
        return Counter(_part(pod) for pod in self.pods)


def take(kube: Kube, cluster: str) -> Census:
    """Look at a cluster.

    Raises:
        TargetUnreachable, KubeError: it could not be seen, which is not the same as empty.
    """
    spaces = kube.list(KINDS["", "Namespace"])
    departments = {
        item["metadata"]["name"]: tenant
        for item in spaces
        if (tenant := (item["metadata"].get("labels") or {}).get(_TENANT, ""))
    }
    pods = [pod for pod in kube.list(KINDS["", "Pod"]) if moves(pod) and not pod["metadata"].get("deletionTimestamp")]
    nodes = list(kube.list(KINDS["", "Node"]))
    ready = [node for node in nodes if is_ready(node) and not node.get("spec", {}).get("unschedulable")]
    return Census(cluster, pods, _names(ready), _names(nodes), departments)


def _part(pod: Pod) -> tuple[str, str, str] | None:
    labels = pod["metadata"].get("labels") or {}
    component, system = labels.get("app.kubernetes.io/component"), labels.get("app.kubernetes.io/part-of")
    return (pod["metadata"]["namespace"], component, system) if component and system else None


def _names(nodes: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(node["metadata"]["name"] for node in nodes)
