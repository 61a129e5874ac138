"""Whether a node may be taken away: what still runs on it. Drains that move it elsewhere end with this question."""

from __future__ import annotations

from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.kube import Kube
from govhub.core.text import and_more, plural

ENDED = ("Succeeded", "Failed")
MIRROR = "kubernetes.io/config.mirror"


def undrained(kube: Kube, node: str) -> list[Diagnostic]:
    """An error when pods run on a node that a DaemonSet or the kubelet itself does not own; nothing when it is empty.

    Raises:
        TargetUnreachable, KubeError: it could not be seen, which is not the same as empty.
    """
    pods = sorted(name_of(pod) for pod in pods_on(kube, node))
    if not pods:
        return []
    return [
        Diagnostic(
            code="RET001",
            severity=Severity.ERROR,
            summary=f"{node} still runs {plural(len(pods), 'pod')}: {and_more(pods, 4)}",
            address=f"hosts/{node}",
            hint=f"drain it first: kubectl drain {node} --ignore-daemonsets",
        )
    ]


def pods_on(kube: Kube, node: str) -> list[dict[str, Any]]:
    """The pods of a node that somebody would miss."""
    found = kube.request("GET", "/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    return [pod for pod in found.get("items", []) if moves(pod)]


def name_of(pod: dict[str, Any]) -> str:
    """``namespace/name``."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def moves(pod: dict[str, Any]) -> bool:
    """Whether somebody would miss the pod: not what has ended, and not what comes and goes with the node."""
    meta = pod["metadata"]
    owners = [owner.get("kind") for owner in meta.get("ownerReferences") or [] if owner.get("controller")]
    bound = "DaemonSet" in owners or MIRROR in (meta.get("annotations") or {})
    return not bound and pod.get("status", {}).get("phase") not in ENDED
