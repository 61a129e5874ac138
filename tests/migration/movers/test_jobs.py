"""Commands of movers as Jobs: what is sent to a cluster, and what is made of what it says; no cluster is contacted.

On real nodes: ``tests/hosts/test_jobs_live.py``.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import TargetUnreachable
from govhub.core.kube import Kind
from govhub.core.secrets import Secret
from govhub.migration.movers import jobs, manifests
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.frames import hear_log
from govhub.migration.movers.jobs import JobRunner
from govhub.migration.movers.manifests import Setting
from govhub.migration.movers.mariadb.server import Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, FileFacts

WORD = "a-password-of-the-move"
Body = dict[str, Any]


class Cluster:
    """Keeps objects, and runs the container of a Job as a process when its Secret comes."""

    name = "main"

    def __init__(self, folder: Path, *, broken: bool = False, starts: bool = True) -> None:
        self.folder, self.broken, self.starts = folder, broken, starts
        self.away = 0
        """Looks at a Job that find no API server."""
        self.deadlines: list[int] = []
        self.objects: dict[tuple[str, str], Body] = {}
        self.seen: list[Body] = []
        self.logs: dict[str, bytes] = {}

    def create(self, body: Body) -> Body:
        body["metadata"]["uid"] = f"uid-{len(self.seen)}"
        self._kept(body)
        if body["kind"] == "Secret" and self.starts:
            self._run(body)
        return body

    def patch(self, kind: Kind, name: str, namespace: str, change: Body) -> None:
        self.deadlines.append(change["spec"]["activeDeadlineSeconds"])

    def create_all(self, bodies: list[Body]) -> int:
        return len([self._kept(body) for body in bodies])

    def get(self, kind: Kind, name: str, namespace: str) -> Body | None:
        if self.away:
            self.away -= 1
            raise TargetUnreachable.one("KUB003", "cluster main does not answer")
        return self.objects.get((kind.kind, name))

    def list(self, kind: Kind, *, namespace: str, selector: str) -> Iterator[Body]:
        for (found, name), body in list(self.objects.items()):
            if found == kind.kind and selector in (f"job-name={name}", manifests.PLACE):
                yield body

    def log(self, namespace: str, pod: str) -> bytes:
        return self.logs[pod]

    def delete(self, kind: Kind, name: str, namespace: str) -> bool:
        return self.objects.pop((kind.kind, name), None) is not None

    def _kept(self, body: Body) -> Body:
        self.objects[body["kind"], body["metadata"]["name"]] = body
        self.seen.append(body)
        return body

    def _run(self, secret: Body) -> None:
        name = secret["metadata"]["name"]
        sent = self.folder / name
        sent.mkdir()
        for key, value in secret["data"].items():
            (sent / key).write_bytes(base64.b64decode(value))
        job = self.objects["Job", name]
        (container,) = job["spec"]["template"]["spec"]["containers"]
        words = [word.replace(manifests.SENT, str(sent)) for word in container["command"]]
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, check=False)
        self.logs[name] = b"Traceback" if self.broken else done.stdout + done.stderr
        self.objects["Pod", name] = {"metadata": {"name": name}, "status": {}}
        job["status"] = {"conditions": [{"type": "Failed" if self.broken else "Complete", "status": "True"}]}


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    (tmp_path / "volume").mkdir()
    (tmp_path / "near").mkdir()
    monkeypatch.setattr(jobs, "_PATIENCE", 0.2)
    monkeypatch.setattr(manifests, "WORK", str(tmp_path / "volume"))
    return Setting(hub="mini", image="registry.mini/lab/postgres:15")


def runner_of(cluster: Cluster, setting: Setting, tmp_path: Path) -> JobRunner:
    return JobRunner(cluster, setting, "mini/school/db", tmp_path / "near")  # type: ignore[arg-type]


def test_output_errors_and_code_come_back_and_nothing_stays(setting: Setting, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    blob = bytes(range(256)) * 3000
    runner = runner_of(cluster, setting, tmp_path)
    done = runner.run(Command(arguments=("sh", "-c", "cat; echo trouble >&2; exit 7"), input=blob))
    assert (done.code, done.output, done.errors) == (7, blob, "trouble\n")
    left = {kind for kind, _ in cluster.objects}
    assert left & {"Job", "Secret"} == set()


def test_secrets_are_in_the_secret_alone_which_belongs_to_the_job(setting: Setting, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    environment = {"PGHOST": "127.0.0.1", "PGPORT": "1"}
    words = ("sh", "-c", 'echo "$PGPASSWORD"')
    command = Command(arguments=words, environment=environment, secrets={"PGPASSWORD": Secret(WORD)})
    assert runner_of(cluster, setting, tmp_path).run(command).output == f"{WORD}\n".encode()
    assert WORD not in str(cluster.seen)
    assert cluster.seen[1]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, "closed by default"
    by_kind = {body["kind"]: body for body in cluster.seen[3:]}
    job = by_kind["Job"]
    for kind in ("Secret", "NetworkPolicy"):
        (owner,) = by_kind[kind]["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("Job", job["metadata"]["uid"])
    assert list(by_kind) == ["Job", "NetworkPolicy", "Secret"], "its pod waits for the Secret, so it is never too open"
    assert by_kind["NetworkPolicy"]["spec"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "127.0.0.1/32"}}], "ports": [{"protocol": "TCP", "port": 1}]}
    ]


def test_jobs_end_by_themselves_and_may_do_nothing_more_than_they_need(setting: Setting) -> None:
    job = manifests.job(setting, "mover-x", {"a": "b"}, "volume", 60)
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert (spec["activeDeadlineSeconds"], spec["backoffLimit"]) == (60, 0)
    assert spec["ttlSecondsAfterFinished"] == manifests.AFTER < 120
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert "govhub.io/stack" not in str(job), "up, drift and destroy know their own by it"


def test_files_lie_on_the_volume_for_the_next_controller(setting: Setting, tmp_path: Path) -> None:
    cluster, near = Cluster(tmp_path), tmp_path / "near"
    runner = runner_of(cluster, setting, tmp_path)
    folder = runner.folder("lists")
    (folder / "wanted").write_bytes(b"one\n")
    assert runner.run(Command(arguments=("cat", str(folder / "wanted")))).output == b"one\n"
    runner.forget("lists")
    part, whole = near / "b.part", near / "b.dump"
    runner.fresh(part)
    runner.run(Command(arguments=("sh", "-c", 'printf abc >"$1"', "sh", str(part))))
    runner.keep(part, whole)
    again = runner_of(cluster, setting, tmp_path)
    assert again.matching(near, "b.*") == [whole]
    assert again.facts(whole) == FileFacts(3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    again.remove(whole)
    assert again.facts(whole) is None
    assert list(near.glob("b.*")) == []


def test_a_job_that_says_nothing_whole_is_no_result(setting: Setting, tmp_path: Path) -> None:
    with pytest.raises(MoveFailed) as caught:
        runner_of(Cluster(tmp_path, broken=True), setting, tmp_path).run(Command(arguments=("true",)))
    assert caught.value.diagnostics[0].code == "MOV406"


def test_a_mariadb_tools_option_file_says_which_server_the_policy_lets_it_reach(
    setting: Setting, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path)
    routes = {("10.0.0.9", 3306): ("127.0.0.9", 3307)}
    runner = JobRunner(cluster, setting, "mini/school/db", tmp_path / "near", lambda: routes)  # type: ignore[arg-type]
    socket = (("socket", str(tmp_path / "s")),)
    end = Endpoint(host="10.0.0.9", port=3306, database="d", user="u", password=Secret(WORD), options=socket)
    command = Server(end).command("cat", runner.folder("dump"))
    file = command.arguments[1].partition("=")[2]
    assert f"socket={tmp_path / 's'}\n" in Path(file).read_text()
    done = runner.run(Command(arguments=("cat", file)))
    assert done.output.decode() == (f'[client]\nhost=127.0.0.9\nport=3307\nprotocol=tcp\nuser=u\npassword="{WORD}"\n')
    (policy,) = [item for item in cluster.seen if item["kind"] == "NetworkPolicy" and "egress" in item["spec"]]
    assert policy["spec"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "127.0.0.9/32"}}], "ports": [{"protocol": "TCP", "port": 3307}]}
    ]


def test_a_job_whose_pod_never_runs_is_given_up_and_told_why(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_START", 1.2)
    monkeypatch.setattr(jobs, "_RENEW", 0.4)
    cluster = Cluster(tmp_path, starts=False)
    waiting = {"reason": "ErrImagePull", "message": "not found"}

    def pods(kind: Kind, *, namespace: str, selector: str) -> Iterator[Body]:
        if kind.kind == "Pod" and selector.startswith("job-name="):
            yield {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}

    monkeypatch.setattr(cluster, "list", pods)
    with pytest.raises(MoveFailed) as caught:
        runner_of(cluster, setting, tmp_path).run(Command(arguments=("true",)))
    assert "p: ErrImagePull not found" in caught.value.diagnostics[0].detail
    assert cluster.deadlines, "it was kept alive meanwhile"
    assert all(jobs.LEASE <= item <= jobs.LEASE + 2 for item in cluster.deadlines)
    assert {kind for kind, _ in cluster.objects} & {"Job", "Secret"} == set()


def test_a_cluster_that_is_away_for_a_moment_is_waited_for(setting: Setting, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.away = 2
    assert runner_of(cluster, setting, tmp_path).run(Command(arguments=("echo", "x"))).output == b"x\n"
    assert cluster.away == 0


def test_nothing_is_run_where_no_network_policy_holds(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as api:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api.getsockname()[1]))
        with pytest.raises(MoveFailed) as caught:
            runner_of(Cluster(tmp_path), setting, tmp_path).run(Command(arguments=("touch", str(tmp_path / "done"))))
    assert "no network policy holds for this pod" in caught.value.diagnostics[0].detail
    assert not (tmp_path / "done").exists()


def test_a_log_with_a_gap_is_no_result() -> None:
    lines = [b"%d:%s" % (n, base64.b64encode(b"o\0\0\0\1a")) for n in range(3)]
    end = b"3:" + base64.b64encode(b"x\0\0\0\2{}")
    assert hear_log(b"\n".join([*lines, end])).result == {}
    assert hear_log(b"\n".join([*lines, end])).output == b"aaa"
    assert hear_log(b"\n".join([lines[0], lines[2], end])).result is None
    assert hear_log(b"\n".join([*lines[1:], end])).result is None, "its beginning was cut off"


def test_what_is_too_large_to_be_sent_is_refused_before_a_job_is_made(setting: Setting, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    with pytest.raises(MoveFailed) as caught:
        runner_of(cluster, setting, tmp_path).run(Command(arguments=("cat",), input=os.urandom(1_000_000)))
    assert caught.value.diagnostics[0].code == "MOV407"
    assert not [body for body in cluster.seen if body["kind"] == "Job"]
