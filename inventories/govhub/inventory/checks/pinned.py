"""Workloads that need a certain pool, architecture or accelerators: whether those hosts can carry them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from govhub.core.quantities import GIB
from govhub.inventory import sizing
from govhub.inventory.checks.capacity import workers
from govhub.inventory.checks.report import Report
from govhub.inventory.index import Index, Owner
from govhub.inventory.model.tenancy import System, Workload
from govhub.inventory.sizing import Amount
from govhub.inventory.topology import Path, PlacedHost


class Group(NamedTuple):
    """Hosts of a cluster that a workload may be bound to: one pool, one architecture, or those with accelerators."""

    cluster: str
    kind: str
    value: str = ""

    def __str__(self) -> str:
        if self.kind == "accelerators":
            return f'the hosts with accelerators of cluster "{self.cluster}"'
        what = "pool" if self.kind == "pool" else "architecture"
        return f'{what} "{self.value}" of cluster "{self.cluster}"'


def check(report: Report) -> None:
    """CAP004 pinned workloads above their hosts, CAP006 a pool without hosts, CAP007 pods no host can take."""
    nodes = workers(report.hub.topology.hosts.values())
    members = _members(nodes)
    shapes = _shapes(nodes)
    needs: defaultdict[Group, Amount] = defaultdict(Amount)
    for where, owner in report.index.owners():
        cluster = report.index.cluster_of(owner)
        if cluster is None or cluster not in nodes:
            continue
        for position, workload in enumerate(owner.workloads):
            for group in _groups(report.index, cluster, workload):
                needs[group] += _all_environments(report.index, owner, workload)
            _one_pod(report, (*where, "workloads", position), cluster, workload, shapes[cluster])
    told: set[Group] = set()
    # Pools first: what is short in a pool is not told again for the pool's architecture.
    for group in sorted(needs, key=lambda group: group.kind != "pool"):
        if group not in told and _together(report, group, needs[group], members.get(group, [])):
            pool = report.index.pools[group.cluster].get(group.value)
            told.add(Group(group.cluster, "arch", pool.arch.value if pool else ""))


def _groups(index: Index, cluster: str, workload: Workload) -> Iterator[Group]:
    """What a workload is bound to; a pool also means the pool's architecture."""
    pool = index.pools[cluster].get(workload.pool or "")
    if pool:
        yield Group(cluster, "pool", pool.name)
    if arch := workload.arch or (pool and pool.arch):
        yield Group(cluster, "arch", arch.value)
    if workload.accelerators:
        yield Group(cluster, "accelerators")


def _members(nodes: dict[str, list[PlacedHost]]) -> dict[Group, list[PlacedHost]]:
    found: defaultdict[Group, list[PlacedHost]] = defaultdict(list)
    for cluster, hosts in nodes.items():
        for host in hosts:
            found[Group(cluster, "pool", host.pool)].append(host)
            found[Group(cluster, "arch", host.arch)].append(host)
            if host.accelerators:
                found[Group(cluster, "accelerators")].append(host)
    return dict(found)


Shape = tuple[str, str, Amount]


def _shapes(nodes: dict[str, list[PlacedHost]]) -> dict[str, set[Shape]]:
    """The few different hosts (pool, architecture, size) among the many of each cluster."""
    found: dict[str, set[Shape]] = {}
    for cluster, hosts in nodes.items():
        raw = {(host.pool, host.arch, host.millicores, host.memory, host.accelerators) for host in hosts}
        found[cluster] = {(pool, arch, Amount(cpu, memory, 1, cards)) for pool, arch, cpu, memory, cards in raw}
    return found


def _all_environments(index: Index, owner: Owner, workload: Workload) -> Amount:
    if not isinstance(owner, System):
        return sizing.requests_of(workload, production=True)
    known = [index.environments[name] for name in dict.fromkeys(owner.environments) if name in index.environments]
    return sum((sizing.requests_of(workload, environment.production) for environment in known), Amount())


def _one_pod(report: Report, path: Path, cluster: str, workload: Workload, shapes: set[Shape]) -> None:
    able = [shape for shape in shapes if workload.pool in (None, shape[0])]
    pod = sizing.pod_requests(workload)
    fits = any(pod.fits_in(size) and workload.arch in (None, arch) for _, arch, size in able)
    # A pool without hosts is unknown, not too small: CAP006 tells.
    if able and not fits:
        needs = [f"{pod.millicores / 1000:g} cores", f"{pod.memory / GIB:g} GiB memory"]
        needs += [f"{pod.accelerators} accelerators"] if pod.accelerators else []
        needs += [workload.arch.value] if workload.arch else []
        report.error(
            "CAP007",
            path,
            f'no host of {_scope(cluster, workload)} can take a pod of "{workload.name}": it needs {", ".join(needs)}',
            hint="lower what one pod requests and run more of them, or add larger hosts",
        )


def _scope(cluster: str, workload: Workload) -> str:
    return str(Group(cluster, "pool", workload.pool)) if workload.pool else f'cluster "{cluster}"'


def _together(report: Report, group: Group, needs: Amount, hosts: list[PlacedHost]) -> bool:
    """Whether the workloads bound to ``hosts`` exceed them; then it is reported."""
    path = _path(report.index, group)
    if not hosts and group.kind == "pool":
        summary = f"the capacity of {group} is unknown: it has no worker hosts here, but workloads that need it"
        report.warning("CAP006", path, summary, hint=f"add hosts with `pool: {group.value}`")
    elif hosts and (short := needs.shortages(sizing.capacity_of(hosts))):
        summary = f"the workloads that need {group} exceed what it offers: {', '.join(short)}"
        report.error("CAP004", path, summary, hint="add such hosts, or let some of the workloads run elsewhere")
        return True
    return False


def _path(index: Index, group: Group) -> Path:
    clusters = index.model.clusters
    position = next(i for i, cluster in enumerate(clusters) if cluster.name == group.cluster)
    if group.kind != "pool":
        return ("clusters", position)
    pools = clusters[position].pools
    return ("clusters", position, "pools", next(i for i, pool in enumerate(pools) if pool.name == group.value))
