"""What is measured now, for the use cases of capacity: meters through Prometheus, pods through the API servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.kube import Kube
from govhub.core.pods import live_pods
from govhub.core.settings import Env, value_of
from govhub.engine.state import State
from govhub.engine.targets import pinned, verify
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster
from govhub.lab.cluster import LabCluster
from govhub.lab.meters.center import Meters
from govhub.monitoring.arithmetic.figure import Figure
from govhub.monitoring.columns import Columns
from govhub.monitoring.compute import Pod
from govhub.monitoring.live.links import Links, read_links
from govhub.monitoring.live.readings import Readings, nothing, read
from govhub.monitoring.live.usage import used_millicores
from govhub.monitoring.prometheus import Prometheus
from govhub.ops.reach import kubeconfig_of, state_bucket

TENANT = "govhub.io/tenant"
_NO_PROMETHEUS = ("MTR019", f"no Prometheus is known: --prometheus URL, {Env.PROMETHEUS}, or `lab up` with meters")


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask for what is measured."""

    live: bool | None = False
    """False: nobody is contacted. True: meters and all clusters. None: meters, and clusters while the lab runs."""
    prometheus: str | None = None
    """Address; None for that of ``GOVHUB_PROMETHEUS``, else the lab's. It may hold a login, which is never shown."""

    def address(self, hub: str) -> str:
        """The address of Prometheus; empty when nobody knows one."""
        return "" if self.live is False else self.prometheus or value_of(Env.PROMETHEUS) or Meters(hub).prometheus()

    def asks_clusters(self, hub: Hub) -> bool:
        """Whether the API servers are asked for pods."""
        if self.live is not None:
            return self.live
        return any(LabCluster(hub.name, cluster.name).exists() for cluster in hub.model.clusters)


@dataclass(frozen=True, slots=True)
class Live:
    """What was measured; ``pods`` is None when not every cluster could be asked."""

    readings: Readings
    pods: list[Pod] | None
    links: dict[str, Figure]
    """p95 of the busiest port of each declared link."""
    document: dict[str, Any] | None
    """Whom was asked, and what is wrong with the answers; None when nobody was."""


@dataclass(slots=True)
class _Pods:
    found: list[Pod] | None = None
    clusters: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def live_of(columns: Columns, sources: Sources, clock: Callable[[], float] = time.time) -> Live:
    """Ask everybody; what cannot be asked is unknown, with the reason.

    Raises:
        InvalidInput: the address of Prometheus is none.
    """
    address = sources.address(columns.hub.name)
    client = Prometheus(address) if address else None
    clusters = sources.asks_clusters(columns.hub)
    if client is None and not clusters and not sources.live:
        return Live(nothing(columns), None, {}, None)
    readings = read(client, columns, clock()) if client else nothing(columns, [" ".join(_NO_PROMETHEUS)])
    links = read_links(client, columns.hub, clock()) if client else Links({}, [])
    pods = _pods(columns.hub, client) if clusters else _Pods()
    document = {
        "prometheus": client.shown if client else None,
        "clusters": pods.clusters,
        "problems": [*readings.problems, *links.problems, *pods.problems],
    }
    return Live(readings, pods.found, links.figures, document)


def _pods(hub: Hub, client: Prometheus | None) -> _Pods:
    """The pods of all clusters: departments' sums over some of them would be wrong."""
    out = _Pods()
    try:
        pins = pinned(State(hub.name, state_bucket(hub)))
    except GovhubError as error:
        what = f"nobody can say which clusters are this hub's: {error.diagnostics[0].summary}"
        out.problems.append(" ".join(("MTR020", what)))
        return out
    clusters = list(hub.model.clusters)
    with ThreadPoolExecutor(max(len(clusters), 1)) as pool:
        answers = list(pool.map(lambda cluster: _answer(hub.name, cluster, pins), clusters))
    for cluster, answer in zip(clusters, answers, strict=True):
        if isinstance(answer, str):
            what = f"pods of cluster {cluster.name} are unknown, and so is what departments use: {answer}"
            out.problems.append(" ".join(("MTR020", what)))
        else:
            out.clusters.append(cluster.name)
    if not out.problems:
        used, why = used_millicores(client, hub.name) if client else ({}, "")
        if why:
            out.problems.append(why)
        out.found = [
            Pod(tenant, node, asked, used.get((cluster.name, namespace, name)))
            for cluster, answer in zip(clusters, answers, strict=True)
            if not isinstance(answer, str)
            for namespace, name, tenant, node, asked in answer
        ]
    return out


def _answer(hub: str, cluster: Cluster, pins: dict[str, str]) -> list[tuple[str, str, str, str, int]] | str:
    path, context = kubeconfig_of(hub, cluster)
    if path is None or not path.is_file():
        return "it has no kubeconfig here"
    try:
        kube = Kube(cluster.name, path, context)
        verify(cluster, kube, pins)
        return [
            (pod.namespace, pod.name, pod.labels.get(TENANT, ""), pod.node, pod.millicores) for pod in live_pods(kube)
        ]
    except GovhubError as error:
        return error.diagnostics[0].summary
