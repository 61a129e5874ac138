"""The nodes and volumes of a lab cluster: declared hosts as nodes, fixed volumes instead of a storage system."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from govhub.core.kube import KINDS, Kube, is_ready
from govhub.inventory.topology import PlacedHost

STORAGE_CLASS = "govhub-standard"
LOCAL_VOLUMES = 4
"""Volumes on the own disk of each real node."""
SIMULATED = "kwok.x-k8s.io/node"
"""Annotation and label of the nodes that kwok plays."""


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


def make_local_volumes(kube: Kube, node: str, count: int, storage_class: str) -> int:
    """Create volumes on the own disk of a real node; returns how many were made."""
    return kube.create_all(_local(node, index, storage_class) for index in range(count))


def recycle_volumes(kube: Kube) -> int:
    """Free the simulated volumes whose claims were deleted; returns how many. Real ones hold data."""
    kind = KINDS["", "PersistentVolume"]
    released = [
        item
        for item in kube.list(kind)
        if item.get("status", {}).get("phase") == "Released" and "local" not in item["spec"]
    ]
    for item in released:
        kube.patch(kind, item["metadata"]["name"], "", {"spec": {"claimRef": None}})
    return len(released)


def await_nodes(kube: Kube, seconds: float) -> bool:
    """Wait until kwok has reported for every node it simulates; False when it has not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while (
        not (ready := all(is_ready(node) for node in kube.list(KINDS["", "Node"]) if _simulated(node)))
        and time.monotonic() < deadline
    ):
        time.sleep(0.2)
    return ready


def _simulated(node: dict[str, Any]) -> bool:
    return bool(node["metadata"].get("annotations", {}).get(SIMULATED) == "fake")


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
        SIMULATED: "fake",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": host.name,
            "labels": labels,
            "annotations": {SIMULATED: "fake", "node.alpha.kubernetes.io/ttl": "0"},
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


def local_folder(index: int) -> str:
    """Where a node keeps its local volume of this number."""
    return f"/var/lib/govhub-lab/volumes/{index:02d}"


def _local(node: str, index: int, storage_class: str) -> dict[str, Any]:
    """The smallest that fits is taken first, so these are, and their pods come to where they are."""
    volume = _volume(index, "100Gi", storage_class)
    volume["metadata"]["name"] = f"{node}-{index:02d}"
    del volume["spec"]["hostPath"]
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    volume["spec"] |= {
        "local": {"path": local_folder(index)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
    }
    return volume
