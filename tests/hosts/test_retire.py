"""Hosts that leave: what changes in the files, what is freed, and what must be said before anything is done."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from govhub.cli.main import main
from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.events import first_broken_link, read_events
from govhub.core.exits import Exit
from govhub.core.settings import Env
from govhub.engine.state import State
from govhub.inventory.loader import Hub
from govhub.inventory.sizing import capacity_of
from govhub.inventory.topology import PlacedHost
from govhub.ops.load import valid_hub
from govhub.ops.plan import make_plan
from govhub.ops.reach import state_bucket
from govhub.ops.requests import PlanRequest
from govhub.ops.retire import RetireRequest, RetireResult, retire

MINI = Path(__file__).parents[1] / "hubs" / "mini"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GOVHUB_STATE", raising=False)
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    return folder


def loaded(hub: Path) -> Hub:
    return valid_hub(str(hub))[0]


def hosts(hub: Path) -> dict[str, PlacedHost]:
    """All hosts; the entry's number says nothing of a host."""
    return {name: replace(host, entry=0) for name, host in loaded(hub).topology.hosts.items()}


def go(hub: Path, *names: str, **more: Any) -> RetireResult:
    return retire(RetireRequest(hub=str(hub), hosts=names, **({"drain_check": False} | more)))


def declare(path: Path, rest: str) -> None:
    """Add a host by hand."""
    text = f"  - {{names: node9, arch: amd64, cores: 16, memory: 64Gi, {rest}}}\n"
    path.write_text(path.read_text() + text)


def test_what_would_happen_is_shown_and_nothing_is_done(hub: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in hub.iterdir()}
    result = go(hub, "node2", wipe=True)
    assert (result.exit, result.run, result.record) == (Exit.OK, "", None)
    assert [item.status for item in result.hosts] == ["planned"]
    assert "+    retired: [node2]" in result.trial.diff.splitlines()
    assert {path.name: path.read_bytes() for path in hub.iterdir()} == before
    assert not (tmp_path / "home" / "hubs" / "mini" / "retired").exists()


def test_the_others_keep_names_racks_and_addresses(hub: Path) -> None:
    path = hub / "clusters.yaml"
    path.write_text(path.read_text().replace("lab: true}", "addresses: '10.20.0.{15..16}'}"))
    before = hosts(hub)
    assert go(hub, "node2", "node5", confirm=("node2", "node5")).exit is Exit.OK
    after = hosts(hub)
    assert after == {name: host for name, host in before.items() if name not in ("node2", "node5")}
    assert after["node6"].address == "10.20.0.16"
    assert "# Six nodes, each in a rack of its own" in path.read_text()
    assert loaded(hub).model.hosts[0].retired == ["node2"]


def test_a_run_without_hosts_goes_away(hub: Path) -> None:
    before = hosts(hub)
    result = go(hub, "node5", "node6", confirm=("node5", "node6"))
    assert [line for line in result.trial.diff.splitlines()[2:] if line.startswith("+")] == []
    assert len(loaded(hub).model.hosts) == 1
    assert hosts(hub) == {name: before[name] for name in ("node1", "node2", "node3", "node4")}


def test_hosts_of_one_run_retire_one_after_the_other(hub: Path) -> None:
    for name in ("node1", "node3"):
        go(hub, name, confirm=(name,))
    assert loaded(hub).model.hosts[0].retired == ["node1", "node3"]
    assert {name: host.rack[-2:] for name, host in hosts(hub).items() if name < "node5"} == {
        "node2": "02",
        "node4": "04",
    }


def test_the_machine_of_a_retired_host_may_be_used_again(hub: Path) -> None:
    path = hub / "clusters.yaml"
    path.write_text(path.read_text().replace("lab: true}", "machines: {node5: {serial: CN1}, node6: {serial: CN2}}}"))
    go(hub, "node5", confirm=("node5",))
    assert list(loaded(hub).model.hosts[1].machines) == ["node6"]
    declare(path, "racks: site-a/h1/r02/04, machines: {node9: {serial: CN1}}")
    assert hosts(hub)["node9"].serial == "CN1"


def test_rack_units_power_weight_and_capacity_are_freed(hub: Path) -> None:
    before = loaded(hub)
    result = go(hub, "node2", confirm=("node2",))
    after = loaded(hub)
    assert result.room["racks"] == [
        {
            "rack": "site-a/h1/r01/02",
            "before": {"units": 40, "kw": 4.2, "kg": 970},
            "after": {"units": 42, "kw": 5.0, "kg": 1000},
        }
    ]
    assert not [host for host in after.topology.hosts.values() if host.rack == "site-a/h1/r01/02"]
    freed = capacity_of(before.topology.nodes("main")) - capacity_of(after.topology.nodes("main"))
    assert (freed.millicores, freed.memory) == (16_000, 64 * 2**30)
    assert result.room["clusters"] == [
        {
            "cluster": "main",
            "before": {"nodes": 6, "cores": 96.0, "gib": 384.0},
            "after": {"nodes": 5, "cores": 80.0, "gib": 320.0},
        }
    ]
    capacity = {item.cluster: item for item in make_plan(PlanRequest(hub=str(hub))).plan.capacity}
    assert "80" in str(capacity["main"])
    # The place can be taken again: as high as the whole rack.
    path = hub / "clusters.yaml"
    declare(path, "racks: site-a/h1/r01/02, units: 20, watts: 5000, kg: 400")
    assert "node9" in hosts(hub)


