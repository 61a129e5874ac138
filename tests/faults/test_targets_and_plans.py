"""Unreachable and wrong clusters, locks, missing and broken engines, and saved plans: refused before the first write.

The tests stand in the order of a hub's life: nothing is on the cluster until the saved plan is applied.
"""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from faults.processes import gone
from govhub.core.canonical import digest
from govhub.core.errors import GovhubError, InvalidInput, LockHeld, TargetUnreachable, ToolMissing
from govhub.core.events import Event
from govhub.core.kube import Kube
from govhub.core.settings import Env
from govhub.engine import command
from govhub.engine.bucket import hub_keys
from govhub.engine.lease import HubLock, current_holder
from govhub.engine.targets import PINS
from govhub.lab.cluster import LabCluster
from govhub.lab.toolchain import CONTROL_PLANE, PULUMI_VERSION
from govhub.ops.lab import lab_up
from govhub.ops.requests import Selection
from govhub.ops.runs import runs_folder
from govhub.ops.status import status

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine
KUBECONFIG = f"{Env.KUBECONFIG_PREFIX}MAIN"


def code(error: GovhubError) -> tuple[str, int]:
    return error.diagnostics[0].code, int(error.exit)


def untouched(hub: LabHub) -> None:
    """Nothing was written to the cluster or the state, and the lock was given back."""
    session = hub.session()
    assert hub_keys(session.state.bucket, "mini") == []
    assert hub.live() == {}


@pytest.fixture
def mine(mini: LabHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LabHub, Path]]:
    """The hub, and the path of a kubeconfig (a copy of the real one) that this test may spoil."""
    path = mini.home / "spoiled.kubeconfig"
    path.write_bytes(LabCluster("mini", "main").kubeconfig.read_bytes())
    monkeypatch.setenv(KUBECONFIG, str(path))
    assert Kube.__init__.__kwdefaults__ == {"timeout": 20.0}
    monkeypatch.setitem(Kube.__init__.__kwdefaults__, "timeout", 1.0)
    yield mini, path
    monkeypatch.delenv(KUBECONFIG)
    untouched(mini)


