"""Commands of movers as Jobs on real nodes: restricted, cut off from all but their servers, gone with who waited.

The tests build on each other; the last one destroys the hub.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from govhub.core.kube import KINDS, Kube, KubeError
from govhub.core.secrets import Secret
from govhub.inventory.model.migration import MoverPlace
from govhub.migration.movers import manifests
from govhub.migration.movers.jobs import JOB, LEASE, JobRunner
from govhub.migration.movers.packing import nowhere
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Done
from govhub.ops.destroy import destroy
from govhub.ops.load import valid_hub
from govhub.ops.migration.clusters import job_runner
from govhub.ops.migration.places import movers
from govhub.ops.requests import RunRequest
from hosts.conftest import NodeHub

pytestmark = pytest.mark.slow
IMAGE, WORD = "registry.real.gov.internal/lab/postgres:15", "a-password-of-the-move"
SPACE, SERVERS = "govhub-movers", "servers"
MOVER = MoverPlace(cluster="main", pool="data", image=IMAGE, storage="1Gi")
DECLARED = f"migration:\n  movers: [{{cluster: main, pool: data, image: '{IMAGE}', storage: 1Gi}}]\n"
CONNECT = """
import socket, sys
for word in sys.argv[1:]:
    host, _, port = word.rpartition(":")
    try: socket.create_connection((host, int(port)), 3).close(); print("open")
    except OSError: print("shut")
"""
WAITING = """
import sys; from pathlib import Path
from hosts.test_jobs_live import runner_of
from govhub.migration.movers.runner import Command
runner_of(Path(sys.argv[1]), Path(sys.argv[2]), "other").run(Command(arguments=("sleep", "600")))
"""
POD, POLICY, CLAIM = KINDS["", "Pod"], KINDS["networking.k8s.io", "NetworkPolicy"], KINDS["", "PersistentVolumeClaim"]


def until(found: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return reached


def runner_of(folder: Path, near: Path, move: str) -> JobRunner:
    """As a run makes it, for a move of the system ``visits``."""
    near.mkdir(exist_ok=True)
    hub, _ = valid_hub(str(folder))
    return job_runner(hub, MOVER, f"real/visits/{move}", near, nowhere)


@pytest.fixture(scope="module")
def hub(node_hub: NodeHub) -> NodeHub:
    (node_hub.folder / "migration.yaml").write_text(DECLARED, encoding="utf-8")
    assert node_hub.everything().problems == []
    node_hub.lay_routes()
    return node_hub


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("near")


def ended_by(runner: JobRunner, command: Command) -> str:
    try:
        return str(runner.run(command).code)
    except MoveFailed as failed:
        detail = failed.diagnostics[0].detail
        return "OOMKilled" if "OOMKilled" in detail else detail


def left(kube: Kube) -> dict[str, list[str]]:
    """What is left of commands, by kind."""
    found = {
        kind.kind: [item["metadata"]["name"] for item in kube.list(kind, namespace=SPACE)]
        for kind in (JOB, POD, KINDS["", "Secret"], POLICY)
    }
    return {kind: names for kind, names in found.items() if names not in ([], ["closed"])}


def server(kube: Kube, name: str) -> str:
    """A PostgreSQL in a pod of its own, which lets in everybody; its address."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SERVERS}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": SERVERS}}
    kube.create_all([space])
    kube.create_all([account])
    container = {
        "name": "db",
        "image": IMAGE,
        "env": [{"name": "DB_value", "value": WORD}],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "data", "mountPath": "/data"}],
    }
    spec = {
        "nodeSelector": {"govhub.io/pool": "data"},
        "tolerations": [{"key": "govhub.io/pool", "operator": "Exists"}],
        "securityContext": {"runAsUser": manifests.USER, "fsGroup": manifests.USER},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "data", "emptyDir": {}}],
    }
    metadata = {"name": name, "namespace": SERVERS}
    kube.create_all([{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}])

    def address() -> str:
        found = kube.get(POD, name, SERVERS) or {}
        return str(found.get("status", {}).get("podIP") or "")

    assert until(lambda: bool(address())), kube.get(POD, name, SERVERS)
    return address()


