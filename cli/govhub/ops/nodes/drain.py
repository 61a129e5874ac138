"""Empties a Kubernetes node through the eviction API, which keeps every disruption budget, and opens it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from govhub.core.kube import KINDS, Kube, KubeError, is_ready
from govhub.ops.nodes.pods import name_of, pods_on
from govhub.stacks.context import DOMAIN

PAUSE = 1.0
CORDONED_BY = f"{DOMAIN}/cordoned-by"
"""Annotation of a node that a run keeps pods away from, with the run: a killed one leaves it behind."""
NODE = KINDS["", "Node"]


def cordon(kube: Kube, node: str, run: str) -> None:
    """Keep new pods away."""
    kube.patch(NODE, node, "", {"metadata": {"annotations": {CORDONED_BY: run}}, "spec": {"unschedulable": True}})


def uncordon(kube: Kube, node: str) -> None:
    """Let pods come again."""
    kube.patch(NODE, node, "", {"metadata": {"annotations": {CORDONED_BY: None}}, "spec": {"unschedulable": None}})


def closed_by_others(kube: Kube, node: str) -> bool:
    """Whether somebody else keeps pods away from a node: then it is not ours to open."""
    found = kube.get(NODE, node) or {}
    return bool(found.get("spec", {}).get("unschedulable")) and not cordoned_by(kube, node)


def cordoned_by(kube: Kube, node: str) -> str:
    """The run that keeps pods away from a node; empty when none of ours does."""
    found = kube.get(NODE, node) or {"metadata": {}}
    return str((found["metadata"].get("annotations") or {}).get(CORDONED_BY, ""))


def drain(kube: Kube, node: str, seconds: float, stopped: Callable[[], bool]) -> dict[str, str]:
    """Ask each pod of a node to go, again and again while a budget says no.

    Args:
        kube: The cluster.
        node: A node that is cordoned.
        seconds: How long it may take altogether.
        stopped: Whether to give up early.

    Returns:
        The pods that are still there (``namespace/name``) with the reason; empty when the node is.
    """
    deadline = time.monotonic() + seconds
    while True:
        left = {name_of(pod): _evict(kube, pod) for pod in pods_on(kube, node)}
        if not left or stopped() or time.monotonic() > deadline:
            return left
        time.sleep(PAUSE)


def ready(kube: Kube, node: str) -> bool:
    """Whether its kubelet says that pods can run on it."""
    return is_ready(kube.get(NODE, node) or {})


def _evict(kube: Kube, pod: dict[str, Any]) -> str:
    meta = pod["metadata"]
    if meta.get("deletionTimestamp"):
        return "it is ending"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        # Only this pod: a set's member of the same name may have been made anew.
        "deleteOptions": {"preconditions": {"uid": meta["uid"]}},
    }
    try:
        kube.request("POST", f"{KINDS['', 'Pod'].path(meta['namespace'], meta['name'])}/eviction", body)
    except KubeError as error:
        if error.status in (404, 409):
            return "it is ending"
        if error.status == 429:
            return "its disruption budget allows none to go now"
        raise
    return "it is ending"
