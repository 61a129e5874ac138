"""Departments as tenants, their quota, their systems, and the exceptions they were granted."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from govhub.inventory.model.common import (
    LABEL,
    Arch,
    Assumable,
    CountOrShare,
    Name,
    Part,
    Port,
    Quantity,
    ShortName,
    Title,
)
from govhub.inventory.model.place import Level

# service/NAME, system/NAME, tenant/NAME, zone/NAME, a range like cidr/10.1.0.0/16, or the open internet.
PEER = r"^((service|system|tenant|zone)/[a-z0-9][-a-z0-9]*|cidr/[0-9a-f.:]+/[0-9]{1,3}|internet)$"
TARGET = r"^((tenant|system|service|power|cluster)/[a-z0-9][-a-z0-9]*|place(/[a-z0-9][-a-z0-9]*){1,4}|hub)$"
IMAGE = r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$"


class Resources(Part):
    """Amounts of cloud resources."""

    cpu: Quantity | None = None
    """Cores, such as 16 or 500m."""
    memory: Quantity | None = None
    """Memory, such as 64Gi."""
    storage: Quantity | None = None
    """Persistent storage, such as 2Ti."""
    pods: int | None = Field(default=None, ge=1, le=100_000)
    """Number of pods."""
    accelerators: int | None = Field(default=None, ge=0, le=10_000)
    """Number of accelerator cards."""


class QuotaClass(Assumable):
    """A named size of quota: the sum over a tenant's environments."""

    name: Name
    title: Title | None = None
    cpu: Quantity
    memory: Quantity
    storage: Quantity
    pods: int = Field(ge=1, le=100_000)
    accelerators: int = Field(default=0, ge=0, le=10_000)


class Tenant(Assumable):
    """A department with its quota and groups."""

    name: Name
    title: Title
    level: Level = Level.CITY
    region: Name | None = None
    """The region it serves; the hub's own when not given."""
    cluster: ShortName | None = None
    """The cluster its namespaces live on; the hub's first when not given."""
    quota: Name
    """A quota class."""
    overrides: Resources = Resources()
    """Amounts that differ from the class; a raise needs an exception of kind quota-raise."""
    groups: dict[Annotated[str, Field(pattern=r"^(admin|developer|viewer)$")], str] = {}
    """Names of its directory groups by role; `<hub>:<tenant>:<role>` when not given."""
    max_unavailable: CountOrShare | None = None
    """Of its pods on a cluster, how many may be away while hosts are upgraded; the baseline's when not given."""


class WorkloadKind(StrEnum):
    """The Kubernetes controller behind a workload."""

    DEPLOYMENT = "deployment"
    STATEFULSET = "statefulset"
    CRONJOB = "cronjob"


class Workload(Assumable):
    """A part of a system that runs in pods."""

    name: ShortName
    kind: WorkloadKind = WorkloadKind.DEPLOYMENT
    image: Annotated[str, Field(pattern=IMAGE, max_length=255)]
    """An image in one of the hub's registries, with a tag or a digest."""
    replicas: int = Field(default=2, ge=1, le=500)
    """Pods in production; other environments run one."""
    cpu: Quantity
    """Cores requested per pod."""
    memory: Quantity
    """Memory requested per pod; it is the limit too."""
    storage: Quantity | None = None
    """Volume per pod; for a statefulset."""
    port: Port | None = None
    """The TCP port it serves."""
    arch: Arch | None = None
    """Only if it runs on one architecture."""
    pool: Name | None = None
    """Only if it must run on one pool."""
    accelerators: int = Field(default=0, ge=0, le=64)
    """Accelerator cards per pod."""
    schedule: Annotated[str, Field(pattern=r"^[0-9*/,\- ]{9,60}$")] | None = None
    """Five cron fields; for a cronjob."""

    @model_validator(mode="after")
    def _consistent(self) -> Workload:
        if (self.kind is WorkloadKind.CRONJOB) != (self.schedule is not None):
            raise ValueError("`schedule` goes with kind cronjob, and a cronjob needs it")
        if self.storage and self.kind is not WorkloadKind.STATEFULSET:
            raise ValueError("`storage` goes with kind statefulset")
        return self


