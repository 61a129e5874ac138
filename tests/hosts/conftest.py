"""Real lab hosts of a small hub: booting them takes seconds, bringing them up most of a minute."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from govhub.core.events import read_events
from govhub.core.kube import KINDS, Kube
from govhub.core.settings import connections_file
from govhub.lab.cluster import LabCluster
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.hosts.machine import Machine
from govhub.ops.drift import drift
from govhub.ops.hostaudit import hosts_audit
from govhub.ops.hostread import SweepRequest
from govhub.ops.hosts import list_hosts
from govhub.ops.lab import lab_down, lab_up
from govhub.ops.labhosts import boot_hosts
from govhub.ops.load import valid_hub
from govhub.ops.plan import make_plan
from govhub.ops.requests import DriftResult, PlanRequest, RunRequest, RunResult, Selection
from govhub.ops.up import up
from govhub.ops.upgrading.requests import UpgradeResult

HUBS = Path(__file__).parents[1] / "hubs"
# dpkg believes that an old version is there; the mirror has the one that really is.
OUTDATED = "sed -i '/^Package: less$/,/^Version:/s/^Version: .*/Version: 590-1/' /var/lib/dpkg/status"
HOSTS_ONLY = Selection(layers=("hosts",))


def failed_checks(document: dict[str, Any], host: str) -> dict[str, list[str]]:
    """The checks of an audit that did not pass, by their result and name, on one host."""
    return {
        f"{item['result']} {item['check']}": item["found"]
        for item in document["hosts"][host]["results"]
        if item["result"] != "passed"
    }


@dataclass
class HostHub:
    """A copy of a small hub whose lab has real hosts and no clusters."""

    folder: Path

    @property
    def fleet(self) -> Fleet:
        return Fleet(self.folder.name)

    def machine(self, name: str) -> Machine:
        return self.fleet.machines()[name]

    def boot(self, count: int) -> None:
        hub, _ = valid_hub(str(self.folder))
        boot_hosts(hub, count, print)

    def up(self, **more: Any) -> RunResult:
        return up(replace(RunRequest(hub=str(self.folder), selection=HOSTS_ONLY, wait=0), **more))

    def failed_checks(self) -> dict[str, set[str]]:
        """Checks of an audit of all hosts that did not pass, by host."""
        document = hosts_audit(SweepRequest(hub=str(self.folder)))
        return {name: set(failed_checks(document, name)) for name in document["hosts"]}

    def changes(self) -> dict[str, str]:
        plan = make_plan(PlanRequest(hub=str(self.folder), selection=HOSTS_ONLY)).plan
        return {change.address.partition("/")[2]: change.op.value for change in plan.changes}

    def drift(self) -> DriftResult:
        return drift(str(self.folder))

    def standing(self) -> dict[str, str]:
        rows = list_hosts(str(self.folder))["hosts"]
        return {row["name"]: row["state"] for row in rows if row["address"]}

    def events(self, result: RunResult | UpgradeResult, kind: str) -> list[dict[str, Any]]:
        assert result.folder
        return [item["data"] for item in read_events(result.folder / "events.ndjson") if item["kind"] == kind]

    def inside(self, name: str, script: str) -> str:
        """Run a script in a host as root, without SSH."""
        (init,) = self.machine(name).inits()
        words = ["nsenter", "-t", str(init), "-m", "-u", "-i", "-n", "-p", "/bin/sh", "-c", script]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def logins(self) -> dict[str, int]:
        """How often each host's SSH server has let somebody in."""
        script = "journalctl -q --no-pager -u ssh | grep -c 'Accepted publickey' || true"
        return {name: int(self.inside(name, script)) for name in self.fleet.machines()}

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@dataclass
class NodeHub(HostHub):
    """A hub with a control plane, simulated nodes, and two real ones that run a departmental system."""

    CLIENT = "10.20.64.5"
    """An address of the extranet: who may use the system."""

    @property
    def kube(self) -> Kube:
        return LabCluster(self.folder.name, "main").connect()

    def everything(self, **more: Any) -> RunResult:
        return up(RunRequest(hub=str(self.folder), wait=180, **more))

    def nodes(self) -> dict[str, dict[str, Any]]:
        return {node["metadata"]["name"]: node for node in self.kube.list(KINDS["", "Node"])}

    def pods(self, component: str, namespace: str = "education-prod") -> list[dict[str, Any]]:
        selector = f"app.kubernetes.io/component={component}"
        found = self.kube.list(KINDS["", "Pod"], namespace=namespace, selector=selector)
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def pods_of_names(self) -> list[dict[str, Any]]:
        """Pods of another namespace on the real nodes: those that answer for names."""
        found = self.kube.list(KINDS["", "Pod"], namespace="kube-system", selector="k8s-app=kube-dns")
        return [pod for pod in found if pod["status"].get("podIP")]

    def lay_routes(self) -> None:
        """What the machine room's network would know: where each node's pods are, and where the extranet is."""
        for name, node in self.nodes().items():
            if name in self.fleet.machines():
                address = self.machine(name).address
                self.fleet.network.enter("ip", "route", "replace", node["spec"]["podCIDR"], "via", address)
                self.inside(name, "ip route replace 10.20.64.0/18 via 10.77.0.1")
        self.fleet.network.enter("ip", "address", "replace", f"{self.CLIENT}/32", "dev", "lo")

    def ask(self, address: str, *words: str, client: str = CLIENT) -> str:
        """What an HTTP request from an address outside brings, or ``refused`` or ``time-out``."""
        command = ["nsenter", f"--net={self.fleet.network.path}", "curl", "-sS", "-m", "5", "--interface", client]
        done = subprocess.run([*command, *words, address], capture_output=True, text=True, check=False)
        # curl's codes: could not connect, time-out; the probe itself must not fail otherwise.
        assert done.returncode in (0, 7, 28), done.stderr
        return {0: done.stdout, 7: "refused", 28: "time-out"}[done.returncode]

    def connects(self, pod: dict[str, Any], address: str, port: int) -> str:
        """Whether a pod of a real node can connect: ``open``, ``refused`` or ``time-out``."""
        script = (
            "import socket, sys\n"
            "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 4); print('open')\n"
            "except TimeoutError: print('time-out')\n"
            "except ConnectionRefusedError: print('refused')\n"
        )
        uid = pod["metadata"]["uid"]
        find = f"grep -l {uid} /proc/[0-9]*/cgroup | cut -d/ -f3 | head -1"
        command = f'nsenter -t $({find}) -n /usr/bin/python3 -c "{script}" {address} {port}'
        return self.inside(pod["spec"]["nodeName"], command)


