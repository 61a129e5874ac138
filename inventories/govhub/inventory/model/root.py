"""The hub as a whole: its identity and all sections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from govhub.inventory.model.balancing import LoadBalancer
from govhub.inventory.model.baseline import Baseline
from govhub.inventory.model.common import Assumable, Name, Part, ShortName, Title
from govhub.inventory.model.compute import Cluster, Hosts
from govhub.inventory.model.cooling import CoolingUnits
from govhub.inventory.model.databases import Database
from govhub.inventory.model.fabric import Circuit, Devices, DeviceType, Links
from govhub.inventory.model.lead_times import LeadTimes
from govhub.inventory.model.ledger import LedgerEntry
from govhub.inventory.model.migration import Migration, MigrationRules, Source
from govhub.inventory.model.network import Prefix, Zone
from govhub.inventory.model.place import Region, Site
from govhub.inventory.model.power import Feeds, PowerElements
from govhub.inventory.model.tenancy import ExceptionEntry, QuotaClass, Service, System, Tenant


class Figure(Assumable):
    """A published number about the hub, or one of ours marked ``assumed``."""

    name: Name
    value: float
    unit: str = Field(default="", max_length=40)
    title: Title | None = None


class Environment(Part):
    """An environment that tenants get a namespace for."""

    name: ShortName
    share: float = Field(gt=0, le=1)
    """Its part of the tenant's quota; all shares together make 1."""
    production: bool = False
    """Production runs all replicas and is spread over racks; other environments run one pod a workload."""


class Overcommit(Part):
    """How far the quotas may exceed what the pools hold; 1.0 is no overcommitment."""

    cpu: float = Field(default=1.0, ge=1.0, le=10)
    memory: float = Field(default=1.0, ge=1.0, le=2)


class Sharding(Part):
    """How many department groups the tenants and systems stacks are cut into.

    Changing it would move objects between stacks, which the planner refuses: destroy the hub first.
    """

    tenants: int = Field(default=1, ge=1, le=256)
    systems: int = Field(default=1, ge=1, le=256)


class Budgets(Part):
    """How many objects of a class one run may delete without `--confirm`."""

    namespaces: int = Field(default=0, ge=0)
    volumes: int = Field(default=0, ge=0)
    """Claims and stateful sets: they hold data."""
    secrets: int = Field(default=0, ge=0)
    others: int = Field(default=50, ge=0)


class Identity(Assumable):
    """Who the hub is."""

    name: Name
    title: Title
    region: Name
    """The region it belongs to."""
    published: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")] | None = None
    """Month of the publication the figures come from."""
    registries: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*/$")]] = Field(min_length=1)
    """Image prefixes that may run, each ending in a slash."""
    environments: list[Environment] = Field(
        default=[Environment(name="prod", share=0.75, production=True), Environment(name="test", share=0.25)],
        min_length=1,
    )
    overcommit: Overcommit = Overcommit()
    sharding: Sharding = Sharding()
    budgets: Budgets = Budgets()
    policies: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")],
        Annotated[str, Field(pattern=r"^(advisory|mandatory|disabled)$")],
    ] = {}
    """Levels of policy rules that differ from their default."""
    state: Annotated[str, Field(pattern=r"^(folder|postgres)$")] = "folder"
    """Where state lives; the PostgreSQL address comes from GOVHUB_STATE, because it may hold a password."""


class HubFile(Part):
    """Everything a hub folder declares; any file may hold any section."""

    hub: Identity
    figures: list[Figure] = []
    regions: list[Region] = Field(min_length=1)
    sites: list[Site] = Field(min_length=1)
    ledger: list[LedgerEntry] = []
    lead_times: LeadTimes = LeadTimes()
    power: list[PowerElements] = []
    feeds: list[Feeds] = []
    cooling: list[CoolingUnits] = []
    device_types: list[DeviceType] = []
    devices: list[Devices] = []
    links: list[Links] = []
    circuits: list[Circuit] = []
    hosts: list[Hosts] = []
    baseline: Baseline = Baseline()
    databases: list[Database] = []
    load_balancers: list[LoadBalancer] = []
    zones: list[Zone] = []
    prefixes: list[Prefix] = []
    clusters: list[Cluster] = Field(min_length=1)
    quota_classes: list[QuotaClass] = []
    tenants: list[Tenant] = []
    services: list[Service] = []
    systems: list[System] = []
    sources: list[Source] = []
    migrations: list[Migration] = []
    migration: MigrationRules = MigrationRules()
    exceptions: list[ExceptionEntry] = []
