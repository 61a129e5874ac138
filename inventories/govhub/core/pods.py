"""Pods as a cluster's API server tells them: where they run and what they request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from govhub.core.kube import KINDS, Kube
from govhub.core.quantities import millicores

_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class LivePod:
    """One pod that has not ended."""

    namespace: str
    name: str
    node: str
    """Empty while it waits for a node."""
    millicores: int
    """What the scheduler counts for it."""
    labels: dict[str, str]


def live_pods(kube: Kube) -> Iterator[LivePod]:
    """All pods of a cluster that have not ended.

    Raises:
        KubeError: the API server refused.
        TargetUnreachable: it does not answer.
    """
    for item in kube.list(KINDS["", "Pod"]):
        if item.get("status", {}).get("phase") not in _ENDED:
            meta, spec = item["metadata"], item["spec"]
            node, labels = spec.get("nodeName", ""), meta.get("labels") or {}
            yield LivePod(meta.get("namespace", ""), meta["name"], node, requested(spec), labels)


def requested(spec: dict[str, Any]) -> int:
    """Millicores that a pod's specification requests: its containers together or its largest one of the start."""
    together = sum(_cpu(item) for item in spec.get("containers", []))
    first = max((_cpu(item) for item in spec.get("initContainers") or []), default=0)
    return max(together, first) + millicores((spec.get("overhead") or {}).get("cpu", 0))


def _cpu(container: dict[str, Any]) -> int:
    return millicores(((container.get("resources") or {}).get("requests") or {}).get("cpu", 0))
