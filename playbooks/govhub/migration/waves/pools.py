"""What systems ask of the clusters' pools, and what these offer when their worst rack is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from govhub.inventory import sizing
from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import Service, System
from govhub.inventory.sizing import Amount
from govhub.inventory.topology import PlacedHost
from govhub.migration.waves.problem import Candidate, Pool

OPEN = "open pools"
"""All pools of a cluster without taints together: where pods go that name no pool."""


@dataclass(frozen=True, slots=True)
class PoolLoad:
    """A pool before and after a wave."""

    pool: Pool
    before: Amount
    after: Amount

    @property
    def ratio(self) -> float:
        """The fullest dimension after the wave, as a part of what is offered; infinite when nothing is offered."""
        return max(
            (need / have if have else float("inf"))
            for need, have in zip(self.after.parts(), self.pool.offered.parts(), strict=True)
            if need or have
        )


def needs_of(index: Index, owner: System | Service) -> dict[str, Amount]:
    """What a system asks for in all of its environments, by pool; one with a pool of its own counts there as well."""
    cluster = index.cluster_of(owner)
    if cluster is None:
        return {}
    total: defaultdict[str, Amount] = defaultdict(Amount)
    environments = owner.environments if isinstance(owner, System) else [""]
    for name in environments:
        environment = index.environments.get(name)
        production = environment is None or environment.production
        for workload in owner.workloads:
            amount = sizing.requests_of(workload, production)
            pool = index.pools[cluster].get(workload.pool or "")
            if pool:
                total[f"{cluster}/{pool.name}"] += amount
            if pool is None or not pool.taints:
                total[f"{cluster}/{OPEN}"] += amount
    return dict(total)


def pools_of(hub: Hub, index: Index) -> tuple[Pool, ...]:
    """Every pool that has hosts, loaded with the platform's services; unknown capacity is no pool, and not zero."""
    before: defaultdict[str, Amount] = defaultdict(Amount)
    for service in hub.model.services:
        for name, amount in needs_of(index, service).items():
            before[name] += amount
    out = []
    for cluster in hub.model.clusters:
        nodes = hub.topology.nodes(cluster.name)
        tainted = {pool.name for pool in cluster.pools if pool.taints}
        parts = {OPEN: [host for host in nodes if host.pool not in tainted]}
        parts |= {pool.name: [host for host in nodes if host.pool == pool.name] for pool in cluster.pools}
        for part, hosts in parts.items():
            name = f"{cluster.name}/{part}"
            if hosts:
                rack = sizing.largest_rack(hosts)
                out.append(Pool(name, without_a_rack(hosts), before[name], rack[0] if rack else ""))
    return tuple(out)


def without_a_rack(hosts: Iterable[PlacedHost]) -> Amount:
    """What ``hosts`` offer when the worst rack is lost; each dimension loses its own worst one, as ``validate`` does.

    Hosts that all stand in one rack are offered whole: there is no second rack to be safe with.
    """
    hosts = list(hosts)
    whole, racks = sizing.capacity_of(hosts), sizing.capacity_by_rack(hosts)
    if len(racks) < 2:
        return whole
    left = [whole.of(part) - racks[sizing.largest(racks, part)].of(part) for part in sizing.DIMENSIONS]
    return Amount(*left)


def loads(pools: Iterable[Pool], waves: Iterable[Iterable[Candidate]]) -> list[list[PoolLoad]]:
    """Every pool before and after each wave, in the waves' order; pools that nothing asks for are left out."""
    used: dict[str, Amount] = {pool.name: pool.before for pool in pools}
    wanted = {pool.name: pool for pool in pools}
    out = []
    for systems in waves:
        asked = asked_of(systems)
        after = {name: amount + asked.get(name, Amount()) for name, amount in used.items()}
        out.append([PoolLoad(wanted[name], used[name], after[name]) for name in used if any(after[name].parts())])
        used = after
    return out


def asked_of(systems: Iterable[Candidate]) -> Mapping[str, Amount]:
    """What systems ask for together, by pool."""
    total: defaultdict[str, Amount] = defaultdict(Amount)
    for system in systems:
        for name, amount in system.needs.items():
            total[name] += amount
    return total
