"""The nodes and volumes of a lab cluster: declared hosts as nodes, fixed volumes instead of a storage system."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from govhub.core.kube import KINDS, Kube
from govhub.inventory.topology import PlacedHost

_SIMULATED = "kwok.x-k8s.io/node"


def make_nodes(kube: Kube, hosts: Iterable[PlacedHost]) -> int:
    """Create a node for each host that is none yet; returns how many were made."""
    return kube.create_all(_node(host) for host in hosts)


def drop_nodes(kube: Kube, names: Iterable[str]) -> None:
    """Delete those of these nodes that kwok simulates: real hosts take their place."""
    kind = KINDS["", "Node"]
    for name in names:
        node = kube.get(kind, name)
        if node and _simulated(node):
            kube.delete(kind, name)


def make_volumes(kube: Kube, sizes: Iterable[str], storage_class: str) -> int:
    """Create the fixed volumes that the lab offers instead of a storage system; returns how many were made."""
    return kube.create_all(_volume(index, size, storage_class) for index, size in enumerate(sizes))


def recycle_volumes(kube: Kube) -> int:
    """Free the volumes whose claims were deleted; returns how many."""
    kind = KINDS["", "PersistentVolume"]
    released = [item for item in kube.list(kind) if item.get("status", {}).get("phase") == "Released"]
    for item in released:
        kube.patch(kind, item["metadata"]["name"], "", {"spec": {"claimRef": None}})
    return len(released)


def await_nodes(kube: Kube, seconds: float) -> bool:
    """Wait until kwok has reported for every node it simulates; False when it has not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while (
        not (ready := all(_ready(node) for node in kube.list(KINDS["", "Node"]) if _simulated(node)))
        and time.monotonic() < deadline
    ):
        time.sleep(0.2)
    return ready


def _simulated(node: dict[str, Any]) -> bool:
    return bool(node["metadata"].get("annotations", {}).get(_SIMULATED) == "fake")


def _ready(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions") or []
    return any((item["type"], item["status"]) == ("Ready", "True") for item in conditions)


def _node(host: PlacedHost) -> dict[str, Any]:
    amounts = {
        "cpu": f"{host.millicores}m",
        "memory": str(host.memory),
        "pods": "110",
        "ephemeral-storage": "1Ti",
    }
    if host.accelerator:
        amounts[host.accelerator] = str(host.accelerators)
    labels = {
        "kubernetes.io/arch": host.arch,
        "kubernetes.io/hostname": host.name,
        "kubernetes.io/os": "linux",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": host.name,
            "labels": labels,
            "annotations": {_SIMULATED: "fake", "node.alpha.kubernetes.io/ttl": "0"},
        },
        "status": {
            "allocatable": amounts,
            "capacity": amounts,
            "nodeInfo": {"architecture": host.arch, "operatingSystem": "linux", "kubeletVersion": "kwok"},
        },
    }


def _volume(index: int, size: str, storage_class: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"lab-{index:04d}"},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": storage_class,
            "hostPath": {"path": f"/var/lib/govhub-lab/{index:04d}"},
        },
    }
