"""Every name that refers to something: that it exists, and that both sides agree on the architecture."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from govhub.inventory.checks.report import Report
from govhub.inventory.index import Index, Owner
from govhub.inventory.model.tenancy import System, Workload
from govhub.inventory.topology import Path

Reference = tuple[Path, str, str | None, Collection[str]]
"""Where it stands, what kind of thing it names, the name (None: not given) and the names there are."""


def check(report: Report) -> None:
    """REF001 names of nothing, REF004 and REF005 wrong architecture, REF007 a pool without a cluster."""
    index = report.index
    for group in (_places(index), _network(index), _hosts(index), _tenancy(index), _owners(index), _exceptions(index)):
        for path, kind, name, known in group:
            if name is not None and name not in known:
                report.unknown(path, kind, name, known)
    _host_pools(report)
    registry = index.model.baseline.registry
    if registry and registry.host not in report.hub.topology.hosts:
        report.unknown(("baseline", "registry", "host"), "host", registry.host, report.hub.topology.hosts)
    for where, owner in index.owners():
        for position, workload in enumerate(owner.workloads):
            _workload_arch(report, (*where, "workloads", position), owner, workload)


def _places(index: Index) -> Iterator[Reference]:
    model = index.model
    yield ("hub", "region"), "region", model.hub.region, index.regions
    for i, region in enumerate(model.regions):
        yield ("regions", i, "parent"), "region", region.parent, index.regions
    for i, site in enumerate(model.sites):
        yield ("sites", i, "region"), "region", site.region, index.regions
    for i, cluster in enumerate(model.clusters):
        yield ("clusters", i, "site"), "site", cluster.site, index.sites
        yield ("clusters", i, "zone"), "zone", cluster.zone, index.zones


def _network(index: Index) -> Iterator[Reference]:
    types = {kind.name: kind for kind in index.model.device_types}
    for i, devices in enumerate(index.model.devices):
        yield ("devices", i, "type"), "device type", devices.type, types
    for i, circuit in enumerate(index.model.circuits):
        yield ("circuits", i, "site"), "site", circuit.site, index.sites
        yield ("circuits", i, "region"), "region", circuit.region, index.regions
        yield ("circuits", i, "to"), "site", circuit.to, index.sites
    for i, entry in enumerate(index.model.ledger):
        yield ("ledger", i, "site"), "site", entry.site, index.sites
    for i, prefix in enumerate(index.model.prefixes):
        yield ("prefixes", i, "zone"), "zone", prefix.zone, index.zones
        yield ("prefixes", i, "site"), "site", prefix.site, index.sites
        yield ("prefixes", i, "region"), "region", prefix.region, index.regions
        yield ("prefixes", i, "cluster"), "cluster", prefix.cluster, index.clusters


def _hosts(index: Index) -> Iterator[Reference]:
    for i, hosts in enumerate(index.model.hosts):
        yield ("hosts", i, "cluster"), "cluster", hosts.cluster, index.clusters
        if hosts.cluster in index.pools:
            yield ("hosts", i, "pool"), "pool", hosts.pool, index.pools[hosts.cluster]


def _tenancy(index: Index) -> Iterator[Reference]:
    for i, tenant in enumerate(index.model.tenants):
        yield ("tenants", i, "quota"), "quota class", tenant.quota, index.quota_classes
        yield ("tenants", i, "region"), "region", tenant.region, index.regions
        yield ("tenants", i, "cluster"), "cluster", tenant.cluster, index.clusters
    for i, service in enumerate(index.model.services):
        yield ("services", i, "quota"), "quota class", service.quota, index.quota_classes
        yield ("services", i, "cluster"), "cluster", service.cluster, index.clusters
    for i, system in enumerate(index.model.systems):
        yield ("systems", i, "tenant"), "tenant", system.tenant, index.tenants
        for j, environment in enumerate(system.environments):
            yield ("systems", i, "environments", j), "environment", environment, index.environments


def _owners(index: Index) -> Iterator[Reference]:
    for where, owner in index.owners():
        cluster = index.cluster_of(owner)
        for i, workload in enumerate(owner.workloads):
            if cluster:
                yield (*where, "workloads", i, "pool"), "pool", workload.pool, index.pools[cluster]
        own = {workload.name for workload in owner.workloads}
        for i, flow in enumerate(owner.flows):
            yield (*where, "flows", i, "workload"), f"workload of {owner.name}", flow.workload, own


def _exceptions(index: Index) -> Iterator[Reference]:
    known: dict[str, Collection[str]] = {"tenant": index.tenants, "system": index.systems, "service": index.services}
    known["cluster"] = index.clusters
    for i, exception in enumerate(index.model.exceptions):
        kind, _, name = exception.target.partition("/")
        # Places and power elements are told by the gate, which knows them: a waiver of what is not there is unused.
        if name and kind in known:
            yield ("exceptions", i, "target"), kind, name, known[kind]


def _host_pools(report: Report) -> None:
    for i, hosts in enumerate(report.model.hosts):
        if hosts.pool and not hosts.cluster:
            hint = "add `cluster`, or remove `pool`"
            report.error("REF007", ("hosts", i, "pool"), f'the pool "{hosts.pool}" is of no cluster', hint=hint)
        pool = report.index.pools.get(hosts.cluster or "", {}).get(hosts.pool or "")
        if pool and pool.arch is not hosts.arch:
            report.error(
                "REF004",
                ("hosts", i, "arch"),
                f'the hosts {hosts.names} are {hosts.arch.value}, their pool "{pool.name}" is {pool.arch.value}',
                hint="put them into a pool of their architecture: nodes of one pool are interchangeable",
            )


def _workload_arch(report: Report, where: Path, owner: Owner, workload: Workload) -> None:
    cluster = report.index.cluster_of(owner)
    pool = report.index.pools[cluster].get(workload.pool or "") if cluster else None
    if pool and workload.arch and pool.arch is not workload.arch:
        what = "system" if isinstance(owner, System) else "service"
        report.error(
            "REF005",
            (*where, "arch"),
            f'the workload "{workload.name}" needs {workload.arch.value}, its pool "{pool.name}" is {pool.arch.value}',
            hint=f"remove `arch` or change `pool`: no node of {cluster} can run this part of the {what}",
        )
