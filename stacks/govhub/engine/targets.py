"""Targets: which cluster is meant, and proof that the one that answers is that cluster."""

from __future__ import annotations

from govhub.core.errors import TargetUnreachable
from govhub.core.kube import Kube
from govhub.engine.state import State
from govhub.inventory.model.compute import Cluster

PINS = "pins.json"


def pinned(state: State) -> dict[str, str]:
    """The UID of each cluster that a run has been bound to."""
    return dict(state.read(PINS) or {})


def verify(cluster: Cluster, kube: Kube, pins: dict[str, str]) -> str:
    """The UID of the cluster that answers.

    Raises:
        TargetUnreachable: it does not answer, or is not the one declared or pinned.
    """
    uid = kube.uid()
    expected = cluster.uid or pins.get(cluster.name)
    if expected and expected != uid:
        raise TargetUnreachable.one(
            "TGT001",
            f"cluster {cluster.name} is not the one this hub is bound to",
            detail=f"expected UID {expected}, found {uid}; nothing was written",
            address=f"clusters.{cluster.name}",
            hint="check the kubeconfig; if the cluster was rebuilt on purpose: govhub state forget HUB --cluster NAME",
        )
    return uid


def pin(state: State, found: dict[str, str]) -> list[str]:
    """Bind the hub to clusters that were not pinned yet; returns their names."""
    pins = pinned(state)
    new = [name for name in found if name not in pins]
    if new:
        state.write(PINS, pins | found)
    return new
