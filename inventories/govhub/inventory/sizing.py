"""How much things need and offer: quotas, requests and capacity, in one currency.

CPU is in millicores, memory and storage in bytes, pods and accelerator cards are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from govhub.core.quantities import GIB, bytes_of, millicores
from govhub.inventory.model.root import Environment, HubFile, Overcommit
from govhub.inventory.model.tenancy import QuotaClass, Service, System, Tenant, Workload, WorkloadKind
from govhub.inventory.topology import PlacedHost

PODS_PER_NODE = 110
"""The kubelet's default ``maxPods``, which is also what Kubernetes is tested with."""

Dimension = Literal["millicores", "memory", "pods", "accelerators"]
DIMENSIONS: tuple[Dimension, ...] = ("millicores", "memory", "pods", "accelerators")


@dataclass(frozen=True, slots=True)
class Amount:
    """Compute resources: thousandths of a core, bytes, pods and cards."""

    millicores: int = 0
    memory: int = 0
    pods: int = 0
    accelerators: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(*(mine + theirs for mine, theirs in zip(self.parts(), other.parts(), strict=True)))

    def __sub__(self, other: Amount) -> Amount:
        return Amount(*(mine - theirs for mine, theirs in zip(self.parts(), other.parts(), strict=True)))

    def __mul__(self, times: int) -> Amount:
        return Amount(*(part * times for part in self.parts()))

    def parts(self) -> tuple[int, int, int, int]:
        """All four numbers, in the order of ``DIMENSIONS``."""
        return (self.millicores, self.memory, self.pods, self.accelerators)

    def fits_in(self, other: Amount) -> bool:
        """Whether no dimension is larger than the other's."""
        return all(mine <= theirs for mine, theirs in zip(self.parts(), other.parts(), strict=True))

    def of(self, dimension: Dimension) -> int:
        """One dimension's number."""
        return self.parts()[DIMENSIONS.index(dimension)]

    def shortages(self, available: Amount) -> list[str]:
        """What does not fit into ``available``, for people: ``120 of 96 cores``."""
        pairs = zip(DIMENSIONS, self.parts(), available.parts(), strict=True)
        return [shortage(dimension, need, have) for dimension, need, have in pairs if need > have]


assert tuple(field.name for field in fields(Amount)) == DIMENSIONS


def shortage(dimension: Dimension | Literal["storage"], need: int, have: int) -> str:
    """``need`` and ``have`` with the unit, such as ``5,120 of 4,096 GiB memory``."""
    if dimension == "millicores":
        return f"{_number(need / 1000)} of {_number(have / 1000)} cores"
    if dimension in ("memory", "storage"):
        return f"{_number(need / GIB)} of {_number(have / GIB)} GiB {dimension}"
    return f"{need:,} of {have:,} {dimension}"


def quota_of(model: HubFile, part: Tenant | Service) -> Amount:
    """The whole quota of a tenant (its overrides applied) or a service: the sum over its environments.

    Raises:
        KeyError: the quota class does not exist.
    """
    size = quota_class(model, part)
    over = part.overrides if isinstance(part, Tenant) else None
    return Amount(
        millicores((over and over.cpu) or size.cpu),
        bytes_of((over and over.memory) or size.memory),
        (over and over.pods) or size.pods,
        over.accelerators if over and over.accelerators is not None else size.accelerators,
    )


def storage_quota(model: HubFile, part: Tenant | Service) -> int:
    """The whole storage quota in bytes, overrides applied.

    Raises:
        KeyError: the quota class does not exist.
    """
    raised = part.overrides.storage if isinstance(part, Tenant) else None
    return bytes_of(raised or quota_class(model, part).storage)


def quota_class(model: HubFile, part: Tenant | Service) -> QuotaClass:
    """The quota class that ``part`` names.

    Raises:
        KeyError: it does not exist.
    """
    for size in model.quota_classes:
        if size.name == part.quota:
            return size
    raise KeyError(part.quota)


