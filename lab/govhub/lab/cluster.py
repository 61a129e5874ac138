"""A lab cluster: a real etcd, API server, controller manager and scheduler, and kwok for the nodes' kubelets.

``kwokctl`` starts and stops the processes; no root, no containers, loopback only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder, write_atomic
from govhub.core.kube import KINDS, Kube
from govhub.core.settings import cache, home
from govhub.inventory.topology import PlacedHost

NAME = "lab"
START_SECONDS = 90


@dataclass(frozen=True, slots=True)
class LabCluster:
    """One cluster of a hub's lab; everything it owns is under ``folder``."""

    hub: str
    cluster: str

    @property
    def folder(self) -> Path:
        """Where kwokctl keeps certificates, data, logs and process numbers."""
        return home() / "lab" / self.hub / self.cluster

    @property
    def kubeconfig(self) -> Path:
        """Credentials of the cluster's administrator; exists while the cluster does."""
        return self.folder / "kubeconfig.yaml"

    @property
    def _data(self) -> Path:
        return self.folder / "clusters" / NAME

    def exists(self) -> bool:
        """Whether the cluster was made and not taken down."""
        return self.kubeconfig.is_file()

    def pids(self) -> list[int]:
        """The processes of the cluster that are alive."""
        found = []
        for path in sorted((self._data / "pids").glob("*.pid")):
            pid = int(path.read_text().strip() or 0)
            if pid and _alive(pid):
                found.append(pid)
        return found

    def running(self) -> bool:
        """Whether its API server answers."""
        if not self.exists():
            return False
        try:
            self.connect(timeout=3).uid()
        except GovhubError:
            return False
        return True

    def connect(self, *, timeout: float = 20.0) -> Kube:
        """A connection to it."""
        return Kube(self.cluster, self.kubeconfig, timeout=timeout)

    def up(self, tools: Mapping[str, Path], services: str = "10.96.0.0/16") -> bool:
        """Start it; True when it was made anew, False when it ran already or was started again with its data.

        Args:
            tools: Paths of the control plane's binaries.
            services: The range of service addresses.

        Raises:
            GovhubError: it did not become ready.
        """
        if self.running():
            return False
        private_folder(self.folder)
        if self.exists():
            self._kwokctl(tools, "start", "cluster")
            return False
        config = self.folder / "kwokctl.yaml"
        write_atomic(config, yaml.safe_dump(_configuration(tools, services)))
        try:
            self._kwokctl(
                tools,
                "create",
                "cluster",
                "--config",
                str(config),
                "--kubeconfig",
                str(self.kubeconfig),
                "--wait",
                f"{START_SECONDS}s",
            )
        except GovhubError:
            self.down(tools)
            raise
        return True

    def stop(self, tools: Mapping[str, Path]) -> None:
        """Stop the processes and keep the data."""
        if self._data.exists():
            self._kwokctl(tools, "stop", "cluster")

    def down(self, tools: Mapping[str, Path]) -> None:
        """End the processes and remove everything; nothing happens when it does not exist."""
        if self._data.exists():
            self._kwokctl(tools, "delete", "cluster", "--kubeconfig", str(self.kubeconfig))
        shutil.rmtree(self.folder, ignore_errors=True)
        for parent in (self.folder.parent, self.folder.parent.parent):
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()

    def _kwokctl(self, tools: Mapping[str, Path], *args: str) -> None:
        command = [str(tools["kwokctl"]), *args, "--name", NAME]
        environment = {**os.environ, "KWOK_WORKDIR": str(self.folder), "HOME": str(self.folder)}
        try:
            with _one_at_a_time():
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, timeout=START_SECONDS + 30, check=False
                )
            failed, said = bool(done.returncode), done.stderr
        except subprocess.TimeoutExpired as error:
            failed, said = True, f"no end after {error.timeout:.0f} s"
        if failed:
            raise GovhubError.one(
                "LAB001",
                f"the lab cluster {self.hub}/{self.cluster} failed at `kwokctl {args[0]}`",
                detail="\n".join(said.strip().splitlines()[-6:]),
                hint=f"look at {self._data}/logs, then: govhub lab down {self.hub} && govhub lab up {self.hub}",
            )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One cluster of this machine starts or stops at a time.

    kwokctl looks for free ports first and listens on them later; two of them at once would take the same.
    """
    path = cache() / "lab.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _alive(pid: int) -> bool:
    """A process that has ended but was not collected by its parent has no command line any more."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def make_nodes(kube: Kube, hosts: Iterable[PlacedHost]) -> int:
    """Create a node for each host that is none yet; returns how many were made."""
    return kube.create_all(_node(host) for host in hosts)


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


def _configuration(tools: Mapping[str, Path], services: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "runtime": "binary",
        # kwokctl listens on all addresses unless told otherwise, etcd without any authentication.
        "bindAddress": "127.0.0.1",
        "etcdBinary": str(tools["etcd"]),
        "kubeApiserverBinary": str(tools["kube-apiserver"]),
        "kubeControllerManagerBinary": str(tools["kube-controller-manager"]),
        "kubeSchedulerBinary": str(tools["kube-scheduler"]),
        "kwokControllerBinary": str(tools["kwok"]),
        "disableQPSLimits": True,
    }
    # The lab's data need not survive a power cut of this machine, and one shared disk is slow to sync.
    etcd = {"name": "etcd", "extraArgs": [{"key": "unsafe-no-fsync", "value": "true"}]}
    # The default of a lone API server is a /24: 254 services, fewer than one city's systems have.
    addresses = {"key": "service-cluster-ip-range", "value": services}
    patches = [
        etcd,
        *({"name": name, "extraArgs": [addresses]} for name in ("kube-apiserver", "kube-controller-manager")),
    ]
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        "componentsPatches": patches,
    }


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
            "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
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
