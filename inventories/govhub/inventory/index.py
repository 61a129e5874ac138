"""Names to parts of a hub, built once and shared by the checks; of several equal names the first one counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from govhub.inventory.model.compute import Pool
from govhub.inventory.model.root import HubFile
from govhub.inventory.model.tenancy import Service, System, Tenant
from govhub.inventory.topology import Path

Owner = System | Service
"""What has workloads, flows and secrets."""


class Named(Protocol):
    """A part that is referred to by its name."""

    @property
    def name(self) -> str:
        """The name, unique within its section."""


T = TypeVar("T", bound=Named)


def by_name(parts: Iterable[T]) -> dict[str, T]:
    """``parts`` by their names."""
    found: dict[str, T] = {}
    for part in parts:
        found.setdefault(part.name, part)
    return found


class Index:
    """The parts of one hub by name."""

    def __init__(self, model: HubFile) -> None:
        self.model = model
        self.environments = by_name(model.hub.environments)
        self.regions = by_name(model.regions)
        self.sites = by_name(model.sites)
        self.zones = by_name(model.zones)
        self.clusters = by_name(model.clusters)
        self.quota_classes = by_name(model.quota_classes)
        self.tenants = by_name(model.tenants)
        self.services = by_name(model.services)
        self.systems = by_name(model.systems)
        self.pools: dict[str, dict[str, Pool]] = {name: by_name(part.pools) for name, part in self.clusters.items()}

    @property
    def first_cluster(self) -> str:
        """Where tenants and services live that name no cluster."""
        return self.model.clusters[0].name

    def owners(self) -> Iterator[tuple[Path, Owner]]:
        """All systems and services, each with its path from the root of the model."""
        for position, system in enumerate(self.model.systems):
            yield ("systems", position), system
        for position, service in enumerate(self.model.services):
            yield ("services", position), service

    def cluster_of(self, part: Tenant | Owner) -> str | None:
        """Name of the cluster a part lives on; None when its tenant or its cluster does not exist."""
        if isinstance(part, System):
            tenant = self.tenants.get(part.tenant)
            return self.cluster_of(tenant) if tenant else None
        name = part.cluster or self.first_cluster
        return name if name in self.clusters else None