def namespace_quota(model: HubFile, tenant: Tenant, environment: Environment) -> Amount:
    """The part of a tenant's quota that its namespace of one environment gets.

    Pods are rounded up, the rest down; nothing that the tenant has becomes 0, because a quota of 0
    forbids what a small one only limits.

    Raises:
        KeyError: the quota class does not exist.
    """
    whole = quota_of(model, tenant)
    share = exact(environment.share)
    return Amount(
        _share(whole.millicores, share),
        _share(whole.memory, share),
        ceil(whole.pods * share),
        _share(whole.accelerators, share),
    )


def namespace_storage(model: HubFile, tenant: Tenant, environment: Environment) -> int:
    """The storage quota of a tenant's namespace in bytes, rounded down but not to 0.

    Raises:
        KeyError: the quota class does not exist.
    """
    return _share(storage_quota(model, tenant), exact(environment.share))


def pods_of(workload: Workload, production: bool) -> int:
    """How many pods run: all replicas in production, one elsewhere, and one of a cronjob."""
    return workload.replicas if production and workload.kind is not WorkloadKind.CRONJOB else 1


def pod_requests(workload: Workload) -> Amount:
    """What one pod requests."""
    return Amount(millicores(workload.cpu), bytes_of(workload.memory), 1, workload.accelerators)


def requests_of(workload: Workload, production: bool) -> Amount:
    """What all pods of a workload request together."""
    return pod_requests(workload) * pods_of(workload, production)


def storage_of(workload: Workload, production: bool) -> int:
    """The volumes of all pods of a workload, in bytes."""
    return bytes_of(workload.storage) * pods_of(workload, production) if workload.storage else 0


def system_requests(system: System | Service, environment: Environment | None = None) -> Amount:
    """What a system requests in one environment; a service, which has none, runs as in production."""
    production = environment is None or environment.production
    return sum((requests_of(workload, production) for workload in system.workloads), Amount())


def system_storage(system: System | Service, environment: Environment | None = None) -> int:
    """The volumes of a system in one environment, in bytes."""
    production = environment is None or environment.production
    return sum(storage_of(workload, production) for workload in system.workloads)


def capacity_of(hosts: Iterable[PlacedHost]) -> Amount:
    """What ``hosts`` offer together; ask first whether there are any, because unknown is not zero."""
    cpu = memory = pods = cards = 0
    for host in hosts:
        cpu += host.millicores
        memory += host.memory
        pods += PODS_PER_NODE
        cards += host.accelerators
    return Amount(cpu, memory, pods, cards)


def capacity_by_rack(hosts: Iterable[PlacedHost]) -> dict[str, Amount]:
    """What the hosts of each rack offer, by rack address."""
    racks: defaultdict[str, list[PlacedHost]] = defaultdict(list)
    for host in hosts:
        racks[host.rack].append(host)
    return {address: capacity_of(inside) for address, inside in racks.items()}


def largest_rack(hosts: Iterable[PlacedHost], by: Dimension = "millicores") -> tuple[str, Amount] | None:
    """The rack whose loss costs most of one dimension, with what it holds; None when there are no hosts."""
    racks = capacity_by_rack(hosts)
    if not racks:
        return None
    address = largest(racks, by)
    return address, racks[address]


def largest(racks: dict[str, Amount], by: Dimension) -> str:
    """The address of the rack with most of one dimension; the first by address among equals.

    Raises:
        ValueError: there are no racks.
    """
    return min(racks, key=lambda address: (-racks[address].of(by), address))


def overcommitted(capacity: Amount, overcommit: Overcommit) -> Amount:
    """The quotas that ``capacity`` may carry; pods and cards cannot be overcommitted."""
    return Amount(
        floor(capacity.millicores * exact(overcommit.cpu)),
        floor(capacity.memory * exact(overcommit.memory)),
        capacity.pods,
        capacity.accelerators,
    )


def exact(value: float) -> Fraction:
    """The number as it is written in the file: 0.29 of 100 is 29, which floats do not say."""
    return Fraction(str(value))


def _share(amount: int, share: Fraction) -> int:
    return max(floor(amount * share), 1) if amount else 0


def _number(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")
