"""A lab cluster: a real etcd, API server, controller manager and scheduler, and kwok for the nodes' kubelets.

``kwokctl`` starts and stops the processes; no root, no containers, loopback only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder, write_atomic
from govhub.core.kube import Kube, KubeError
from govhub.core.settings import cache, home
from govhub.lab.nodes import SIMULATED

NAME = "lab"
START_SECONDS = 90
PROCESSES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"


@dataclass(frozen=True, slots=True)
class Ranges:
    """Addresses of a cluster, as CIDRs; without ``pods``, nodes get no range and only kwok's can run pods."""

    services: str = "10.96.0.0/16"
    pods: str = ""
    node_bits: int = 24
    """Prefix length of one node's part of ``pods``."""
    gateway: str = "10.77.0.1"
    """Where lab hosts reach the API server."""


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

    @property
    def ca(self) -> str:
        """The certificate that its API server is known by, in PEM."""
        return (self._data / "pki" / "ca.crt").read_text(encoding="ascii")

    @property
    def port(self) -> int:
        """The API server's port on the loopback."""
        document = yaml.safe_load(self.kubeconfig.read_text(encoding="utf-8"))
        return int(str(document["clusters"][0]["cluster"]["server"]).rpartition(":")[2])

    def exists(self) -> bool:
        """Whether the cluster was made and not taken down."""
        return self.kubeconfig.is_file()

    def holds_data(self) -> bool:
        """Whether there is anything to end or remove, of a start that was killed, too."""
        return self._data.exists()

    def pids(self) -> dict[str, int]:
        """The processes of the cluster that are alive, by name."""
        found = {}
        for path in sorted((self._data / "pids").glob("*.pid")):
            pid = int(path.read_text().strip() or 0)
            if pid and _alive(pid):
                found[path.stem] = pid
        return found

    def dead(self) -> list[str]:
        """The processes that should live and do not."""
        return sorted(set(PROCESSES) - set(self.pids()))

    def running(self) -> bool:
        """Whether all its processes live and its API server answers."""
        if not self.exists() or self.dead():
            return False
        try:
            self.connect(timeout=3).uid()
        except GovhubError:
            return False
        return True

    def connect(self, *, timeout: float = 20.0) -> Kube:
        """A connection to it."""
        return Kube(self.cluster, self.kubeconfig, timeout=timeout)

    def up(self, tools: Mapping[str, Path], ranges: Ranges) -> bool:
        """Start it; True when it was made anew, False when it ran already or was started again with its data.

        Args:
            tools: Paths of the control plane's binaries.
            ranges: Its addresses.

        Raises:
            GovhubError: it did not become ready.
        """
        if self.running():
            return False
        private_folder(self.folder)
        if self.exists():
            before = datetime.now(UTC)
            self._kwokctl(tools, "start", "cluster")
            self._release_leases(before, "kube-system", "kube-node-lease")
            self._all_alive()
            return False
        config = self.folder / "kwokctl.yaml"
        write_atomic(config, yaml.safe_dump(_configuration(tools, ranges, self._data / "pki")))
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
            self._all_alive()
        except GovhubError:
            self.down(tools)
            raise
        return True

    def stop(self, tools: Mapping[str, Path]) -> None:
        """Stop the processes and keep the data."""
        if self._data.exists():
            if self.running():
                self._release_leases(datetime.now(UTC), "kube-node-lease")
            self._kwokctl(tools, "stop", "cluster")

    def down(self, tools: Mapping[str, Path]) -> None:
        """End the processes and remove everything; nothing happens when it does not exist."""
        if self.holds_data():
            self._kwokctl(tools, "delete", "cluster", "--kubeconfig", str(self.kubeconfig))
        shutil.rmtree(self.folder, ignore_errors=True)
        for parent in (self.folder.parent, self.folder.parent.parent):
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()

    def _all_alive(self) -> None:
        """A process whose port another program has taken ends at once, and kwokctl does not look at that."""
        if dead := self.dead():
            raise self._failure(f"at start: {', '.join(dead)} ended", "")

    def _release_leases(self, before: datetime, *namespaces: str) -> None:
        """Drop what was last renewed before a moment, so that the started processes take their leases at once.

        Their former selves are gone. Otherwise the controllers wait 15 s for theirs to run out, and kwok 200 s. One
        that kwok has taken already must stay: it looks for a lost lease only when it would renew it.
        """
        kube = self.connect()
        for namespace in namespaces:
            path = LEASES.format(namespace)
            for lease in kube.request("GET", path)["items"]:
                name, renewed = lease["metadata"]["name"], lease["spec"].get("renewTime", "")
                if not name.startswith("apiserver-") and (not renewed or datetime.fromisoformat(renewed) < before):
                    with suppress(KubeError):  # taken away or renewed by another in the meantime
                        kube.request("DELETE", f"{path}/{name}")

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
            raise self._failure(f"at `kwokctl {args[0]}`", "\n".join(said.strip().splitlines()[-6:]))

    def _failure(self, what: str, detail: str) -> GovhubError:
        return GovhubError.one(
            "LAB001",
            f"the lab cluster {self.hub}/{self.cluster} failed {what}",
            detail=detail,
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


def _configuration(tools: Mapping[str, Path], ranges: Ranges, pki: Path) -> dict[str, Any]:
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
        # Pods find the API server at the first service address.
        "kubeApiserverCertSANs": [ranges.gateway, str(ip_network(ranges.services)[1])],
    }
    # The default of a lone API server is a /24: 254 services, fewer than one city's systems have.
    services = {"service-cluster-ip-range": ranges.services}
    arguments = {
        # The lab's data need not survive a power cut of this machine, and one shared disk is slow to sync.
        "etcd": {"unsafe-no-fsync": "true"},
        # Real kubelets join with a bootstrap token, and find the API server where lab hosts do.
        "kube-apiserver": {
            **services,
            "advertise-address": ranges.gateway,
            "enable-admission-plugins": "NodeRestriction",
            "enable-bootstrap-token-auth": "true",
            "kubelet-client-certificate": str(pki / "admin.crt"),
            "kubelet-client-key": str(pki / "admin.key"),
            # Logs of pods: nobody resolves the names of lab hosts.
            "kubelet-preferred-address-types": "InternalIP,Hostname",
        },
        # It plays the nodes that the lab makes, and leaves real kubelets theirs.
        "kwok-controller": {
            "manage-all-nodes": "false",
            "manage-nodes-with-annotation-selector": f"{SIMULATED}=fake",
        },
        "kube-controller-manager": {
            **services,
            "controllers": "*,bootstrapsigner,tokencleaner",
            "cluster-signing-cert-file": str(pki / "ca.crt"),
            "cluster-signing-key-file": str(pki / "ca.key"),
            **({"allocate-node-cidrs": "true", "cluster-cidr": ranges.pods} if ranges.pods else {}),
            **({"node-cidr-mask-size": str(ranges.node_bits)} if ranges.pods else {}),
        },
    }
    patches = [
        {"name": name, "extraArgs": [{"key": key, "value": value} for key, value in values.items()]}
        for name, values in arguments.items()
    ]
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        "componentsPatches": patches,
    }
