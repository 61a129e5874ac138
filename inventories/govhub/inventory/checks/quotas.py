"""Whether what systems and services request fits into the quota of their namespace."""

from __future__ import annotations

from collections import defaultdict

from govhub.inventory import sizing
from govhub.inventory.checks.report import Report
from govhub.inventory.index import Index
from govhub.inventory.model.tenancy import System
from govhub.inventory.topology import Path

HINT = "choose a larger quota class, or lower replicas, requests or volumes"


def check(report: Report) -> None:
    """CAP003 requests above the quota of a tenant's environment or of a service."""
    systems = _by_namespace(report.index)
    for position, tenant in enumerate(report.model.tenants):
        if tenant.quota not in report.index.quota_classes:
            continue
        for environment in report.index.environments.values():
            inside = systems.get((tenant.name, environment.name), [])
            needs = sum((sizing.system_requests(system, environment) for system in inside), sizing.Amount())
            short = needs.shortages(sizing.namespace_quota(report.model, tenant, environment))
            volumes = sum(sizing.system_storage(system, environment) for system in inside)
            short += _storage(volumes, sizing.namespace_storage(report.model, tenant, environment))
            what = f'the systems of tenant "{tenant.name}" in environment "{environment.name}"'
            _tell(report, ("tenants", position, "quota"), what, short)
    _services(report)


def _by_namespace(index: Index) -> dict[tuple[str, str], list[System]]:
    """Systems by tenant and environment."""
    found: defaultdict[tuple[str, str], list[System]] = defaultdict(list)
    for system in index.model.systems:
        for environment in dict.fromkeys(system.environments):
            found[system.tenant, environment].append(system)
    return found


def _services(report: Report) -> None:
    for position, service in enumerate(report.model.services):
        if service.quota in report.index.quota_classes:
            short = sizing.system_requests(service).shortages(sizing.quota_of(report.model, service))
            short += _storage(sizing.system_storage(service), sizing.storage_quota(report.model, service))
            _tell(report, ("services", position, "quota"), f'the service "{service.name}"', short)


def _storage(need: int, have: int) -> list[str]:
    return [sizing.shortage("storage", need, have)] if need > have else []


def _tell(report: Report, path: Path, what: str, short: list[str]) -> None:
    if short:
        verb = "requests" if what.startswith("the service") else "request"
        report.error("CAP003", path, f"{what} {verb} more than the quota: {', '.join(short)}", hint=HINT)