def test_commands_run_as_jobs_and_nothing_of_them_stays(hub: NodeHub, near: Path) -> None:
    runner = runner_of(hub.folder, near, "db")
    blob = os.urandom(400_000)
    done = runner.run(Command(arguments=("sh", "-c", "cat; echo trouble >&2; id -u >&2; exit 7"), input=blob))
    assert (done.code, done.output == blob, done.errors) == (7, True, f"trouble\n{manifests.USER}\n")
    late = runner.run(Command(arguments=("sleep", "60"), timeout=1))
    assert late.code == 124
    assert until(lambda: left(hub.kube) == {}, 20), left(hub.kube)
    (row,) = movers(str(hub.folder))["movers"]
    assert (row["mover"], row["running"], row["moves"], row["problem"]) == ("cluster/main", 0, 1, None)


def test_pods_may_do_no_more_than_they_need(hub: NodeHub, near: Path) -> None:
    runner = runner_of(hub.folder, near, "db")
    looks = "id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; touch /x 2>&1; ls /var/run/secrets 2>&1"
    said = runner.run(Command(arguments=("sh", "-c", f"{looks}; true"))).output.decode()
    assert f"{manifests.USER}\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n" in said
    assert "Read-only file system" in said
    assert "cannot access '/var/run/secrets'" in said, "no token of the cluster"
    hungry = "import sys; x = bytearray(2_000_000_000); print(len(x))"
    # Where the kernel ends the whole container instead of one process, there is no result.
    assert ended_by(runner, Command(arguments=("python3", "-c", hungry))) in ("-9", "OOMKilled")
    spec = {"containers": [{"name": "c", "image": IMAGE, "securityContext": {"privileged": True}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "rude", "namespace": SPACE}, "spec": spec}
    with pytest.raises(KubeError, match="PodSecurity"):
        hub.kube.create(pod, dry_run=True)


def test_a_database_is_dumped_onto_the_moves_volume_and_nobody_else_is_reached(hub: NodeHub, near: Path) -> None:
    source, other = server(hub.kube, "source"), server(hub.kube, "other")
    runner = runner_of(hub.folder, near, "db")
    ours = {"PGHOST": source, "PGPORT": "5432", "PGUSER": "app", "PGDATABASE": "postgres"}
    secret = {"PGPASSWORD": Secret(WORD)}

    def psql(text: str) -> Done:
        return runner.run(Command(arguments=("psql", "-XAtc", text), environment=ours, secrets=secret))

    assert until(lambda: psql("SELECT 1").code == 0), psql("SELECT 1")
    assert psql("CREATE TABLE IF NOT EXISTS t AS SELECT generate_series(1, 5000) AS id").code == 0
    part, whole = near / "b.part", near / "b.dump"
    runner.fresh(part)
    words = ("/usr/lib/postgresql/99/bin/pg_dump", "-Fc", "-f", str(part))
    done = runner.run(Command(arguments=words, environment=ours, secrets=secret))
    assert done.code == 0, done.errors
    facts = runner.facts(part)
    assert facts is not None
    assert facts.bytes > 5000
    runner.keep(part, whole)
    # Another controller finds it: it lies on the volume.
    again = runner_of(hub.folder, near, "db")
    assert again.facts(whole) == facts
    assert again.matching(near, "b.*") == [whole]
    assert list(near.glob("b.*")) == []

    places = (f"{source}:5432", f"{other}:5432", f"{source}:5433", "10.77.0.1:6443", "10.77.0.13:5000")
    found = again.run(Command(arguments=("python3", "-c", CONNECT, *places), environment=ours)).output.split()
    assert found == [b"open", b"shut", b"shut", b"shut", b"shut"]
    # From the same place, without a policy, there is a way: what shuts it is the policy.
    (pod,) = [item for item in hub.kube.list(POD, namespace=SERVERS) if item["metadata"]["name"] == "source"]
    assert [hub.connects(pod, other, 5432), hub.connects(pod, "10.77.0.13", 5000)] == ["open", "open"]


def test_many_run_at_once_on_several_nodes(hub: NodeHub, near: Path) -> None:
    moves = [f"many{number}" for number in range(4)]
    nodes: set[str] = set()
    most = 0
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.3):
            pods = [pod for pod in hub.kube.list(POD, namespace=SPACE) if pod["status"]["phase"] == "Running"]
            nodes.update(pod["spec"]["nodeName"] for pod in pods)
            most = max(most, len(pods))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with ThreadPoolExecutor(len(moves)) as pool:
            work = Command(arguments=("sh", "-c", "sleep 8; uname -n"))
            codes = list(pool.map(lambda move: runner_of(hub.folder, near / move, move).run(work).code, moves))
    finally:
        over.set()
        watching.join()
    assert codes == [0] * len(moves)
    assert most == len(moves), "all of them at the same time"
    assert nodes == {"data1", "data2"}