def test_state_and_notes_of_the_host_are_dropped_and_no_others(hub: Path, tmp_path: Path) -> None:
    state = State("mini", state_bucket(loaded(hub)))
    notes = tmp_path / "home" / "hubs" / "mini" / "drifted"
    notes.mkdir(parents=True)
    for name in ("node2", "node3"):
        state.write(f"hosts/{name}.json", {"roles": {}})
        (notes / f"{name}.json").write_text('{"tasks": ["x"]}')
    go(hub, "node2", confirm=("node2",))
    assert (state.read("hosts/node2.json"), state.read("hosts/node3.json")) == (None, {"roles": {}})
    assert [path.stem for path in notes.iterdir()] == ["node3"]


def test_the_record_is_chained_and_names_who_did_it(hub: Path) -> None:
    result = go(hub, "node2", confirm=("node2",))
    assert result.record
    assert first_broken_link(result.record) is None
    events = {item["kind"]: item["data"] for item in read_events(result.record)}
    assert events["host-retired"] == {
        "host": "node2",
        "rack": "site-a/h1/r01/02",
        "serial": "",
        "wiped": None,
        "actor": "tester",
    }
    assert events["run-started"]["operation"] == "retire"
    text = result.record.read_text().replace("node2", "node3")
    result.record.write_text(text)
    assert first_broken_link(result.record) is not None


@pytest.mark.parametrize("confirm", [("node1",), ("mini",), ("node2", "node4")])
def test_each_host_must_be_named_again(hub: Path, confirm: tuple[str, ...]) -> None:
    before = (hub / "clusters.yaml").read_bytes()
    with pytest.raises(PolicyViolation, match="confirmed") as caught:
        go(hub, "node2", "node3", confirm=confirm)
    assert caught.value.diagnostics[0].code == "RET002"
    assert (hub / "clusters.yaml").read_bytes() == before


def test_the_command_line_says_it_as_text_and_as_json(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["hosts", "retire", str(hub), "node2", "--no-drain-check"]
    assert main(words) == Exit.OK
    shown = capsys.readouterr().out
    assert "Nothing was done. To do it, add: --confirm node2" in shown
    assert "40   → 42" in shown
    assert main([*words, "--confirm", "node3"]) == Exit.POLICY
    capsys.readouterr()
    assert main([*words, "--confirm", "node2", "--json"]) == Exit.OK
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["hosts"][0]["status"]) == ("govhub.retire/1", "retired")
    assert Path(document["record"]).is_file()
    assert main(["events", "verify", document["record"]]) == Exit.OK


def test_an_unknown_host_is_told(hub: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no host") as caught:
        go(hub, "nodes2")
    assert 'did you mean "node2"?' in caught.value.diagnostics[0].hint


def test_a_frozen_hub_keeps_its_hosts(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Env.TODAY, "2026-03-01")
    (hub / "exceptions.yaml").write_text(
        "exceptions:\n  - {name: sessions, kind: freeze, target: hub, reason: two sessions, "
        "owner: 大数据中心, until: 2026-03-15}\n"
    )
    before = (hub / "clusters.yaml").read_bytes()
    with pytest.raises(PolicyViolation, match="frozen until 2026-03-15"):
        go(hub, "node2", confirm=("node2",))
    assert (hub / "clusters.yaml").read_bytes() == before
    monkeypatch.setenv(Env.TODAY, "2026-03-16")
    (hub / "exceptions.yaml").unlink()
    assert go(hub, "node2", confirm=("node2",)).exit is Exit.OK


def test_too_few_hosts_for_the_quotas_are_refused(hub: Path) -> None:
    names = tuple(f"node{number}" for number in range(1, 6))
    before = (hub / "clusters.yaml").read_bytes()
    with pytest.raises(PolicyViolation) as caught:
        go(hub, *names, confirm=names)
    assert {item.code[:3] for item in caught.value.diagnostics} == {"CAP"}
    assert (hub / "clusters.yaml").read_bytes() == before


def test_a_node_whose_cluster_cannot_be_asked_stays(hub: Path) -> None:
    before = (hub / "clusters.yaml").read_bytes()
    result = go(hub, "node2", confirm=("node2",), drain_check=True)
    assert ([item.code for item in result.problems], result.exit) == (["RET003"], Exit.FAILED)
    assert ([item.status for item in result.hosts], result.trial.diff) == (["stays"], "")
    assert (hub / "clusters.yaml").read_bytes() == before


def test_what_could_not_be_seen_is_unknown_and_not_nothing(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = go(hub, "node2", drain_check=True)
    assert [(item.code, item.severity.value) for item in result.problems] == [("RET003", "warning")]
    assert (result.exit, result.hosts[0].as_dict()["pods"]) == (Exit.OK, None)
    assert "+    retired: [node2]" in result.trial.diff.splitlines(), "what would happen is shown all the same"
    assert main(["hosts", "retire", str(hub), "node2"]) == Exit.OK
    shown = capsys.readouterr().out
    assert re.search(r"node2 .* unknown +unknown +would leave", shown)


def test_a_host_that_cannot_be_reached_is_not_called_wiped(hub: Path) -> None:
    before = (hub / "clusters.yaml").read_bytes()
    result = go(hub, "node2", confirm=("node2",), wipe=True)
    assert ([item.code for item in result.problems], result.hosts[0].wiped) == (["RET004"], None)
    assert (hub / "clusters.yaml").read_bytes() == before
