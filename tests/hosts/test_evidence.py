"""Evidence shows every change, gap, reordering and cut; audits of saved readings need no host."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from govhub.cli import i18n
from govhub.cli.main import main
from govhub.core.canonical import digest
from govhub.core.errors import InvalidInput
from govhub.core.exits import Exit
from govhub.core.settings import hub_home
from govhub.hosts.audit.catalogue import checks
from govhub.ops.evidence import export, verify
from govhub.ops.hostaudit import audits_folder, hosts_audit
from govhub.ops.hostread import SweepRequest, hosts_facts
from hosts.readings import reading, save

MINI = Path(__file__).parents[1] / "hubs" / "mini"
Govhub = Callable[..., tuple[int, str]]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small hub with two hosts that have addresses; one of them was read."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GOVHUB_STATE", raising=False)
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    clusters = folder / "clusters.yaml"
    clusters.write_text(clusters.read_text().replace("lab: true}", "addresses: '127.0.0.{11..12}'}"))
    save("mini", reading("node5"))
    return folder


@pytest.fixture
def govhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Govhub]:
    """Run a command line: exit code and what it shows."""
    monkeypatch.setenv("LANG", "C.UTF-8")

    def run(*words: str) -> tuple[int, str]:
        code = main(words)
        return code, capsys.readouterr().out

    yield run
    i18n.use("en")


@pytest.fixture
def file(hub: Path, tmp_path: Path) -> Path:
    hosts_audit(SweepRequest(hub=str(hub), saved=True))
    export(str(hub), tmp_path / "evidence.ndjson")
    return tmp_path / "evidence.ndjson"


def test_an_audit_of_what_was_read_before_says_how_old_it_is_and_who_was_not_read(hub: Path) -> None:
    found = hosts_audit(SweepRequest(hub=str(hub), saved=True))
    assert found["hosts"]["node5"]["age"] > 0
    assert found["hosts"]["node6"]["read"] is None
    assert {item["result"] for item in found["hosts"]["node6"]["results"]} == {"unverified"}
    assert [item["code"] for item in found["problems"]] == ["HST035"]
    assert sum(found["summary"].values()) == sum(len(host["results"]) for host in found["hosts"].values())
    assert set(found["without_address"]) == {"node1", "node2", "node3", "node4"}


def test_facts_of_damaged_readings_are_told_and_not_made_up(hub: Path) -> None:
    (hub_home("mini") / "readings" / "node5.json").write_text("{")
    found = hosts_facts(SweepRequest(hub=str(hub), saved=True))
    assert (found["hosts"], len(found["problems"])) == ([], 2)


def test_evidence_holds_control_host_check_result_and_time(file: Path) -> None:
    records = [json.loads(line) for line in file.read_text().splitlines()]
    evidence = [item["data"] for item in records if item["kind"] == "evidence"]
    assert {item["host"] for item in evidence} == {"node5", "node6"}
    assert {item["check"] for item in evidence if item["host"] == "node5"} == set(checks())
    clock = next(item for item in evidence if item["check"] == "clock" and item["host"] == "node5")
    assert (clock["control"], clock["result"], clock["read"]) == ("8.1.4.3 b", "passed", "2026-03-02T08:00:00+00:00")
    assert clock["title"]["zh"] == "时钟准确，时区正确"
    assert {item["control"] for item in (one["data"] for one in records if one["kind"] == "control-not-covered")}
    assert verify(file)["intact"]


def _records(file: Path) -> list[str]:
    return file.read_text().splitlines(keepends=True)


def _changed(line: str) -> str:
    return line.replace('"result":"failed"', '"result":"passed"').replace('"result":"unverified"', '"result":"passed"')


def _flip(lines: list[str]) -> list[str]:
    at = next(index for index, line in enumerate(lines) if _changed(line) != line)
    return [*lines[:at], _changed(lines[at]), *lines[at + 1 :]]


def _flip_and_rehash(lines: list[str]) -> list[str]:
    """A forger who knows how one record is hashed, and not that the next one holds the hash."""
    changed = _flip(lines)
    at = next(index for index, line in enumerate(lines) if line != changed[index])
    body = {key: value for key, value in json.loads(changed[at]).items() if key != "hash"}
    changed[at] = json.dumps({**body, "hash": digest(body)}) + "\n"
    return changed


@pytest.mark.parametrize(
    ("tamper", "why"),
    [
        (_flip, "changed, removed or reordered"),
        (_flip_and_rehash, "changed, removed or reordered"),
        (lambda lines: [*lines[:7], *lines[8:]], "changed, removed or reordered"),
        (lambda lines: [*lines[:7], lines[8], lines[7], *lines[9:]], "changed, removed or reordered"),
        (lambda lines: lines[1:], "changed, removed or reordered"),
        (lambda lines: [*lines[:7], *lines[6:]], "changed, removed or reordered"),
        (lambda lines: [*lines[:7], "garbage\n", *lines[8:]], "changed, removed or reordered"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: lines[:-2], "cut off"),
        (lambda lines: lines[: len(lines) // 2], "cut off"),
        (lambda lines: [*lines[:-1], lines[-1][:40]], "half a record"),
        (lambda lines: [*lines[:-1], lines[-1].rstrip("\n")], "half a record"),
    ],
)
def test_every_tampering_is_found_at_its_first_record(
    file: Path, tamper: Callable[[list[str]], list[str]], why: str
) -> None:
    lines = _records(file)
    changed = tamper(lines)
    file.write_text("".join(changed))
    found = verify(file)
    assert not found["intact"]
    first = next((at for at, line in enumerate(changed) if at >= len(lines) or line != lines[at]), len(changed))
    # A record computed anew holds by itself; the one after it does not follow from it any more.
    assert found["first_broken"] in (first, first + 1)
    assert why in found["why"] or found["first_broken"] == 0


def test_records_that_are_added_after_the_end_are_found(file: Path) -> None:
    last = json.loads(_records(file)[-1])
    body = {"seq": last["seq"] + 1, "time": last["time"], "kind": "evidence", "data": {}, "previous": last["hash"]}
    with file.open("a") as out:
        out.write(json.dumps({**body, "hash": digest(body)}) + "\n")
    assert verify(file)["why"] == "the records after this were cut off"


def test_a_seal_tells_a_chain_that_somebody_computed_anew(hub: Path, tmp_path: Path) -> None:
    home = hub_home("mini")
    home.mkdir(parents=True, exist_ok=True)
    (home / "key").write_text("k" * 64)
    (home / "key").chmod(0o600)
    hosts_audit(SweepRequest(hub=str(hub), saved=True))
    assert export(str(hub), tmp_path / "sealed")["sealed"]
    assert verify(tmp_path / "sealed", str(hub))["sealed"] is True
    forged, previous = [], "0" * 64
    for line in _records(tmp_path / "sealed"):
        body = {key: value for key, value in json.loads(_changed(line)).items() if key != "hash"}
        body["previous"] = previous
        previous = digest(body)
        forged.append(json.dumps({**body, "hash": previous}) + "\n")
    (tmp_path / "sealed").write_text("".join(forged))
    assert verify(tmp_path / "sealed")["intact"], "the chain alone cannot tell"
    assert verify(tmp_path / "sealed", str(hub))["sealed"] is False
    assert not verify(tmp_path / "sealed", str(hub))["intact"]


def test_the_latest_audit_of_each_host_counts_unless_all_are_wanted(hub: Path, tmp_path: Path) -> None:
    hosts_audit(SweepRequest(hub=str(hub), saved=True))
    save("mini", replace(reading("node5", zone="/usr/share/zoneinfo/Etc/UTC"), time="2026-03-03T08:00:00+00:00"))
    second = hosts_audit(SweepRequest(hub=str(hub), saved=True, limit=("node5",)))
    latest = export(str(hub), tmp_path / "latest")
    assert len(latest["audits"]) == 2, "node6 was not in the second audit"
    found = [json.loads(line)["data"] for line in _records(tmp_path / "latest")]
    clock = [item for item in found if item.get("check") == "clock" and item["host"] == "node5"]
    assert [(item["result"], item["audit"]) for item in clock] == [("failed", second["audit"])]
    assert export(str(hub), tmp_path / "all", everything=True)["records"] > latest["records"]


def test_what_cannot_be_evidence_is_refused(hub: Path, tmp_path: Path) -> None:
    def refusal(action: Callable[[], object]) -> str:
        with pytest.raises(InvalidInput) as refused:
            action()
        return refused.value.diagnostics[0].code

    assert refusal(lambda: export(str(hub), tmp_path / "none")) == "EVD001"
    hosts_audit(SweepRequest(hub=str(hub), saved=True))
    (tmp_path / "there").write_text("")
    assert refusal(lambda: export(str(hub), tmp_path / "there")) == "EVD002"
    assert refusal(lambda: verify(tmp_path / "there")) == "EVD003"
    next(audits_folder("mini").glob("*.json")).write_text("{}")
    assert refusal(lambda: export(str(hub), tmp_path / "damaged")) == "EVD004"


def test_what_is_kept_of_hosts_is_private(hub: Path) -> None:
    hosts_audit(SweepRequest(hub=str(hub), saved=True))
    for path in audits_folder("mini").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert audits_folder("mini").stat().st_mode & 0o077 == 0


def test_on_the_command_line_exit_codes_tell(hub: Path, file: Path, govhub: Govhub) -> None:
    def code(*words: str) -> int:
        return govhub(*words)[0]

    assert code("evidence", "verify", str(file)) == Exit.OK
    file.write_text("".join(_records(file)[:-1]))
    assert code("evidence", "verify", str(file)) == Exit.FAILED
    assert code("hosts", "audit", str(hub), "--saved") == Exit.UNREACHABLE
    assert code("hosts", "audit", str(hub), "--saved", "--limit", "node5") == Exit.OK
    assert code("hosts", "audit", str(hub), "--saved", "--limit", "node5", "--detailed-exitcode") == Exit.CHANGES
    assert code("hosts", "facts", str(hub), "--saved", "--limit", "node5") == Exit.OK
    assert code("hosts", "facts", str(hub), "--limit", "nod5") == Exit.INVALID
    assert code("hosts", "run", str(hub), "--go", "--", "true") == Exit.USAGE


def test_an_audit_in_chinese_names_controls_in_chinese(hub: Path, govhub: Govhub) -> None:
    shown = govhub("hosts", "audit", str(hub), "--saved", "--limit", "node5", "--lang", "zh")[1]
    assert "检查结果" in shown
    assert "可信验证" in shown


def test_running_a_command_is_dry_unless_it_is_meant(
    hub: Path, govhub: Govhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> None:
        raise AssertionError("a dry run asked a host")

    monkeypatch.setattr("govhub.ops.hostrun.fan_out", nobody)
    code, shown = govhub("hosts", "run", str(hub), "--limit", "node*", "--", "systemctl", "restart", "a b")
    assert code == Exit.OK
    assert "systemctl restart 'a b'" in shown
    assert "node5" in shown
    assert "--go" in shown
    assert not (hub_home("mini") / "runs").exists()
