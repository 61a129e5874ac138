"""``lab up|status|down``: the embedded data center of a hub."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.kube import KINDS
from govhub.core.settings import hub_home
from govhub.engine.bucket import hub_keys
from govhub.engine.lease import HubLock
from govhub.engine.state import State
from govhub.engine.targets import PINS
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster
from govhub.inventory.model.tenancy import Service, System, WorkloadKind
from govhub.inventory.topology import PlacedHost
from govhub.lab.cluster import LabCluster
from govhub.lab.hosts.base import require_root
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.meters.center import Meters, need_packages
from govhub.lab.nodes import STORAGE_CLASS, await_nodes, make_nodes, make_volumes, recycle_volumes
from govhub.lab.toolchain import CONTROL_PLANE, require
from govhub.ops.addresses import ranges_of
from govhub.ops.hosts import forget_hosts
from govhub.ops.labhosts import boot_hosts, chosen_hosts, connect_hosts, lab_clusters, real_nodes
from govhub.ops.labmeters import start_meters
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket
from govhub.ops.session import Connection, Session

SPARE_VOLUMES = 20
NODE_SECONDS = 90
Progress = Callable[[str], None]


def lab_up(
    hub_name: str, nodes: int | None, progress: Progress, hosts: int | None = None, meters: bool | None = False
) -> dict[str, Any]:
    """Start a control plane for each cluster of the hub without a kubeconfig of its own, and make its nodes.

    Args:
        hub_name: The hub.
        nodes: At least this many nodes a cluster: the declared hosts are repeated, for tests of size.
        hosts: Boot this many real hosts too, those marked ``lab`` first; 0 boots those that are marked.
        progress: Told what happens; building the toolchain can take minutes.
        meters: Start meters: True or an error, None where they can be had, False leaves them as they are.

    Raises:
        ToolMissing: the toolchain cannot be built, or the programs of meters that are wanted are not installed.
        GovhubError: a cluster did not start.
    """
    hub, _ = valid_hub(hub_name)
    clusters = lab_clusters(hub)
    chosen: list[str] = []
    if hosts is not None:
        # Before minutes are spent on clusters.
        require_root()
        chosen = chosen_hosts(hub, hosts)
    if meters:
        need_packages()
    tools = require(CONTROL_PLANE, progress)
    real = real_nodes(hub, chosen)
    out = []
    for cluster in clusters:
        started = time.monotonic()
        lab = LabCluster(hub.name, cluster.name)
        if lab.up(tools, ranges_of(hub, cluster)):
            forget_cluster(hub, cluster.name)
        kube = lab.connect()
        placed = [host for host in hub.topology.nodes(cluster.name) if host.name not in real]
        made = make_nodes(kube, _at_least(placed, nodes))
        make_volumes(kube, _volume_sizes(hub, cluster), STORAGE_CLASS)
        if not await_nodes(kube, NODE_SECONDS):
            raise _no_nodes(lab)
        seconds = time.monotonic() - started
        progress(f"cluster {cluster.name}: {made} nodes made, ready after {seconds:.1f} s")
        out.append(_describe(lab) | {"seconds": round(seconds, 2)})
    document: dict[str, Any] = {"schema": "govhub.lab/1", "hub": hub.name, "clusters": out}
    if hosts is not None:
        document["hosts"] = boot_hosts(hub, hosts, progress)
    connect_hosts(hub, progress)
    if meters is not False:
        # Only labs with meters need rules, and what makes them takes a while to import.
        from govhub.monitoring.rules.texts import Texts
        from govhub.ops.capacity.rules import lab_files

        document["meters"] = start_meters(hub, progress, wanted=bool(meters), files=lab_files(hub, Texts()))
    return document


def lab_status(hub_name: str) -> dict[str, Any]:
    """Which lab clusters run."""
    hub, _ = valid_hub(hub_name)
    clusters = [_describe(LabCluster(hub.name, item.name)) for item in lab_clusters(hub)]
    fleet = Fleet(hub.name)
    hosts = {"hosts": fleet.describe()} if fleet.exists() else {}
    meters = {"meters": Meters(hub.name).describe()} if Meters(hub.name).exists() else {}
    return {"schema": "govhub.lab/1", "hub": hub.name, "clusters": clusters, **hosts, **meters}


def lab_down(hub_name: str) -> dict[str, Any]:
    """End the lab's processes, remove its data, and put the state of its clusters aside: their objects are gone."""
    hub, _ = valid_hub(hub_name)
    labs = {cluster.name: LabCluster(hub.name, cluster.name) for cluster in lab_clusters(hub)}
    # A lab of hosts alone has nothing that these programs would have to end.
    tools = require(CONTROL_PLANE) if any(lab.holds_data() for lab in labs.values()) else {}
    out = []
    Meters(hub.name).down()
    if (fleet := Fleet(hub.name)).exists():
        fleet.down()
        forget_hosts(hub)
    for name, lab in labs.items():
        existed = lab.exists()
        lab.down(tools)
        if existed:
            forget_cluster(hub, name)
        out.append(_describe(lab))
    return {"schema": "govhub.lab/1", "hub": hub.name, "clusters": out}