def pointed_at(path: Path, server: str) -> None:
    body = yaml.safe_load(path.read_text())
    body["clusters"][0]["cluster"]["server"] = server
    path.write_text(yaml.safe_dump(body))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "TGT002"),
    "empty": (lambda path: path.write_text(""), "KUB002"),
    "no YAML": (lambda path: path.write_text("a: [b\n: c"), "KUB002"),
    "binary": (lambda path: path.write_bytes(b"\xff\x00\xfe" * 100), "KUB002"),
    "a list": (lambda path: path.write_text("[1, 2]"), "KUB002"),
    "no clusters": (lambda path: path.write_text("{apiVersion: v1, kind: Config}"), "KUB002"),
    "certificate is no base64": (
        lambda path: path.write_text(path.read_text().replace("client-certificate:", "client-certificate: /none #")),
        "KUB002",
    ),
    "closed port": (lambda path: pointed_at(path, "https://127.0.0.1:1"), "KUB003"),
    "no such host": (lambda path: pointed_at(path, "https://no-such-host.invalid:6443"), "KUB003"),
    "no address": (lambda path: pointed_at(path, "https://"), "KUB003"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_cluster_that_cannot_be_reached_stops_everything_before_the_first_write(
    mine: tuple[LabHub, Path], kind: str
) -> None:
    hub, path = mine
    spoil, expected = SPOILED[kind]
    spoil(path)
    for operation in (hub.up, hub.drift, hub.destroy):
        with pytest.raises(TargetUnreachable) as caught:
            operation()
        assert code(caught.value) == (expected, 7)
        assert "main" in caught.value.diagnostics[0].summary
        assert caught.value.diagnostics[0].hint
    assert hub.plan().plan.summary["create"] > 60, "a plan needs no cluster"
    (cluster,) = status(str(hub.folder))["clusters"]
    assert (cluster["reachable"], cluster["problem"]["code"]) == (False, expected)


@contextmanager
def black_hole() -> Iterator[str]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


class _Imposter(BaseHTTPRequestHandler):
    body = b"<html>login please</html>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def imposter(body: bytes) -> Iterator[str]:
    """A web server, such as a captive portal, where the API server should be."""
    handler = type("Handler", (_Imposter,), {"body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_black_hole_is_given_up_after_the_time_out(mine: tuple[LabHub, Path]) -> None:
    hub, path = mine
    with black_hole() as address:
        pointed_at(path, address)
        started = time.monotonic()
        with pytest.raises(TargetUnreachable) as caught:
            hub.up()
    assert code(caught.value) == ("KUB003", 7)
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("body", [b"<html>login please</html>", b"[]", b"{}", b"null", b"", b'{"metadata": {}}'])
def test_a_web_server_in_the_place_of_the_cluster_is_no_cluster(mine: tuple[LabHub, Path], body: bytes) -> None:
    hub, path = mine
    with imposter(body) as address:
        pointed_at(path, address)
        with pytest.raises(TargetUnreachable) as caught:
            hub.up()
    assert code(caught.value) == ("KUB003", 7)


def test_another_cluster_than_the_declared_one_is_never_written_to(mini: LabHub) -> None:
    original = (mini.folder / "clusters.yaml").read_bytes()
    mini.edit(
        "clusters.yaml", "    site: site-a\n", "    site: site-a\n    uid: 00000000-0000-4000-8000-000000000000\n"
    )
    for operation in (mini.up, mini.drift, mini.destroy):
        with pytest.raises(TargetUnreachable) as caught:
            operation()
        assert code(caught.value) == ("TGT001", 7)
    assert "00000000-0000" in caught.value.diagnostics[0].detail
    (mini.folder / "clusters.yaml").write_bytes(original)
    untouched(mini)


def test_a_held_lock_stops_runs_and_lets_readers_read(mini: LabHub) -> None:
    with HubLock(mini.session().state, "run-of-another", "up"):
        for operation in (mini.up, mini.destroy):
            with pytest.raises(LockHeld) as caught:
                operation()
            assert code(caught.value) == ("LCK001", 5)
            assert "run-of-another" in caught.value.diagnostics[0].summary
        assert mini.plan().plan.summary["create"] > 60
        assert mini.drift().drifted == []
        assert status(str(mini.folder))["lock"]["run"] == "run-of-another"
    assert status(str(mini.folder))["lock"] is None
    untouched(mini)


def test_a_missing_engine_is_told_before_the_first_write(mini: LabHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Env.CACHE, str(mini.home / "empty-cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for operation in (mini.up, lambda: mini.plan(engine=True)):
        with pytest.raises(ToolMissing) as caught:
            operation()
        assert code(caught.value) == ("TOL001", 6)
        assert "pulumi" in caught.value.diagnostics[0].summary
        assert "govhub doctor --build" in caught.value.diagnostics[0].hint
    assert mini.plan().plan.summary["create"] > 60
    untouched(mini)


@pytest.fixture
def fake_engine(mini: LabHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a ``pulumi`` of the right version on PATH that does what the script says instead."""

    def make(script: str) -> Path:
        path = tmp_path / "bin" / "pulumi"
        path.parent.mkdir()
        path.write_text(f'#!/bin/sh\n[ "$1" = version ] && {{ echo v{PULUMI_VERSION}; exit 0; }}\n{script}')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
        monkeypatch.setenv("MARK", str(tmp_path / "pids"))
        monkeypatch.setattr(command, "GRACE_SECONDS", 1.0)
        monkeypatch.setattr(command, "LINGER_SECONDS", 1.0)
        return tmp_path / "pids"

    return make


def test_an_engine_that_dies_at_once_fails_the_run_with_its_words(
    mini: LabHub, fake_engine: Callable[[str], Path]
) -> None:
    fake_engine('echo "error: the plugin host exploded" >&2; exit 1\n')
    result = mini.up()
    assert (result.status, int(result.exit)) == ("failed", 1)
    first = result.problems[0]
    assert first.code == "ENG002"
    assert "the plugin host exploded" in first.summary
    assert {item.code for item in result.problems} == {"ENG002", "RUN002"}, "the layers above were not tried"
    assert current_holder(mini.session().state) is None
    assert mini.live() == {}


def test_an_engine_that_hangs_is_ended_and_nothing_of_it_stays(
    mini: LabHub, fake_engine: Callable[[str], Path]
) -> None:
    marks = fake_engine(
        'trap "" INT TERM; sleep 600 & echo $! $$ >>"$MARK"; case "$*" in *"stack init"*) exit 0;; esac; wait\n'
    )
    started = time.monotonic()
    result = mini.up(timeout=2.0)
    assert time.monotonic() - started < 60
    assert result.status == "failed"
    assert any("was ended after 2 s" in item.summary for item in result.problems), result.problems
    pids = [int(pid) for pid in marks.read_text().split()]
    assert len(pids) >= 2
    assert gone(pids)
    assert current_holder(mini.session().state) is None
    assert mini.live() == {}


def saved(hub: LabHub, **more: Any) -> Path:
    path = hub.home / "saved-plan.json"
    path.write_text(json.dumps(hub.plan(**more).plan.as_dict(), ensure_ascii=False), encoding="utf-8")
    return path


def refused(hub: LabHub, path: Path, expected: str, **more: Any) -> str:
    """The reason for which the plan is refused, when neither cluster nor state has changed by that."""
    before, documents = hub.versions(), hub.documents()
    with pytest.raises(InvalidInput) as caught:
        hub.up(plan_file=path, **more)
    assert code(caught.value) == (expected, 3)
    assert (hub.versions(), hub.documents()) == (before, documents)
    return caught.value.diagnostics[0].summary


def test_a_saved_plan_is_done_exactly_and_recovers_from_the_broken_engines(mini: LabHub) -> None:
    path = saved(mini)
    result = mini.up(plan_file=path)
    assert (result.status, result.problems) == ("done", [])
    assert result.plan.summary["create"] > 60
    mini.assert_converged()
    assert "another run has changed the state" in refused(mini, path, "PLN004")
    again = mini.up(plan_file=saved(mini))
    assert (again.status, again.jobs) == ("unchanged", [])


def test_a_saved_plan_is_refused_when_the_files_have_changed(mini: LabHub) -> None:
    path = saved(mini)
    mini.edit("systems.yaml", "校园开放日预约", "校园开放日预约系统")
    assert "files have changed" in refused(mini, path, "PLN004")
    mini.edit("systems.yaml", "校园开放日预约系统", "校园开放日预约")


def test_a_saved_plan_is_refused_when_the_target_is_another(mini: LabHub) -> None:
    path, state = saved(mini), mini.session().state
    pins = dict(state.read(PINS))
    state.write(PINS, pins | {"main": "00000000-0000-4000-8000-000000000000"})
    assert "target clusters" in refused(mini, path, "PLN004")
    with pytest.raises(TargetUnreachable) as caught:
        mini.up()
    assert code(caught.value) == ("TGT001", 7)
    state.write(PINS, pins)


def test_a_saved_plan_is_refused_for_another_selection_or_hub_and_when_it_is_not_there(mini: LabHub) -> None:
    path = saved(mini)
    assert "plan was made with all" in refused(mini, path, "PLN004", selection=Selection(tenants=("education",)))
    body = json.loads(path.read_text()) | {"hub": "maxi"}
    body["hash"] = digest({key: value for key, value in body.items() if key != "hash"})
    path.write_text(json.dumps(body))
    assert "for maxi" in refused(mini, path, "PLN004")
    refused(mini, mini.home / "nothing.json", "PLN001")
    refused(mini, mini.home, "PLN001")


def test_a_saved_plan_is_refused_when_it_is_old_or_a_byte_was_changed(mini: LabHub) -> None:
    path = saved(mini)
    body = json.loads(path.read_text()) | {"created": (datetime.now(UTC) - timedelta(hours=13)).isoformat()}
    body["hash"] = digest({key: value for key, value in body.items() if key != "hash"})
    path.write_text(json.dumps(body))
    assert "older than 12 hours" in refused(mini, path, "PLN003")
    text = saved(mini).read_text().replace('"unchanged": ', '"unchanged": 1', 1)
    path.write_text(text)
    assert "changed after it was written" in refused(mini, path, "PLN002")


def test_a_saved_plan_is_checked_again_under_the_lock(mini: LabHub) -> None:
    """Another run may finish between the first look at the plan and the moment the lock is ours."""
    path, state = saved(mini), mini.session().state
    key = next(
        key for key in hub_keys(state.bucket, "mini") if "/stacks/govhub-systems/" in key and key.endswith(".json")
    )
    original = state.bucket.get(key)
    assert original is not None

    def interfere(event: Event) -> None:
        if event.kind == "run-started":
            state.bucket.put(key, original + b"\n")

    with pytest.raises(InvalidInput) as caught:
        mini.up(plan_file=path, listener=interfere)
    assert code(caught.value) == ("PLN004", 3)
    state.bucket.put(key, original)
    mini.assert_converged()


def test_a_lock_that_was_lost_stops_the_run_and_fails_it(mini: LabHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from govhub.engine import lease

    lease_of_a_second = HubLock.__init__

    def shorter(self: HubLock, *args: Any, **more: Any) -> None:
        lease_of_a_second(self, *args, lease=timedelta(seconds=0.6), **more)

    monkeypatch.setattr(lease.HubLock, "__init__", shorter)
    state = mini.session().state
    mini.edit("systems.yaml", "校园开放日预约", "校园开放日")
    mini.edit("systems.yaml", "cpu: 100m, memory: 256Mi", "cpu: 150m, memory: 256Mi")

    def steal(event: Event) -> None:
        if event.kind == "shard-started":
            state.write("lock.json", {"run": "thief"})
            time.sleep(1.0)

    result = mini.up(listener=steal)
    assert (result.status, int(result.exit)) == ("failed", 5)
    assert "LCK003" in {item.code for item in result.problems}
    assert state.read("lock.json") == {"run": "thief"}, "the other run's lock is not given back for it"
    monkeypatch.undo()
    after = mini.up()
    assert (after.status, after.problems) == ("done", [])
    mini.assert_converged()


def test_a_cluster_that_stops_answering_and_comes_back_costs_nothing(mini: LabHub, toolchain: dict[str, Path]) -> None:
    documents = mini.documents()
    lab = LabCluster("mini", "main")
    lab.stop({name: toolchain[name] for name in CONTROL_PLANE})
    for operation in (mini.up, mini.drift, mini.destroy):
        with pytest.raises(TargetUnreachable) as caught:
            operation()
        assert code(caught.value) == ("KUB003", 7)
    assert mini.documents() == documents
    assert mini.plan().plan.changes == ()
    lab_up(str(mini.folder), None, print)
    result = mini.up()
    assert (result.status, result.problems) == ("unchanged", [])
    mini.assert_converged()


def test_run_folders_hold_an_unbroken_chain_and_are_private(mini: LabHub) -> None:
    from govhub.core.events import first_broken_link

    folders = sorted(runs_folder("mini").iterdir())
    assert len(folders) > 20
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert first_broken_link(folder / "events.ndjson") is None
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
