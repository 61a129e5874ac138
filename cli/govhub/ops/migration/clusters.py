"""Clusters as places of movers: the connection, checked as `up` checks it, and what Jobs there are given."""

from __future__ import annotations

from pathlib import Path

from govhub.core.kube import Kube
from govhub.engine.state import State
from govhub.engine.targets import pinned, verify
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import MoverPlace
from govhub.migration.movers.jobs import JobRunner
from govhub.migration.movers.manifests import Setting
from govhub.migration.movers.packing import Routes
from govhub.ops.reach import kubeconfig_of, no_kubeconfig, state_bucket


def job_runner(hub: Hub, mover: MoverPlace, place: str, local: Path, routes: Routes) -> JobRunner:
    """Jobs of a move on a cluster of the hub.

    Raises:
        TargetUnreachable: the cluster does not answer, or has no kubeconfig (TGT002).
        GovhubError: another cluster answers than the one that is meant.
    """
    cluster = next(item for item in hub.model.clusters if item.name == mover.cluster)
    path, context = kubeconfig_of(hub.name, cluster)
    if path is None or not path.is_file():
        raise no_kubeconfig(hub.name, cluster)
    kube = Kube(cluster.name, path, context)
    verify(cluster, kube, pinned(State(hub.name, state_bucket(hub))))
    taints = [taint for pool in cluster.pools if pool.name == mover.pool for taint in pool.taints]
    setting = Setting(
        hub=hub.name,
        image=mover.image or "",
        storage=mover.storage,
        # The one that systems get their volumes from.
        storage_class="govhub-standard",
        node_labels={"govhub.io/pool": mover.pool} if mover.pool else {},
        tolerations=tuple(
            {"key": item.key, "operator": "Exists", "effect": item.effect}
            if not item.value
            else {"key": item.key, "operator": "Equal", "value": item.value, "effect": item.effect}
            for item in taints
        ),
    )
    return JobRunner(kube, setting, place, local, routes)
