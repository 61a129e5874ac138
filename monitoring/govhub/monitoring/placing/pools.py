"""N−1 of node pools: what is declared to run against what is left without the worst rack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from govhub.core.quantities import GIB
from govhub.inventory import sizing
from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import System
from govhub.inventory.sizing import Amount
from govhub.inventory.topology import PlacedHost
from govhub.monitoring.arithmetic import headroom

RESOURCES = {"cores": "cores", "memory": "GiB", "accelerators": "cards"}
"""What is counted, with its unit."""


_OFFERED: dict[str, Callable[[PlacedHost], float]] = {
    "cores": lambda host: host.millicores / 1000,
    "memory": lambda host: host.memory / GIB,
    "accelerators": lambda host: float(host.accelerators),
}


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One resource of a pool (or of a whole cluster, whose pool is empty)."""

    cluster: str
    pool: str
    resource: str
    requested: float
    whole: float
    """What its nodes offer."""
    left: float
    """What they offer without the rack whose loss costs most of this resource."""
    lost: str
    """That rack."""

    @property
    def address(self) -> str:
        """``cluster/pool``, or the cluster."""
        return f"{self.cluster}/{self.pool}" if self.pool else self.cluster


def after_rack_loss(hub: Hub) -> list[PoolRow]:
    """Every pool and cluster that has nodes; each resource loses the rack that holds most of it (N−1).

    Cards are a row only where somebody asks for some. What names no pool counts for its cluster alone.
    """
    asked = requests(hub)
    racks = list(hub.topology.racks)
    place = {address: number for number, address in enumerate(racks)}
    rows: list[PoolRow] = []
    for (cluster, pool), hosts in sorted(nodes_of(hub).items()):
        at = np.array([place[host.rack] for host in hosts], dtype=np.int64)
        for resource, need in _asked(asked, cluster, pool).items():
            each = np.array([_OFFERED[resource](host) for host in hosts], dtype=np.float64)
            figure = headroom.after_rack_loss(each, at, need, RESOURCES[resource], racks)
            rows.append(PoolRow(cluster, pool, resource, need, float(each.sum()), figure.denominator or 0.0, figure.at))
    return rows


def without(hub: Hub, lost: Collection[str]) -> list[PoolRow]:
    """The same with named hosts gone and nothing else: ``left`` is what the others offer, ``lost`` is empty."""
    asked = requests(hub)
    rows: list[PoolRow] = []
    for (cluster, pool), hosts in sorted(nodes_of(hub).items()):
        for resource, need in _asked(asked, cluster, pool).items():
            offered = _OFFERED[resource]
            whole = sum(offered(host) for host in hosts)
            left = sum(offered(host) for host in hosts if host.name not in lost)
            rows.append(PoolRow(cluster, pool, resource, need, whole, left, ""))
    return rows


def _asked(asked: dict[tuple[str, str], Amount], cluster: str, pool: str) -> dict[str, float]:
    """What a pool (or with an empty one, the cluster) has to carry, by resource; cards only where there are some."""
    wanted = sum((found for key, found in asked.items() if key[0] == cluster and pool in ("", key[1])), Amount())
    needs = {"cores": wanted.millicores / 1000, "memory": wanted.memory / GIB}
    return needs | ({"accelerators": float(wanted.accelerators)} if wanted.accelerators else {})


def nodes_of(hub: Hub) -> dict[tuple[str, str], list[PlacedHost]]:
    """Worker nodes by cluster and pool, and all of a cluster under an empty pool."""
    found: defaultdict[tuple[str, str], list[PlacedHost]] = defaultdict(list)
    for cluster in hub.model.clusters:
        for host in hub.topology.nodes(cluster.name):
            found[cluster.name, host.pool].append(host)
            if host.pool:
                found[cluster.name, ""].append(host)
    return dict(found)


def requests(hub: Hub) -> dict[tuple[str, str], Amount]:
    """What is declared to run, by cluster and pool (empty for any), in all environments."""
    index = Index(hub.model)
    found: defaultdict[tuple[str, str], Amount] = defaultdict(Amount)
    for _, owner in index.owners():
        cluster = index.cluster_of(owner)
        if cluster is None:
            continue
        for workload in owner.workloads:
            for production in _environments(index, owner):
                found[cluster, workload.pool or ""] += sizing.requests_of(workload, production)
    return dict(found)


def _environments(index: Index, owner: object) -> list[bool]:
    if not isinstance(owner, System):
        return [True]
    return [index.environments[name].production for name in owner.environments if name in index.environments]
