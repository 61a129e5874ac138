"""Who would have to go for a node to be emptied: its pods, the systems that stand still meanwhile, and freezes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from govhub.core.kube import Kube
from govhub.core.plan import Op, PlannedChange
from govhub.core.settings import today
from govhub.hosts.fingerprint import LAYER, address_of
from govhub.inventory.loader import Hub
from govhub.ops.gates import frozen
from govhub.stacks.context import DOMAIN

ENDED = ("Succeeded", "Failed")
MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True)
class Occupants:
    """What runs on a node that somebody would miss."""

    pods: tuple[str, ...] = ()
    """``namespace/name``, sorted."""
    interrupts: tuple[str, ...] = ()
    """Workloads that run once, so that their system stands still meanwhile."""
    frozen: str = ""
    """The freezes that keep some of them where they are; empty when all may go."""


def occupants(kube: Kube, hub: Hub, node: str) -> Occupants:
    """Ask a cluster what runs on a node; a node that it does not know has nobody.

    Raises:
        TargetUnreachable, KubeError: it could not be seen, which is not the same as empty.
    """
    pods = pods_on(kube, node)
    return Occupants(
        tuple(sorted(map(name_of, pods))),
        tuple(sorted({_owner(pod) for pod in pods if _alone(kube, pod)})),
        "; ".join(problem.summary for problem in frozen(hub, [_moved(node, pod) for pod in pods], today())),
    )


def pods_on(kube: Kube, node: str) -> list[dict[str, Any]]:
    """The pods of a node that somebody would miss."""
    found = kube.request("GET", "/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    return [pod for pod in found.get("items", []) if _moves(pod)]


def name_of(pod: dict[str, Any]) -> str:
    """``namespace/name``."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _moves(pod: dict[str, Any]) -> bool:
    """Whether somebody would miss the pod: not what has ended, and not what comes and goes with the node."""
    meta = pod["metadata"]
    owners = [owner.get("kind") for owner in meta.get("ownerReferences") or [] if owner.get("controller")]
    bound = "DaemonSet" in owners or MIRROR in (meta.get("annotations") or {})
    return not bound and pod.get("status", {}).get("phase") not in ENDED


def _moved(host: str, pod: dict[str, Any]) -> PlannedChange:
    labels = pod["metadata"].get("labels") or {}
    tenant, system = labels.get(f"{DOMAIN}/tenant", ""), labels.get(f"{DOMAIN}/system", "")
    reason = f"a pod of {_owner(pod)} has to go"
    return PlannedChange(
        op=Op.UPDATE, address=address_of(host), reason=reason, layer=LAYER, tenant=tenant, system=system
    )


def _owner(pod: dict[str, Any]) -> str:
    meta = pod["metadata"]
    component = (meta.get("labels") or {}).get("app.kubernetes.io/component", meta["name"])
    system = (meta.get("labels") or {}).get("app.kubernetes.io/part-of", "")
    return f"{meta['namespace']}/{'-'.join(filter(None, (system, component)))}"


def _alone(kube: Kube, pod: dict[str, Any]) -> bool:
    """Whether no other pod does its work meanwhile; what belongs to nobody comes back nowhere."""
    labels = pod["metadata"].get("labels") or {}
    component, part_of = labels.get("app.kubernetes.io/component"), labels.get("app.kubernetes.io/part-of")
    if not component or not part_of:
        return not pod["metadata"].get("ownerReferences")
    selector = f"app.kubernetes.io/component={component},app.kubernetes.io/part-of={part_of}"
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
    return len(kube.request("GET", path, labelSelector=selector)["items"]) < 2
