"""The desired graph: every object the hub stands for, as plain data, before any engine is asked.

One rendering serves everything: the engine-free plan, the policies, kubeconform, drift and the
Pulumi program, so they cannot disagree about what is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from govhub.core.canonical import digest
from govhub.core.diagnostics import SourceRange

Manifest = dict[str, Any]


class Stack(StrEnum):
    """The five stacks, in the order in which `up` runs them."""

    PLATFORM = "platform"
    TENANTS = "tenants"
    SERVICES = "services"
    SYSTEMS = "systems"
    MONITORING = "monitoring"


class Shard(NamedTuple):
    """The unit of work: one stack, of one cluster, of one department group."""

    cluster: str
    stack: str
    group: int

    def __str__(self) -> str:
        return f"{self.cluster}/{self.stack}/{self.group}"


class Identity(NamedTuple):
    """What makes a live object the one that is meant; the API version may differ, the group may not."""

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Identity:
        """The identity of a manifest or of a live object."""
        api, meta = str(manifest.get("apiVersion", "")), manifest.get("metadata") or {}
        group = api.rpartition("/")[0]
        return cls(group, str(manifest.get("kind", "")), str(meta.get("namespace") or ""), str(meta.get("name", "")))

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}/{where}{self.name}"


@dataclass(frozen=True, slots=True)
class Component:
    """The component an object belongs to: ``kind`` becomes the Pulumi type ``govhub:<stack>:<kind>``."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredObject:
    """One object as it should be; ``patch`` marks a patch of an object that somebody else created (a node)."""

    shard: Shard
    component: Component
    manifest: Manifest
    tenant: str = ""
    system: str = ""
    source: SourceRange | None = None
    depends_on: tuple[Identity, ...] = ()
    patch: bool = False

    @property
    def identity(self) -> Identity:
        """Group, kind, namespace and name."""
        return Identity.of(self.manifest)

    @property
    def address(self) -> str:
        """What people read and type: ``main/tenants/ResourceQuota/finance-prod/quota``."""
        return f"{self.shard.cluster}/{self.shard.stack}/{self.identity}"

    @property
    def token(self) -> str:
        """The Pulumi type token, such as ``kubernetes:apps/v1:Deployment``."""
        api = self.manifest["apiVersion"]
        suffix = "Patch" if self.patch else ""
        return f"kubernetes:{api if '/' in api else 'core/' + api}:{self.manifest['kind']}{suffix}"

    @property
    def resource_name(self) -> str:
        """The Pulumi name; unique per type within a stack, and never auto-named."""
        identity = self.identity
        return f"{identity.namespace}/{identity.name}" if identity.namespace else identity.name


@dataclass(slots=True)
class Graph:
    """All desired objects of a hub, by shard, in the order in which they were rendered."""

    hub: str
    shards: dict[Shard, list[DesiredObject]] = field(default_factory=dict)

    def add(self, item: DesiredObject) -> None:
        """Append ``item`` to its shard."""
        self.shards.setdefault(item.shard, []).append(item)

    def __iter__(self) -> Iterator[DesiredObject]:
        for objects in self.shards.values():
            yield from objects

    def __len__(self) -> int:
        return sum(len(objects) for objects in self.shards.values())

    def clusters(self) -> list[str]:
        """The clusters that have objects, in declaration order."""
        return list(dict.fromkeys(shard.cluster for shard in self.shards))

    def digest(self) -> str:
        """SHA-256 over everything desired, secrets as masks."""
        return digest([(item.address, item.manifest) for item in self])


def duplicates(graph: Graph) -> Iterable[tuple[DesiredObject, DesiredObject]]:
    """Pairs of objects that claim the same identity on the same cluster; an engine would silently keep the last."""
    seen: dict[tuple[str, Identity], DesiredObject] = {}
    for item in graph:
        key = (item.shard.cluster, item.identity)
        if key in seen:
            yield seen[key], item
        else:
            seen[key] = item


Emit = Callable[[DesiredObject], None]
