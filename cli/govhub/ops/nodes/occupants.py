"""Who would have to go for a node to be emptied: its pods, the systems that stand still meanwhile, and freezes."""

from __future__ import annotations

from dataclasses import dataclass

from govhub.core.plan import Op, PlannedChange
from govhub.core.settings import today
from govhub.hosts.fingerprint import LAYER, address_of
from govhub.inventory.loader import Hub
from govhub.ops.gates import frozen
from govhub.ops.nodes.census import Census
from govhub.ops.nodes.pods import Pod, name_of
from govhub.stacks.context import DOMAIN


@dataclass(frozen=True, slots=True)
class Occupants:
    """What runs on a node that somebody would miss."""

    pods: tuple[str, ...] = ()
    """``namespace/name``, sorted."""
    interrupts: tuple[str, ...] = ()
    """Workloads that run once, so that their system stands still meanwhile."""
    frozen: str = ""
    """The freezes that keep some of them where they are; empty when all may go."""


def occupants(census: Census, hub: Hub, node: str) -> Occupants:
    """What runs on a node; one that the cluster does not know has nobody."""
    pods = census.on(node)
    moved = [_moved(node, pod, census.tenant_of(pod)) for pod in pods]
    return Occupants(
        tuple(sorted(map(name_of, pods))),
        tuple(sorted({_owner(pod) for pod in pods if census.alone(pod)})),
        "; ".join(problem.summary for problem in frozen(hub, moved, today())),
    )


def _moved(host: str, pod: Pod, tenant: str) -> PlannedChange:
    labels = pod["metadata"].get("labels") or {}
    system = labels.get(f"{DOMAIN}/system", "")
    reason = f"a pod of {_owner(pod)} has to go"
    return PlannedChange(
        op=Op.UPDATE, address=address_of(host), reason=reason, layer=LAYER, tenant=tenant, system=system
    )


def _owner(pod: Pod) -> str:
    meta = pod["metadata"]
    component = (meta.get("labels") or {}).get("app.kubernetes.io/component", meta["name"])
    system = (meta.get("labels") or {}).get("app.kubernetes.io/part-of", "")
    return f"{meta['namespace']}/{'-'.join(filter(None, (system, component)))}"