def forget_cluster(hub: Hub, cluster: str) -> list[str]:
    """Drop the pin of a cluster that is gone, and move its state aside; returns the keys that were moved.

    Raises:
        LockHeld: a run works on the hub.
    """
    state = State(hub.model.hub.name, state_bucket(hub))
    with HubLock(state, "forget", f"forget {cluster}"):
        aside = hub_home(hub.model.hub.name) / "aside" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{cluster}"
        moved = []
        for key in hub_keys(state.bucket, state.hub):
            ours = f"/{state.hub}.{cluster}." in key or f"/intents/{cluster}." in key
            if ours and (data := state.bucket.get(key)) is not None:
                target = aside / key
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                target.write_bytes(data)
                target.chmod(0o600)
                state.bucket.delete(key)
                moved.append(key)
        pins = dict(state.read(PINS) or {})
        if pins.pop(cluster, None):
            state.write(PINS, pins)
    return moved


def recycle_lab_volumes(session: Session, connections: dict[str, Connection]) -> None:
    """Offer volumes again whose claims are gone: the lab's fixed volumes stand for a storage system that would."""
    for name, connection in connections.items():
        lab = LabCluster(session.name, name)
        if connection.kube and connection.kubeconfig == lab.kubeconfig:
            recycle_volumes(connection.kube)


def _at_least(hosts: list[PlacedHost], count: int | None) -> list[PlacedHost]:
    if not hosts or not count:
        return hosts
    extra = [
        dataclasses.replace(hosts[index % len(hosts)], name=f"lab-{index:05d}") for index in range(len(hosts), count)
    ]
    return hosts + extra


def _volume_sizes(hub: Hub, cluster: Cluster) -> list[str]:
    """Room for every claim of the hub: the largest size for all, and some to spare for changes."""
    owners: list[System | Service] = [*hub.model.systems, *hub.model.services]
    works = [work for owner in owners for work in owner.workloads if work.kind is WorkloadKind.STATEFULSET]
    environments = len(hub.model.hub.environments)
    count = sum(work.replicas * environments for work in works if work.storage)
    return ["8Ti"] * (count + SPARE_VOLUMES if cluster and count else 0)


def _describe(lab: LabCluster) -> dict[str, Any]:
    running = lab.running()
    nodes = None
    if running:
        try:
            nodes = sum(1 for _ in lab.connect().list(KINDS["", "Node"]))
        except GovhubError:
            running = False
    return {
        "name": lab.cluster,
        "state": "running" if running else _not_running(lab),
        "nodes": nodes,
        "kubeconfig": str(lab.kubeconfig) if lab.exists() else None,
        "pids": sorted(lab.pids().values()),
    }


def _not_running(lab: LabCluster) -> str:
    if not lab.exists():
        return "absent"
    return "incomplete" if lab.pids() else "stopped"


def _no_nodes(lab: LabCluster) -> GovhubError:
    dead = lab.dead()
    return GovhubError.one(
        "LAB003",
        f"the nodes of the lab cluster {lab.hub}/{lab.cluster} are not ready after {NODE_SECONDS} s",
        detail=f"ended: {', '.join(dead)}" if dead else "all its processes live",
        hint=f"look at {lab.folder}/clusters/lab/logs, then: govhub lab down {lab.hub} && govhub lab up {lab.hub}",
    )