class Flow(Part):
    """A connection that is allowed although the default is deny; exactly one of ``to`` and ``from``."""

    to: Annotated[str, Field(pattern=PEER)] | None = None
    """Where the system connects to."""
    from_: Annotated[str, Field(pattern=PEER)] | None = Field(default=None, alias="from")
    """Who connects to the system."""
    port: Port
    protocol: Annotated[str, Field(pattern=r"^(TCP|UDP)$")] = "TCP"
    workload: ShortName | None = None
    """Only for this workload of the system; all of them when not given."""

    @model_validator(mode="after")
    def _one_way(self) -> Flow:
        if (self.to is None) == (self.from_ is None):
            raise ValueError("a flow has exactly one of `to` and `from`")
        return self

    @property
    def peer(self) -> str:
        """The other side."""
        return self.to or self.from_ or ""


class SecretRef(Part):
    """A secret by reference: from a file of mode 600, from the environment, or generated and kept encrypted."""

    name: ShortName
    file: str | None = Field(default=None, max_length=300)
    """Path of a file outside the hub folder, mode 600."""
    env: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=80)] | None = None
    """Name of an environment variable."""
    generate: int | None = Field(default=None, ge=12, le=128)
    """Length of a generated value."""
    generation: int = Field(default=1, ge=1)
    """Raise it to rotate a generated value."""

    @model_validator(mode="after")
    def _one_source(self) -> SecretRef:
        if sum(value is not None for value in (self.file, self.env, self.generate)) != 1:
            raise ValueError("a secret has exactly one of `file`, `env` and `generate`")
        return self


class System(Assumable):
    """A departmental business system."""

    name: Name
    title: Title
    tenant: Name
    owner: str = Field(min_length=1, max_length=80)
    """The office that answers for it."""
    tier: int = Field(ge=1, le=3)
    """1: outage stops public service; 2: outage hurts within the day; 3: can wait."""
    protection_level: int = Field(ge=1, le=5)
    """Level of GB/T 22239 (levelled protection); 4 and above do not go onto this cloud."""
    classified: bool = False
    """State secrets; a classified system does not go onto this cloud."""
    environments: list[ShortName] = Field(default=["prod"], min_length=1)
    workloads: list[Workload] = Field(min_length=1)
    flows: list[Flow] = []
    secrets: list[SecretRef] = []
    users: int | None = Field(default=None, ge=0)
    """Accounts or people served."""


class Service(Assumable):
    """A platform service of the catalogue; systems reach it by name."""

    name: Name
    title: Title
    owner: str = Field(min_length=1, max_length=80)
    cluster: ShortName | None = None
    tier: int = Field(default=1, ge=1, le=3)
    quota: Name
    """A quota class."""
    workloads: list[Workload] = Field(min_length=1)
    flows: list[Flow] = []
    secrets: list[SecretRef] = []


class ExceptionKind(StrEnum):
    """What an exception allows."""

    QUOTA_RAISE = "quota-raise"
    WAIVER = "waiver"
    OPEN_FLOW = "open-flow"
    FREEZE = "freeze"


class ExceptionEntry(Part):
    """A deviation that somebody answers for, until a day; after it the hub does not validate."""

    name: Annotated[str, Field(pattern=LABEL, max_length=60)]
    kind: ExceptionKind
    target: Annotated[str, Field(pattern=TARGET, max_length=200)]
    """What it is granted to: tenant/NAME, system/NAME, service/NAME or hub; waivers of capacity also place/SITE/HALL…,
    power/ELEMENT or cluster/NAME."""
    rule: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    """For a waiver: the policy rule that is waived."""
    owner: str = Field(min_length=1, max_length=80)
    reason: str = Field(min_length=8, max_length=300)
    until: date
    """The last day it holds."""

    @model_validator(mode="after")
    def _rule_for_waiver(self) -> ExceptionEntry:
        if (self.kind is ExceptionKind.WAIVER) != (self.rule is not None):
            raise ValueError("`rule` goes with kind waiver, and a waiver needs it")
        return self