def begun(*words: str, said: str = "hosts to bring") -> subprocess.Popen[str]:
    """The command line in a process of its own, which has come to where it said so on stderr."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "govhub.cli", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    while said not in (line := process.stderr.readline()):
        assert line, "it ended before the play began"
    return process


@pytest.fixture(scope="session")
def root() -> None:
    if os.geteuid():
        pytest.skip("lab hosts need root")


@pytest.fixture(scope="module")
def hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostHub]:
    """Three booted hosts that nothing was done to yet."""
    with lab_copy("mini", tmp_path_factory) as folder:
        made = HostHub(folder)
        made.boot(3)
        yield made


@pytest.fixture(scope="module")
def node_hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeHub]:
    """A control plane with simulated nodes, and three booted hosts that nothing was done to yet."""
    with lab_copy("real", tmp_path_factory) as folder:
        lab_up(str(folder), None, print, hosts=0)
        yield NodeHub(folder)


@contextmanager
def lab_copy(name: str, paths: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of a test hub in a home of its own, whose lab is taken down at the end."""
    patch = pytest.MonkeyPatch()
    base = paths.mktemp("hosts")
    patch.setenv("GOVHUB_HOME", str(base / "home"))
    patch.delenv("GOVHUB_STATE", raising=False)
    folder = base / "inventories" / name
    shutil.copytree(HUBS / name, folder)
    try:
        yield folder
    finally:
        lab_down(str(folder))
        assert not connections_file(name).exists()
        patch.undo()
        shutil.rmtree(base, ignore_errors=True)
