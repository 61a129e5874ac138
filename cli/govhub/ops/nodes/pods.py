"""Pods of a node: which of them somebody would miss, and what keeps them running."""

from __future__ import annotations

from typing import Any

from govhub.core.kube import Kube

Pod = dict[str, Any]
ENDED = ("Succeeded", "Failed")
MIRROR = "kubernetes.io/config.mirror"


def pods_on(kube: Kube, node: str) -> list[Pod]:
    """The pods of a node that somebody would miss."""
    found = kube.request("GET", "/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    return [pod for pod in found.get("items", []) if moves(pod)]


def name_of(pod: Pod) -> str:
    """``namespace/name``."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def moves(pod: Pod) -> bool:
    """Whether somebody would miss the pod: not what has ended, and not what comes and goes with the node."""
    meta = pod["metadata"]
    owners = [owner.get("kind") for owner in meta.get("ownerReferences") or [] if owner.get("controller")]
    bound = "DaemonSet" in owners or MIRROR in (meta.get("annotations") or {})
    return not bound and pod.get("status", {}).get("phase") not in ENDED


def workload_of(pod: Pod) -> str:
    """``Kind/namespace/name`` of the controller that keeps a pod running; empty when there is none."""
    meta = pod["metadata"]
    owner = next((item for item in meta.get("ownerReferences") or [] if item.get("controller")), None)
    if not owner:
        return ""
    kind, name = owner["kind"], owner["name"]
    if kind == "ReplicaSet" and (mark := (meta.get("labels") or {}).get("pod-template-hash")):
        # A Deployment's name is all but the mark that it gives to each of its sets.
        kind, name = "Deployment", name.removesuffix(f"-{mark}")
    return f"{kind}/{meta['namespace']}/{name}"
