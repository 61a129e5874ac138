"""Where a hub's state is, and how its clusters are reached; for those who need nothing of an engine."""

from __future__ import annotations

import os
from pathlib import Path

from govhub.core.errors import InvalidInput, TargetUnreachable
from govhub.core.settings import Env, hub_home, value_of
from govhub.engine.bucket import Bucket, open_bucket
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster
from govhub.lab.cluster import LabCluster


def state_bucket(hub: Hub) -> Bucket:
    """The hub's state: GOVHUB_STATE, or a folder of this user.

    Raises:
        InvalidInput: the hub wants PostgreSQL and no address is given.
    """
    address = value_of(Env.STATE)
    if not address and hub.model.hub.state == "postgres":
        raise InvalidInput.one(
            "STA006",
            f"{hub.name} keeps its state in PostgreSQL, and no address is set",
            source=hub.at("hub", "state"),
            hint=f"export {Env.STATE}=postgres://user@host:5432/database",
        )
    return open_bucket(address or str(hub_home(hub.name) / "state"))


def kubeconfig_of(hub: str, cluster: Cluster) -> tuple[Path | None, str]:
    """Path and context of a cluster's kubeconfig: environment > hub > lab."""
    variable = Env.KUBECONFIG_PREFIX + cluster.name.upper().replace("-", "_")
    if value := value_of(variable):
        return Path(value).expanduser(), ""
    if cluster.kubeconfig:
        return Path(os.path.expandvars(cluster.kubeconfig.path)).expanduser(), cluster.kubeconfig.context
    lab = LabCluster(hub, cluster.name)
    return (lab.kubeconfig, "") if lab.exists() else (None, "")


def no_kubeconfig(hub: str, cluster: Cluster) -> TargetUnreachable:
    """That nobody says how a cluster is reached (TGT002)."""
    variable = Env.KUBECONFIG_PREFIX + cluster.name.upper().replace("-", "_")
    # As written, not as expanded: a variable named there may hold anything.
    where = value_of(variable) or (cluster.kubeconfig.path if cluster.kubeconfig else "")
    return TargetUnreachable.one(
        "TGT002",
        f"cluster {cluster.name}: "
        + (f"no kubeconfig at {where}" if where else "no kubeconfig, and no lab is running"),
        address=f"clusters.{cluster.name}",
        hint=f"start the lab with: govhub lab up {hub}, or set {variable}=/path/to/kubeconfig",
    )
