"""The graph as the rules look at it: by kind, by namespace, and pods wherever a controller holds a template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from govhub.inventory.loader import Hub
from govhub.stacks.context import DOMAIN
from govhub.stacks.graph import Component, DesiredObject, Graph, Identity
from govhub.stacks.policies.fields import items, part

TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where each kind keeps what becomes a pod."""
REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What a controller's pods will look like."""

    item: DesiredObject
    kind: str
    space: Space
    spec: dict[str, Any]
    labels: dict[str, str]
    containers: tuple[dict[str, Any], ...]
    """Those that run as long as the pod does."""
    initial: tuple[dict[str, Any], ...]
    replicas: int
    """How many; 1 for kinds that do not count."""
    tier: int | None
    """The tier of the system or service it belongs to; None when it belongs to none that is declared."""

    @property
    def every_container(self) -> tuple[dict[str, Any], ...]:
        """Init containers too: what they may do is done before anybody looks."""
        return self.containers + self.initial


@dataclass(slots=True)
class Space:
    """One namespace of one cluster and what stands in it; ``item`` is None when the graph does not make it."""

    cluster: str
    name: str
    item: DesiredObject | None = None
    production: bool = True
    """Unless its environment says otherwise: what is unknown is guarded like production."""
    kinds: dict[str, list[DesiredObject]] = field(default_factory=lambda: defaultdict(list))
    pods: list[Pod] = field(default_factory=list)

    @property
    def guarded(self) -> bool:
        """Whether somebody's pods may run here; namespaces of ours that only hold data need no quota."""
        if self.item is None:
            return False
        return bool(self.item.tenant or self.pods) or self.item.component.kind == "Service"


class View:
    """A hub's graph with its indexes, built once for all rules."""

    def __init__(self, hub: Hub, graph: Graph, today: date) -> None:
        self.hub, self.today = hub, today
        self.items = list(graph)
        self.kinds: dict[str, list[DesiredObject]] = defaultdict(list)
        self.spaces: dict[tuple[str, str], Space] = {}
        self.pods: list[Pod] = []
        self._names: set[tuple[str, str, str]] = set()
        for item in self.items:
            self._file(item, item.identity)

    def _file(self, item: DesiredObject, identity: Identity) -> None:
        cluster = item.shard.cluster
        self.kinds[identity.kind].append(item)
        if identity.kind == "Namespace":
            space = self._space(cluster, identity.name)
            space.item = item
            environment = part(item.manifest, "metadata", "labels").get(f"{DOMAIN}/environment")
            space.production = environment is None or environment in self._production
        elif identity.namespace:
            self._space(cluster, identity.namespace).kinds[identity.kind].append(item)
        else:
            self._names.add((cluster, identity.kind, identity.name))
        if identity.kind in TEMPLATES:
            self._add_pod(item, identity)

    def _space(self, cluster: str, name: str) -> Space:
        key = (cluster, name)
        if key not in self.spaces:
            self.spaces[key] = Space(cluster, name)
        return self.spaces[key]

    def _add_pod(self, item: DesiredObject, identity: Identity) -> None:
        template = part(item.manifest, *TEMPLATES[identity.kind])
        spec = part(template, "spec")
        space = self._space(item.shard.cluster, identity.namespace)
        replicas = part(item.manifest, "spec").get("replicas", 1) if identity.kind in REPLICATED else 1
        pod = Pod(
            item=item,
            kind=identity.kind,
            space=space,
            spec=spec,
            labels=part(template, "metadata", "labels"),
            containers=tuple(items(spec, "containers")),
            initial=tuple(items(spec, "initContainers")),
            replicas=replicas,
            tier=self._tiers.get(_owner(item)),
        )
        self.pods.append(pod)
        space.pods.append(pod)

    def has(self, cluster: str, kind: str, name: str) -> bool:
        """Whether ``cluster`` gets the cluster-wide object ``kind``/``name``."""
        return (cluster, kind, name) in self._names

    def guarded(self) -> Iterator[tuple[Space, DesiredObject]]:
        """The namespaces in which somebody's pods may run, with their Namespace objects."""
        for space in self.spaces.values():
            if space.item is not None and space.guarded:
                yield space, space.item

    @cached_property
    def _production(self) -> frozenset[str]:
        return frozenset(item.name for item in self.hub.model.hub.environments if item.production)

    @cached_property
    def _tiers(self) -> dict[str, int]:
        systems = {f"system/{item.name}": item.tier for item in self.hub.model.systems}
        return systems | {f"service/{item.name}": item.tier for item in self.hub.model.services}


def _owner(item: DesiredObject) -> str:
    return _service(item.component) or f"system/{item.system}"


def _service(component: Component) -> str:
    return f"service/{component.name}" if component.kind == "Service" else ""


def targets(item: DesiredObject) -> frozenset[str]:
    """What exceptions may name to mean ``item``, in the words of their ``target``, without the hub as a whole."""
    # A system's flows are the tenant's objects; only the selector says whose they are.
    selected = part(item.manifest, "spec", "podSelector", "matchLabels") if not item.system else {}
    system = item.system or str(selected.get(f"{DOMAIN}/system") or "")
    found = {_service(item.component)}
    if item.tenant:
        found.add(f"tenant/{item.tenant}")
    if system:
        found.add(f"system/{system}")
    return frozenset(found - {""})
