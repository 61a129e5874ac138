"""Names of Kubernetes objects that are put together from two names: short enough, and never the same twice."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.inventory.checks.report import Report
from govhub.inventory.index import Owner
from govhub.inventory.model.tenancy import System
from govhub.inventory.topology import Path

MAX_NAMESPACE = 63
# A pod adds "-" and up to 10 characters of its replica set or job; the pod's name must fit a label of 63.
MAX_OBJECT = 52


def namespace_of(tenant: str, environment: str) -> str:
    """The namespace of a tenant's environment."""
    return f"{tenant}-{environment}"


def service_namespace(service: str) -> str:
    """The namespace of a platform service."""
    return f"svc-{service}"


def check(report: Report) -> None:
    """NAM010 namespaces and NAM011 objects that coincide or NAM012 are too long."""
    _namespaces(report)
    taken: dict[tuple[str, str, str], str] = {}
    told: set[Path] = set()
    for where, owner in report.index.owners():
        _long_names(report, where, owner)
        for place, path, name, parts in _objects(where, owner):
            other = taken.setdefault((*place, name), parts)
            # Two that meet in several environments are one mistake.
            if other != parts and path not in told:
                told.add(path)
                report.error(
                    "NAM011",
                    path,
                    f'the {place[1]} "{name}" would stand for {other} and for {parts} in one namespace',
                    hint="rename one of the systems or its part",
                )


def _namespaces(report: Report) -> None:
    """The model's lengths keep each below ``MAX_NAMESPACE`` (a test holds them to it); here they must differ."""
    taken: dict[str, str] = {}
    for position, service in enumerate(report.model.services):
        _take(report, taken, service_namespace(service.name), f"service {service.name}", ("services", position, "name"))
    for position, tenant in enumerate(report.model.tenants):
        for environment in report.index.environments:
            owner = f"tenant {tenant.name}, environment {environment}"
            _take(report, taken, namespace_of(tenant.name, environment), owner, ("tenants", position, "name"))


def _take(report: Report, taken: dict[str, str], namespace: str, owner: str, path: Path) -> None:
    other = taken.setdefault(namespace, owner)
    if other != owner:
        report.error(
            "NAM010",
            path,
            f'two owners would share the namespace "{namespace}"',
            detail=f"{other}; {owner}",
            hint="rename the tenant or the environment: hyphens join both names",
        )


def _objects(where: Path, owner: Owner) -> Iterator[tuple[tuple[str, str], Path, str, str]]:
    """``((namespace, kind), path, object name, its two parts)`` of what a system or service puts into namespaces."""
    if isinstance(owner, System):
        namespaces = [namespace_of(owner.tenant, environment) for environment in owner.environments]
    else:
        namespaces = [service_namespace(owner.name)]
    workloads = [("workload", position, item.name) for position, item in enumerate(owner.workloads)]
    secrets = [("secret", position, item.name) for position, item in enumerate(owner.secrets)]
    for kind, position, name in workloads + secrets:
        path: Path = (*where, f"{kind}s", position, "name")
        for namespace in dict.fromkeys(namespaces):
            yield (namespace, kind), path, f"{owner.name}-{name}", f"{owner.name}/{name}"


def _long_names(report: Report, where: Path, owner: Owner) -> None:
    for position, workload in enumerate(owner.workloads):
        name = f"{owner.name}-{workload.name}"
        if len(name) > MAX_OBJECT:
            report.error(
                "NAM012",
                (*where, "workloads", position, "name"),
                f'the object name "{name}" has {len(name)} characters; the limit is {MAX_OBJECT}',
                detail="pods add a suffix of 11 characters, and 63 is the most that Kubernetes takes",
                hint="shorten the name of the system or of the workload",
            )
