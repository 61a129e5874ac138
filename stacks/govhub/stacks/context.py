"""What every stack's renderer works with: the hub, look-ups, labels and the emitter of objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from govhub.core.canonical import stable_bucket
from govhub.core.diagnostics import SourceRange
from govhub.core.secrets import Secret
from govhub.inventory.loader import Hub
from govhub.inventory.model.root import Environment
from govhub.inventory.model.tenancy import SecretRef, Service, System, Tenant
from govhub.stacks.graph import Component, DesiredObject, Graph, Identity, Manifest, Shard, Stack

DOMAIN = "govhub.io"
FIELD_MANAGER = "govhub"
ANNOTATIONS = {
    # One fixed field manager: a lost or rebuilt state adopts what is live instead of conflicting with itself.
    "pulumi.com/patchFieldManager": FIELD_MANAGER,
    # What the hub declares is put right even where somebody else took the field over by hand.
    "pulumi.com/patchForce": "true",
    # Readiness is watched once for the whole run by a few LIST calls; per-object watches cost more than the writes.
    "pulumi.com/skipAwait": "true",
    # With skipAwait nobody waits for a foreground deletion, and a replacement would meet the dying object.
    "pulumi.com/deletionPropagationPolicy": "background",
}


class Secrets(Protocol):
    """Where secret values come from; a plan without access to them uses :class:`NoSecrets`."""

    def resolve(self, ref: SecretRef, address: str) -> Secret | None:
        """The value, or None when it is not known here."""

    def fingerprint(self, secret: Secret) -> str:
        """A keyed digest that changes with the value."""


class NoSecrets:
    """Resolves nothing: what CI pipelines use; secret contents are then listed as not compared."""

    def resolve(self, ref: SecretRef, address: str) -> Secret | None:  # noqa: ARG002  # the protocol's signature
        """Always None."""
        return None

    def fingerprint(self, secret: Secret) -> str:  # noqa: ARG002
        """Always empty."""
        return ""


@dataclass(slots=True)
class Context:
    """Rendering context: look-ups by name and the graph under construction."""

    hub: Hub
    secrets: Secrets
    graph: Graph
    _cache: dict[str, Any] = field(default_factory=dict)

    @property
    def first_cluster(self) -> str:
        """The cluster of everything that names none."""
        return self.hub.model.clusters[0].name

    def cluster_of(self, owner: Tenant | Service) -> str:
        """The cluster a tenant or service lives on."""
        return owner.cluster or self.first_cluster

    @property
    def production(self) -> Environment:
        """The production environment."""
        environments = self.hub.model.hub.environments
        return next((env for env in environments if env.production), environments[0])

    @property
    def flows(self) -> dict[str, Any]:
        """The flow rules of every namespace; collected once, because both sides of a flow contribute."""
        if "flows" not in self._cache:
            from govhub.stacks.flows import flow_rules

            self._cache["flows"] = flow_rules(self)
        found: dict[str, Any] = self._cache["flows"]
        return found

    @property
    def lookup(self) -> Lookup:
        """Tenants, systems and services by name."""
        found: Lookup = self._cache.setdefault("lookup", Lookup(self.hub))
        return found

    def shard(self, stack: Stack, cluster: str, group: str = "") -> Shard:
        """The shard of a department group; the bucket depends on the name alone, so it is the same everywhere."""
        counts = self.hub.model.hub.sharding
        count = {Stack.TENANTS: counts.tenants, Stack.SYSTEMS: counts.systems}.get(stack, 1)
        return Shard(cluster, stack.value, stable_bucket(group, count) if count > 1 else 0)

    def emit(
        self,
        shard: Shard,
        component: Component,
        manifest: Manifest,
        *,
        tenant: str = "",
        system: str = "",
        source: SourceRange | None = None,
        after: Iterable[Manifest] = (),
        patch: bool = False,
    ) -> Manifest:
        """Add ``manifest`` to the graph with the owner labels; returns it, so that others can depend on it."""
        meta = manifest["metadata"]
        meta["labels"] = self.labels(shard, tenant, system) | meta.get("labels", {})
        meta["annotations"] = ANNOTATIONS | meta.get("annotations", {})
        self.graph.add(
            DesiredObject(
                shard=shard,
                component=component,
                manifest=manifest,
                tenant=tenant,
                system=system,
                source=source,
                depends_on=tuple(Identity.of(other) for other in after),
                patch=patch,
            )
        )
        return manifest

    def labels(self, shard: Shard, tenant: str = "", system: str = "") -> dict[str, str]:
        """The owner labels: what drift, recovery and `destroy` find our objects by."""
        out = {
            "app.kubernetes.io/managed-by": "govhub",
            f"{DOMAIN}/hub": self.hub.model.hub.name,
            f"{DOMAIN}/stack": shard.stack,
            f"{DOMAIN}/shard": str(shard.group),
        }
        if tenant:
            out[f"{DOMAIN}/tenant"] = tenant
        if system:
            out[f"{DOMAIN}/system"] = system
        return out


class Lookup:
    """Tenants, systems and services by name, with their index for positions."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    @cached_property
    def tenants(self) -> dict[str, tuple[int, Tenant]]:
        """Tenants by name."""
        return {item.name: (index, item) for index, item in enumerate(self._hub.model.tenants)}

    @cached_property
    def systems(self) -> dict[str, tuple[int, System]]:
        """Systems by name."""
        return {item.name: (index, item) for index, item in enumerate(self._hub.model.systems)}

    @cached_property
    def services(self) -> dict[str, tuple[int, Service]]:
        """Services by name."""
        return {item.name: (index, item) for index, item in enumerate(self._hub.model.services)}


def namespace_of(tenant: str, environment: str) -> str:
    """The namespace of a tenant's environment."""
    return f"{tenant}-{environment}"


def service_namespace(service: str) -> str:
    """The namespace of a platform service."""
    return f"svc-{service}"


def manifest(api: str, kind: str, name: str, namespace: str = "", **body: Any) -> Manifest:
    """A manifest's skeleton; ``body`` holds the top-level fields beside metadata."""
    meta: dict[str, Any] = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": api, "kind": kind, "metadata": meta, **body}
