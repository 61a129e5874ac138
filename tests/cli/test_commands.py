"""The other commands: what they ask, what they show, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import samples
from cli.conftest import Fake
from cli.samples import matches
from govhub.core.diff import Change
from govhub.core.errors import InvalidInput
from govhub.core.events import EventLog
from govhub.engine.drift import Drifted, DriftKind
from govhub.inventory.importers.results import ImportResult, Outcome, RowResult
from govhub.ops.requests import DriftResult
from govhub.stacks.graph import Identity, Shard

STATUS: dict[str, Any] = {
    "schema": "govhub.status/1",
    "hub": "jinzhou",
    "state": "/state",
    "clusters": [
        {"name": "main", "reachable": True, "uid": "u-1", "nodes": {"ready": 9, "total": 10}, "problem": None},
        {"name": "edge", "reachable": False, "uid": None, "nodes": None, "problem": {"summary": "no answer"}},
    ],
    "hosts": {"declared": 168, "as_declared": 5, "changed": 1, "drifted": 2, "new": 0, "no_address": 160},
    "shards": [{"shard": "main/tenants/0", "objects": 1200, "serial": "7"}],
    "unfinished": [{"shard": "main/systems/0", "run": "r1", "time": "2026-03-02T08:00:00Z"}],
    "lock": {"actor": "li", "host": "ops1", "operation": "up", "run": "r2", "until": "2026-03-02T08:01:00Z"},
    "last_run": {"run": "r0", "status": "done", "time": "2026-03-01T08:00:00Z", "seconds": 41.2},
    "readiness": {"ready": 9, "total": 10, "waiting": [{"address": "main/Deployment/a/b", "why": "0 of 1"}]},
}
LAB: dict[str, Any] = {
    "schema": "govhub.lab/1",
    "hub": "jinzhou",
    "clusters": [
        {"name": "main", "state": "running", "nodes": 200, "kubeconfig": "/k", "pids": [1, 2], "seconds": 8.5},
        {"name": "edge", "state": "absent", "nodes": None, "kubeconfig": None, "pids": []},
    ],
}
DOCTOR: dict[str, Any] = {
    "schema": "govhub.doctor/1",
    "ok": False,
    "tools": [
        {"name": "pulumi", "version": "3.259.0", "origin": "built", "path": "/c/pulumi", "need": "engine", "hint": ""},
        {"name": "etcd", "version": "3.6.8", "origin": "missing", "path": None, "need": "lab", "hint": "build it"},
    ],
    "environment": [{"name": "go", "value": "not found", "ok": False, "hint": "install Go"}],
}


def drifted(*unreachable: Any) -> DriftResult:
    shard, change = Shard("main", "tenants", 0), Change("change", ("spec", "hard", "pods"), "50", "500")
    items = [
        Drifted(DriftKind.EDITED, shard, Identity("", "ResourceQuota", "finance-prod", "quota"), (change,)),
        Drifted(DriftKind.DELETED, shard, Identity("", "Namespace", "", "health-prod")),
        Drifted(DriftKind.UNKNOWN, shard, Identity("", "ConfigMap", "x", "copy")),
    ]
    return DriftResult(hub="jinzhou", compared=3041, drifted=items, unreachable=list(unreachable), seconds=1.25)


def test_validate(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    ops("validate", validate=lambda hubs: samples.validate_result())
    words = ["--markdown", str(tmp_path / "v.md"), "--junit", str(tmp_path / "v.xml")]
    code, out, _ = govhub("validate", *words)
    assert code == 3
    assert matches("validate.txt", out)
    assert matches("validate.md", (tmp_path / "v.md").read_text(encoding="utf-8"))
    assert matches("validate.xml", (tmp_path / "v.xml").read_text(encoding="utf-8"))
    assert matches("validate.json", govhub("validate", "--json")[1])


def test_an_inventory_that_cannot_be_read_is_in_the_side_files(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    def validate(hubs: tuple[str, ...]) -> None:
        raise InvalidInput([samples.ERROR])

    ops("validate", validate=validate)
    files = {flag: tmp_path / flag for flag in ("--sarif", "--junit", "--markdown", "--events")}
    code, _, err = govhub("validate", "jinzhou", *(str(word) for pair in files.items() for word in pair))
    assert code == 3
    assert "error[TEN001] jinzhou/tenants.yaml:12:5: quota" in err
    assert all("TEN001" in path.read_text(encoding="utf-8") for path in files.values())


def test_a_pipe_or_device_may_be_a_side_file(ops: Fake, govhub: Any) -> None:
    ops("validate", validate=lambda hubs: samples.validate_result())
    assert govhub("validate", "--markdown", "/dev/null")[0] == 3
    assert Path("/dev/null").is_char_device()


def test_drift(ops: Fake, govhub: Any) -> None:
    ops("drift", drift=lambda hub, clusters: drifted())
    code, out, _ = govhub("drift", "jinzhou")
    assert code == 0
    assert matches("drift.txt", out)
    assert govhub("drift", "jinzhou", "--detailed-exitcode")[0] == 2
    assert json.loads(govhub("drift", "jinzhou", "--json")[1])["drifted"][0]["kind"] == "edited"


def test_a_cluster_that_was_not_read_is_not_free_of_drift(ops: Fake, govhub: Any) -> None:
    result = drifted(samples.ERROR)
    result.drifted.clear()
    ops("drift", drift=lambda hub, clusters: result)
    code, out, _ = govhub("drift", "jinzhou", "--detailed-exitcode")
    assert code == 7
    assert "no drift where it could be read" in out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_status_lab_and_doctor(ops: Fake, govhub: Any, language: str) -> None:
    ops("status", status=lambda hub: STATUS)
    ops("lab", lab_up=lambda hub, nodes, progress, hosts, meters: progress("cluster main: ready") or LAB)
    ops("doctor", doctor=lambda build, progress: DOCTOR)
    assert matches(f"status.{language}.txt", govhub("status", "jinzhou", "--lang", language)[1])
    code, out, err = govhub("lab", "up", "jinzhou", "--nodes", "200", "--lang", language)
    assert (code, err) == (0, "cluster main: ready\n")
    assert matches(f"lab.{language}.txt", out)
    code, out, _ = govhub("doctor", "--lang", language)
    assert code == 6
    assert matches(f"doctor.{language}.txt", out)


def test_documents_are_passed_on_with_json(ops: Fake, govhub: Any) -> None:
    ops("status", status=lambda hub: STATUS)
    assert json.loads(govhub("status", "jinzhou", "--json")[1]) == STATUS
    assert json.loads(govhub("--json", "status", "jinzhou")[1]) == STATUS


def test_a_status_of_a_fresh_hub(ops: Fake, govhub: Any) -> None:
    fresh = STATUS | {"shards": [], "unfinished": [], "lock": None, "last_run": None, "readiness": None}
    ops("status", status=lambda hub: fresh)
    out = govhub("status", "jinzhou")[1]
    assert "no run yet" in out
    assert "Workloads ready: unknown" in out


def test_init(ops: Fake, govhub: Any) -> None:
    ops("scaffold", init_hub=lambda name, folder: [Path("inventories/x/hub.yaml")])
    assert govhub("init", "x")[:2] == (0, "Written:\n  inventories/x/hub.yaml\nNext: govhub validate x\n")
    assert json.loads(govhub("init", "x", "--json")[1])["files"] == ["inventories/x/hub.yaml"]


def test_import(ops: Fake, govhub: Any) -> None:
    rows = (
        RowResult(row=2, name="finance", outcome=Outcome.ADDED),
        RowResult(row=3, name="health", outcome=Outcome.UNCHANGED),
        RowResult(row=4, name="?", outcome=Outcome.ERROR, diagnostics=(samples.ERROR,)),
    )
    asked: list[Any] = []

    def import_table(*given: Any, **flags: Any) -> ImportResult:
        asked.append((*given, flags))
        return ImportResult(what="departments", source="d.csv", dry_run=True, rows=rows, files=(Path("t.yaml"),))

    ops("importing", import_table=import_table)
    code, out, _ = govhub("import", "departments", "jinzhou", "d.csv", "--dry-run")
    assert code == 3
    assert asked == [("jinzhou", Path("d.csv"), "departments", {"dry_run": True, "partial": False})]
    assert matches("import.txt", out)


def test_state(ops: Fake, govhub: Any) -> None:
    listed = {"hub": "jinzhou", "address": "/s", "pins": {"main": "u-1"}, "shards": STATUS["shards"]}
    moved = {"hub": "jinzhou", "from": "/s", "to": "postgres://x", "documents": 12, "next": "set GOVHUB_STATE"}
    gone = {"hub": "jinzhou", "cluster": "edge", "documents": 3}
    ops(
        "state",
        list_state=lambda hub: listed,
        move_state=lambda hub, to: moved,
        forget=lambda hub, cluster: gone | {"cluster": cluster},
    )
    assert "main/tenants/0" in govhub("state", "list", "jinzhou")[1]
    assert "12 documents moved: /s → postgres://x" in govhub("state", "move", "jinzhou", "--to", "postgres://x")[1]
    assert "edge: 3 documents put aside" in govhub("state", "forget", "jinzhou", "--cluster", "edge")[1]


def test_events_verify(govhub: Any, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    log = EventLog(path)
    for index in range(3):
        log.emit("step", index=index)
    log.close()
    code, out, _ = govhub("events", "verify", str(path), "--json")
    assert code == 0
    assert json.loads(out)["events"] == 3
    path.write_text(path.read_text().replace('"index":1', '"index":9'))
    code, out, _ = govhub("events", "verify", str(path))
    assert code == 1
    assert "broken at event 1" in out
    path.write_text("root:x:0\n")
    assert govhub("events", "verify", str(path))[0] == 3
    assert govhub("events", "verify", str(tmp_path / "none"))[0] == 1


def test_config_shows_origins_and_no_password(govhub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVHUB_STATE", "postgres://user:hunter22@host/db")
    code, out, _ = govhub("config", "show", "--origin")
    assert code == 0
    assert "environment GOVHUB_STATE" in out
    assert "hunter22" not in out
    assert '"origin"' not in govhub("config", "show", "--json")[1]


def test_schema(govhub: Any, tmp_path: Path) -> None:
    code, out, _ = govhub("schema")
    assert code == 0
    assert json.loads(out)["$schema"].endswith("2020-12/schema")
    code, out, _ = govhub("schema", "--out", str(tmp_path), "--json")
    assert all(Path(path).is_file() for path in json.loads(out)["files"])


def test_version(govhub: Any) -> None:
    code, out, _ = govhub("--version")
    assert code == 0
    assert out.startswith("govhub ")
