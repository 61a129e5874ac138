"""A hub in a lab of its own: real engine, real API server; one lab a module, gone when the module ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from govhub.core.events import read_events
from govhub.core.kube import KINDS, Kube
from govhub.engine.bucket import hub_keys
from govhub.engine.lease import current_holder
from govhub.engine.ledger import Ledger
from govhub.engine.live import LiveObject, list_live
from govhub.lab.cluster import LabCluster
from govhub.lab.toolchain import CONTROL_PLANE, ENGINE, require
from govhub.ops.destroy import destroy
from govhub.ops.drift import drift
from govhub.ops.lab import lab_down, lab_up
from govhub.ops.plan import make_plan
from govhub.ops.requests import DriftResult, PlanRequest, PlanResult, RunRequest, RunResult
from govhub.ops.session import Session, open_session
from govhub.ops.up import up
from govhub.stacks.graph import Identity

HUBS = Path(__file__).parents[1] / "hubs"
WORKER = Path(__file__).with_name("kill_worker.py")
ENGINE_PROCESSES = ("pulumi", "pulumi-resource")


@dataclass
class LabHub:
    """A copy of a test hub with a running lab."""

    name: str
    folder: Path
    home: Path

    def up(self, **more: Any) -> RunResult:
        return up(replace(RunRequest(hub=str(self.folder), wait=60), **more))

    def plan(self, **more: Any) -> PlanResult:
        return make_plan(replace(PlanRequest(hub=str(self.folder)), **more))

    def drift(self) -> DriftResult:
        return drift(str(self.folder))

    def destroy(self, **more: Any) -> RunResult:
        return destroy(replace(RunRequest(hub=str(self.folder), confirm=(self.name,)), **more))

    def kube(self, cluster: str = "main") -> Kube:
        return LabCluster(self.name, cluster).connect()

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        with (self.folder / file).open("a", encoding="utf-8") as out:
            out.write(text)

    def session(self) -> Session:
        return open_session(str(self.folder))

    def live(self, cluster: str = "main") -> dict[Identity, LiveObject]:
        """What carries the hub's labels on a cluster, by identity."""
        return list_live(self.kube(cluster), self.name)

    def versions(self, cluster: str = "main") -> dict[str, str]:
        """The resource version of every live object; only a write changes it.

        Nodes are left out: their kubelets report in all the time. Objects whose status controllers keep count by
        what only a writer of the object changes.
        """
        return {
            str(identity): _version(identity, item)
            for identity, item in self.live(cluster).items()
            if identity.kind != "Node"
        }

    def object(self, address: str, cluster: str = "main") -> dict[str, Any]:
        """A live object by ``Kind/namespace/name``."""
        kind, *rest = address.split("/")
        found = self.kube(cluster).get(kind_named(kind), rest[-1], rest[0] if len(rest) == 2 else "")
        assert found is not None, f"{address} is not there"
        return found

    def documents(self) -> dict[str, bytes]:
        """Everything the state holds, except the last run's summary."""
        bucket = self.session().state.bucket
        keys = [key for key in hub_keys(bucket, self.name) if not key.endswith("/last-run.json")]
        return {key: bucket.get(key) or b"" for key in keys}

    def events(self, result: RunResult, kind: str = "") -> list[dict[str, Any]]:
        """A run's events, read back from its folder."""
        assert result.folder
        return [item for item in read_events(result.folder / "events.ndjson") if kind in ("", item["kind"])]

    def shards_started(self, result: RunResult) -> list[str]:
        """The shards for which an engine was started, sorted."""
        return sorted(item["data"]["shard"] for item in self.events(result, "shard-started"))

    def worker(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        """An ``up`` (or another operation) in a process of its own, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, str(WORKER), str(self.folder), *args],
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def engines(self) -> list[tuple[int, str]]:
        """Engine and provider processes that work on this hub's home."""
        return [(pid, name) for pid, name in processes() if _belongs(pid, self.home)]

    def no_engines_within(self, seconds: float) -> list[tuple[int, str]]:
        """Wait until no engine process is left; returns those that stayed."""
        deadline = time.monotonic() + seconds
        while (found := self.engines()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def assert_converged(self, *clusters: str) -> None:
        """Live, state and desired graph are the same, and nothing of a run is left behind."""
        session = self.session()
        wanted = {(item.shard, item.identity) for item in session.graph}
        assert len(wanted) > 20, "a graph this small would prove nothing"
        live = {(item.shard, identity) for name in clusters or ("main",) for identity, item in self.live(name).items()}
        assert live - wanted == set(), "orphans on the cluster"
        assert wanted - live == set(), "missing on the cluster"
        recorded = {(shard, identity) for shard, point in session.recorded.items() for identity in point.objects}
        assert recorded == wanted, "the state knows other objects than are declared"
        assert [str(shard) for shard, point in session.recorded.items() if point.pending] == []
        assert _copies(session) == [], "the state knows objects twice"
        assert self.drift().drifted == []
        assert Ledger(session.state).unfinished() == []
        assert current_holder(session.state) is None
        assert [lock for shard in session.recorded for lock in session.state.engine_locks(shard)] == []


def kind_named(name: str) -> Any:
    """A kind of the table by its name alone."""
    return next(kind for (_, known), kind in KINDS.items() if known == name)


def processes() -> list[tuple[int, str]]:
    """Engine and provider processes of this machine."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            name = (folder / "comm").read_text().strip() if folder.name.isdigit() else ""
            alive = name.startswith(ENGINE_PROCESSES) and bool((folder / "cmdline").read_bytes())
        except OSError:
            continue
        if alive:
            found.append((int(folder.name), name))
    return found


def _belongs(pid: int, home: Path) -> bool:
    try:
        return str(home).encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def _version(identity: Identity, item: LiveObject) -> str:
    meta = item.body["metadata"]
    if identity.kind in ("Deployment", "StatefulSet", "ResourceQuota", "PodDisruptionBudget", "CronJob", "Namespace"):
        ours = [entry["time"] for entry in meta["managedFields"] if not entry["manager"].startswith("kube-")]
        body = (item.body["spec"], meta["labels"], sorted(ours))
        return f"{meta['uid']} {json.dumps(body, sort_keys=True)}"
    return f"{meta['uid']} {meta['resourceVersion']}"


def _copies(session: Session) -> list[str]:
    """URNs that a checkpoint holds twice or marks for deletion."""
    found, bucket = [], session.state.bucket
    for key in hub_keys(bucket, session.name):
        if not key.startswith(".pulumi/stacks/") or not key.endswith(".json"):
            continue
        resources = json.loads(bucket.get(key) or b"{}")["checkpoint"]["latest"].get("resources") or []
        urns = [item["urn"] for item in resources]
        found += [urn for urn in set(urns) if urns.count(urn) > 1]
        found += [item["urn"] for item in resources if item.get("delete")]
    return found


@pytest.fixture(scope="session")
def toolchain() -> dict[str, Path]:
    return require([*CONTROL_PLANE, *ENGINE], print)


@pytest.fixture(scope="module")
def lab_of(toolchain: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], LabHub]]:
    """Starts labs of test hubs by name; each has a state of its own."""
    patch = pytest.MonkeyPatch()
    started: list[LabHub] = []
    base = tmp_path_factory.mktemp("lab")
    patch.setenv("GOVHUB_HOME", str(base / "home"))
    patch.delenv("GOVHUB_STATE", raising=False)

    def start(name: str) -> LabHub:
        folder = base / "inventories" / name
        shutil.copytree(HUBS / name, folder)
        hub = LabHub(name, folder, base / "home")
        started.append(hub)
        lab_up(str(folder), None, print)
        return hub

    yield start
    patch.setenv("GOVHUB_HOME", str(base / "home"))
    for hub in started:
        lab_down(str(hub.folder))
    shutil.rmtree(base, ignore_errors=True)
    patch.undo()


@pytest.fixture(scope="module")
def mini(lab_of: Callable[[str], LabHub]) -> LabHub:
    return lab_of("mini")
