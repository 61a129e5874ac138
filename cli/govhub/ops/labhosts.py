"""Real hosts of the lab: which are booted, and how they become nodes of the lab's clusters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.hosts.content import packages
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster, HostRole
from govhub.inventory.model.network import dns_address
from govhub.lab.cluster import LabCluster
from govhub.lab.dns import serve_names
from govhub.lab.hosts import images
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.hosts.sources import PACKAGES
from govhub.lab.nodes import LOCAL_VOLUMES, SIMULATED, STORAGE_CLASS, drop_nodes, make_local_volumes
from govhub.lab.toolchain import NODE, require
from govhub.ops.addresses import ranges_of

Progress = Callable[[str], None]


def boot_hosts(hub: Hub, count: int, progress: Progress) -> list[dict[str, Any]]:
    """Boot real hosts: ``count`` of them, those marked ``lab`` first; 0 boots those that are marked.

    Sources that the lab plays are booted beside them.

    Raises:
        ToolMissing: not root, or the tools are not installed.
        InvalidInput: none is marked and no number given.
        GovhubError: a host did not come up.
    """
    names = chosen_hosts(hub, count)
    started = time.monotonic()
    fleet = Fleet(hub.name)
    sources = lab_sources(hub)
    seconds = fleet.up([*names, *sources], lab_packages(), progress)
    progress(f"{len(seconds)} hosts booted, SSH answers after {time.monotonic() - started:.1f} s")
    return [item | {"seconds": seconds.get(item["name"])} for item in fleet.describe()]


def lab_packages() -> list[str]:
    """What the lab's mirror has: what roles install, and what old servers have."""
    return sorted({*packages(), *PACKAGES})


def lab_sources(hub: Hub) -> list[str]:
    """The sources that the lab plays."""
    return [source.name for source in hub.model.sources if source.lab]


def chosen_hosts(hub: Hub, count: int) -> list[str]:
    """The hosts to boot: those marked ``lab``, then others, up to ``count``.

    Raises:
        InvalidInput: none is marked and no number given.
    """
    placed = list(hub.topology.hosts.values())
    marked = [host.name for host in placed if host.lab]
    names = [*marked, *(host.name for host in placed if not host.lab)][: count or len(marked)]
    if not names and not lab_sources(hub):
        raise InvalidInput.one(
            "LAB018", f"no host of {hub.name} is marked `lab: true`", hint="mark some, or say how many"
        )
    return names


def real_nodes(hub: Hub, more: Iterable[str] = ()) -> dict[str, str]:
    """The booted hosts, and ``more``, that are to be nodes of lab clusters, with their cluster."""
    clusters = {cluster.name for cluster in hub.model.clusters if cluster.kubeconfig is None}
    placed = [host for name in (*Fleet(hub.name).machines(), *more) if (host := hub.topology.hosts.get(name))]
    return {host.name: host.cluster for host in placed if host.role is HostRole.WORKER and host.cluster in clusters}


def connect_hosts(hub: Hub, progress: Progress) -> None:
    """Let the booted hosts become nodes; the simulated nodes that stood for them go.

    Raises:
        ToolMissing: the programs of a node cannot be built.
    """
    real = real_nodes(hub)
    running = [LabCluster(hub.name, name) for name in sorted(set(real.values()))]
    running = [cluster for cluster in running if cluster.exists()]
    if not running:
        return
    programs = require([*NODE, *images.PROGRAMS], progress)
    archives = images.ensure(programs, progress)
    Fleet(hub.name).connect(running, {name: programs[name] for name in NODE}, archives)
    for cluster in running:
        kube = cluster.connect()
        own = [name for name, home in real.items() if home == cluster.cluster]
        drop_nodes(kube, own)
        for name in own:
            make_local_volumes(kube, name, LOCAL_VOLUMES, STORAGE_CLASS)
        declared = next(item for item in hub.model.clusters if item.name == cluster.cluster)
        taints = [taint.key for pool in declared.pools for taint in pool.taints]
        address = dns_address(ranges_of(hub, declared).services)
        serve_names(kube, hub.model.hub.registries[0], address, SIMULATED, taints)


def lab_clusters(hub: Hub) -> list[Cluster]:
    """The clusters that the lab plays: those without a kubeconfig in the hub.

    Raises:
        InvalidInput: all clusters are real ones.
    """
    found = [cluster for cluster in hub.model.clusters if cluster.kubeconfig is None]
    if not found:
        raise InvalidInput.one("LAB002", f"all clusters of {hub.name} are real ones; there is nothing to simulate")
    return found
