"""Names that must be unique, and names that are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from govhub.inventory.checks.report import Report
from govhub.inventory.index import Index
from govhub.inventory.topology import Path

RESERVED = ("default", "svc", "govhub")
RESERVED_PREFIXES = ("kube", "svc-", "govhub-")
SECTIONS = (
    "figures",
    "regions",
    "sites",
    "ledger",
    "device_types",
    "links",
    "circuits",
    "zones",
    "clusters",
    "databases",
    "load_balancers",
    "quota_classes",
    "tenants",
    "services",
    "systems",
    "sources",
    "exceptions",
)


def check(report: Report) -> None:
    """NAM001 declared twice, NAM002 reserved, NAM003 groups of the API server, NAM004 shared groups."""
    for where, names in _lists(report.index):
        _unique(report, where, names)
    _unique_codes(report)
    _reserved(report)
    _groups(report)


def _lists(index: Index) -> Iterator[tuple[Path, list[str]]]:
    """Every list whose items' names must differ, with its path."""
    model = index.model
    yield ("hub", "environments"), [part.name for part in model.hub.environments]
    for section in SECTIONS:
        yield (section,), [part.name for part in getattr(model, section)]
    for position, site in enumerate(model.sites):
        yield ("sites", position, "halls"), [hall.name for hall in site.halls]
    for position, cluster in enumerate(model.clusters):
        yield ("clusters", position, "pools"), [pool.name for pool in cluster.pools]
    for position, database in enumerate(model.databases):
        yield ("databases", position, "hosts"), list(database.hosts)
        yield ("databases", position, "tenants"), [entry.database for entry in database.tenants]
    for position, balancer in enumerate(model.load_balancers):
        yield ("load_balancers", position, "hosts"), list(balancer.hosts)
        yield ("load_balancers", position, "listeners"), [listener.name for listener in balancer.listeners]
    yield ("migration", "teams"), [team.name for team in model.migration.teams]
    yield ("migration", "approvers"), [approver.name for approver in model.migration.approvers]
    for position, migration in enumerate(model.migrations):
        yield ("migrations", position, "moves"), [move.name for move in migration.moves]
    for where, owner in index.owners():
        yield (*where, "workloads"), [workload.name for workload in owner.workloads]
        yield (*where, "secrets"), [secret.name for secret in owner.secrets]
    for position, system in enumerate(model.systems):
        yield ("systems", position, "environments"), list(system.environments)


def _unique(report: Report, where: Path, names: Iterable[str]) -> None:
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if name not in first:
            first[name] = position
            continue
        report.error(
            "NAM001",
            (*where, position),
            f'"{name}" stands twice in {where[-1]}',
            detail=f"first at {report.hub.at(*where, first[name])}",
            hint="rename one of them, or remove it",
        )


def _unique_codes(report: Report) -> None:
    first: dict[str, str] = {}
    for position, region in enumerate(report.model.regions):
        if region.code and region.code in first:
            report.error(
                "NAM005",
                ("regions", position, "code"),
                f'the division code {region.code} is that of "{first[region.code]}" too',
                hint="look the code up in GB/T 2260 (six digits) or GB/T 10114",
            )
        elif region.code:
            first[region.code] = region.name


def _reserved(report: Report) -> None:
    for position, tenant in enumerate(report.model.tenants):
        if tenant.name in RESERVED or tenant.name.startswith(RESERVED_PREFIXES):
            report.error(
                "NAM002",
                ("tenants", position, "name"),
                f'the tenant name "{tenant.name}" is reserved',
                detail="its namespaces would be mistaken for those of Kubernetes, of the services or of govhub",
                hint="take another name: not default, svc or govhub, nor one that starts with kube, svc- or govhub-",
            )


def _groups(report: Report) -> None:
    """Directory groups: ``system:`` ones belong to the API server, and one group in two places mixes rights."""
    first: dict[str, str] = {}
    for position, tenant in enumerate(report.model.tenants):
        for role, group in tenant.groups.items():
            where = ("tenants", position, "groups", role)
            if group.startswith("system:") or not group.strip():
                report.error(
                    "NAM003",
                    where,
                    f'the group "{group}" cannot be given to a tenant',
                    detail="groups that start with system: are the API server's own; some mean everybody",
                    hint="name a group of the city's directory, or leave it out for <hub>:<tenant>:<role>",
                )
            elif group in first:
                _shared(report, where, group, first[group], tenant.name)
            else:
                first[group] = tenant.name


def _shared(report: Report, where: Path, group: str, first: str, tenant: str) -> None:
    if first == tenant:
        hint = "name one group per role: the stronger role wins for everybody in it"
        report.error("NAM004", where, f'tenant "{tenant}" gives the group "{group}" two roles', hint=hint)
    else:
        summary = f'the group "{group}" has rights in two tenants, "{first}" and "{tenant}"'
        report.warning("NAM004", where, summary, hint="name a group of its own for each tenant, unless this is meant")