def test_a_running_job_is_nobody_elses_and_ends_with_its_controller(hub: NodeHub, near: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", WAITING, str(hub.folder), str(near)], env=environment)
    try:
        assert until(lambda: [item["status"].get("ready") for item in jobs(hub.kube)] == [1])
        (job,) = jobs(hub.kube)
        since = time.monotonic()
        assert hub.everything().status == "unchanged"
        assert hub.drift().drifted == []
        # Past its first deadline, for its controller lives.
        time.sleep(max(0.0, LEASE + 8 - (time.monotonic() - since)))
        assert [item["metadata"]["uid"] for item in jobs(hub.kube)] == [job["metadata"]["uid"]]
        assert jobs(hub.kube)[0]["status"]["ready"] == 1
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed = time.monotonic()
    assert until(lambda: not list(hub.kube.list(POD, namespace=SPACE)), 60)
    # A system's lease: whoever takes it over then finds nobody at work.
    assert time.monotonic() - killed < 30
    assert until(lambda: left(hub.kube) == {}, manifests.AFTER + 30), left(hub.kube)


def test_the_next_controller_ends_at_once_what_a_killed_one_left(hub: NodeHub, near: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", WAITING, str(hub.folder), str(near)], env=environment)
    try:
        assert until(lambda: [item["status"].get("ready") for item in jobs(hub.kube)] == [1])
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed = time.monotonic()
    assert runner_of(hub.folder, near, "other").run(Command(arguments=("true",))).code == 0
    assert time.monotonic() - killed < LEASE
    assert until(lambda: left(hub.kube) == {}, 20), left(hub.kube)


def test_destroy_ends_no_command_and_leaves_none_behind(hub: NodeHub, near: Path) -> None:
    runner = runner_of(hub.folder, near, "db")
    found: list[Done] = []
    work = Command(arguments=("sh", "-c", "sleep 45; echo whole"))
    thread = threading.Thread(target=lambda: found.append(runner.run(work)))
    thread.start()
    assert until(lambda: [item["status"].get("ready") for item in jobs(hub.kube)] == [1])
    result = destroy(RunRequest(hub=str(hub.folder), confirm=("real",), wait=0))
    assert result.status == "done", result.problems
    thread.join(90)
    assert [(done.code, done.output) for done in found] == [(0, b"whole\n")]
    assert until(lambda: left(hub.kube) == {}, 20), left(hub.kube)
    volumes = [item["metadata"]["labels"] for item in hub.kube.list(CLAIM, namespace=SPACE)]
    assert volumes, "archives are for people to remove"


def jobs(kube: Kube) -> list[dict[str, Any]]:
    return list(kube.list(JOB, namespace=SPACE))
