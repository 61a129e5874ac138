"""Whether the workloads that were put on a cluster run: by a few LIST calls, not by a watch per object."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from govhub.core.kube import KINDS, Kube
from govhub.ops.requests import Readiness
from govhub.stacks.context import DOMAIN

PAUSE = 1.5
_CONTROLLERS = (KINDS["apps", "Deployment"], KINDS["apps", "StatefulSet"])
_POD = KINDS["", "Pod"]


def readiness(kubes: Iterable[Kube], hub: str) -> Readiness:
    """Ready and wanted controllers of the hub on all clusters, and why the others wait."""
    total, waiting = 0, []
    for kube in kubes:
        for body in kube.list_many(_CONTROLLERS, selector=f"{DOMAIN}/hub={hub}"):
            total += 1
            if not _ready(body):
                meta = body["metadata"]
                waiting.append((f"{kube.name}/{body['kind']}/{meta['namespace']}/{meta['name']}", _counts(body)))
    return Readiness(total - len(waiting), total, tuple(sorted(waiting)))


def wait_until_ready(kubes: list[Kube], hub: str, seconds: float, stop: threading.Event) -> Readiness:
    """Look until everything is ready, ``seconds`` have passed or ``stop`` is set; reasons are added for what waits."""
    deadline = time.monotonic() + seconds
    while True:
        found = readiness(kubes, hub)
        if not found.waiting or stop.is_set():
            return found
        if time.monotonic() > deadline:
            return explain(kubes, hub, found)
        stop.wait(PAUSE)


def explain(kubes: list[Kube], hub: str, found: Readiness) -> Readiness:
    """Add what the scheduler says about pods that wait."""
    reasons: dict[str, str] = {}
    for kube in kubes:
        for pod in kube.list(_POD, selector=f"{DOMAIN}/hub={hub}"):
            why = pod_reason(pod)
            if why:
                reasons.setdefault(f"{kube.name}/{pod['metadata']['namespace']}", why)
    waiting = []
    for address, counts in found.waiting:
        cluster, _, namespace, _ = address.split("/")
        why = reasons.get(f"{cluster}/{namespace}", "")
        waiting.append((address, f"{counts}; {why}" if why else counts))
    return Readiness(found.ready, found.total, tuple(waiting))


def _ready(body: dict[str, Any]) -> bool:
    status = body.get("status") or {}
    wanted = body["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= body["metadata"].get("generation", 0)
    return bool(seen and status.get("readyReplicas", 0) >= wanted and status.get("updatedReplicas", wanted) >= wanted)


def _counts(body: dict[str, Any]) -> str:
    return f"{(body.get('status') or {}).get('readyReplicas', 0)} of {body['spec'].get('replicas', 1)} pods ready"


def pod_reason(pod: dict[str, Any]) -> str:
    """Why the scheduler leaves a pod waiting; empty when it does not."""
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return str(condition.get("message", ""))[:200]
    return ""
