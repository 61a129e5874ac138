"""Three parties say go: what holds, and each way in which it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from govhub.core.canonical import canonical
from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation
from govhub.migration.itinerary.phases import basis_of
from govhub.migration.record.approvals import judge
from govhub.migration.record.signing import sign
from govhub.migration.record.standing import stand
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import context_of, opened
from govhub.ops.migration.status import one_system
from migration.city import SYSTEM, City


@pytest.fixture
def gate(city: City) -> City:
    """A run that has come to the gate."""
    assert city.run("migrate")["phase"] == "WaitForCutoverApproval"
    return city


def refused(city: City, name: str, **more: object) -> str:
    with pytest.raises(GovhubError) as caught:
        city.approve(name, **more)
    return caught.value.diagnostics[0].code


def closed(city: City) -> str:
    """Why the gate is closed, as the next run says it."""
    result = city.run()
    assert (result["state"], result["phase"]) == ("waiting", "WaitForCutoverApproval"), result
    assert city.live.resolve() == city.source.resolve()
    return str(result["reason"])


def test_three_people_of_three_parties_open_the_gate(gate: City) -> None:
    assert gate.approve("chen")["missing"] == ["authority", "provider"]
    assert gate.approve("zhao")["missing"] == ["provider"]
    assert "provider is missing" in closed(gate)
    assert gate.approve("qian")["open"]
    assert gate.run()["phase"] == "WaitForTrialRun"


def test_nobody_speaks_for_two_parties(gate: City, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(gate, "zhao", party="provider") == "APR003"
    assert refused(gate, "other-office") == "APR003"
    gate.approve("qian")
    # As if the files had let the same person be declared for a second party, with the same key under another name.
    text = (gate.hub / "migration.yaml").read_text()
    (gate.hub / "migration.yaml").write_text(text.replace(gate.public("zhao"), gate.public("qian")))
    assert refused(gate, "zhao", key=gate.keys / "qian") == "MIG006"


def test_the_same_person_twice_does_not_count_twice(gate: City) -> None:
    gate.everybody_approves()
    hub, _ = valid_hub(str(gate.hub))
    twice = [
        item.model_copy(update={"key": gate.public("zhao")}) if item.name == "qian" else item
        for item in hub.model.migration.approvers
    ]
    with opened("mini", clock=gate.clock) as record:
        events = record.events(SYSTEM)
        standing = stand(SYSTEM, events)
        assert standing.run is not None
        context = context_of(hub, SYSTEM, record)
        basis = basis_of(context, standing, standing.run, "cutover")
        approvals = [item for item in events if item.kind == "approval-given"]
        # The very key of the authority, under the provider's name.
        said = approvals[2].data["statement"]
        data = approvals[2].data | {"signature": sign(canonical(said), gate.keys / "zhao")}
        verdict = judge(basis, [*approvals[:2], replace(approvals[2], data=data)], twice, gate.clock())
    assert [item.code for item in verdict.problems] == ["APR004"]
    assert not verdict.open


def test_the_operator_does_not_confirm(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVHUB_ACTOR", "qian")
    city.run("migrate")
    monkeypatch.setenv("GOVHUB_ACTOR", "operator")
    assert refused(city, "qian") == "APR005"
    city.approve("sun")


def test_whoever_goes_on_with_a_run_becomes_its_operator(gate: City, monkeypatch: pytest.MonkeyPatch) -> None:
    gate.everybody_approves()
    monkeypatch.setenv("GOVHUB_ACTOR", "zhao")
    assert "[APR005] zhao runs this migration" in closed(gate)


def test_approvals_expire(gate: City) -> None:
    gate.everybody_approves()
    gate.clock.forward(hours=72)
    assert "[APR006]" in closed(gate)
    gate.everybody_approves()
    assert gate.run()["phase"] == "WaitForTrialRun"


def test_a_changed_plan_voids_approvals_and_sends_the_run_back(gate: City) -> None:
    gate.everybody_approves()
    gate.write(migration="effort: 4")
    reason = closed(gate)
    assert reason.count("[APR007] the plan has changed") == 3
    with opened("mini", clock=gate.clock) as record:
        events = record.events(SYSTEM)
    assert [item.data["sent_back"] for item in events if item.kind == "plan-changed"] == [True]
    assert sum(item.data.get("phase") == "WaitForFileCopy" and item.kind == "phase-finished" for item in events) == 2
    gate.everybody_approves()
    assert gate.run()["phase"] == "WaitForTrialRun"


def test_changed_evidence_voids_approvals(gate: City) -> None:
    gate.everybody_approves()
    with opened("mini", clock=gate.clock) as record:
        data = {"what": "verification", "digest": "0" * 64, "document": {"verdict": "differs"}}
        record.append("evidence-added", SYSTEM, data, key="verification/2")
    assert closed(gate).count("[APR008]") == 3


def test_an_unknown_key_and_an_unknown_name_are_refused(gate: City, tmp_path: Path) -> None:
    assert refused(gate, "chen", key=gate.keys / "sun") == "APR002"
    assert refused(gate, "nobody", party="provider", key=gate.keys / "sun") == "APR001"
    (tmp_path / "empty").write_text("no key")
    assert refused(gate, "chen", key=tmp_path / "empty") == "APR012"


def test_an_approver_who_is_no_longer_declared_counts_no_more(gate: City) -> None:
    gate.everybody_approves()
    lines = (gate.hub / "migration.yaml").read_text().splitlines(keepends=True)
    (gate.hub / "migration.yaml").write_text("".join(line for line in lines if "name: chen" not in line))
    assert "[APR001] chen is no declared approver" in closed(gate)


def test_a_no_go_withdraws_a_go_and_stands_against_all_others(gate: City) -> None:
    gate.everybody_approves()
    with pytest.raises(InvalidInput):
        gate.approve("qian", go=False)
    assert not gate.approve("qian", go=False, reason="a disk of the target has failed")["open"]
    assert "[APR009] qian (provider) says no: a disk of the target has failed" in closed(gate)
    # Another person of the party does not overrule it.
    assert not gate.approve("sun")["open"]
    assert gate.approve("qian")["open"]


def test_a_statement_that_was_changed_in_the_record_opens_nothing(gate: City) -> None:
    gate.approve("chen")
    gate.approve("zhao")
    with opened("mini", clock=gate.clock) as record:
        first = next(item for item in record.events(SYSTEM) if item.kind == "approval-given")
        said = first.data["statement"] | {"name": "qian", "party": "provider"}
        data = {"run": said["run"], "statement": said, "signature": first.data["signature"], "public_key": "x"}
        record.append("approval-given", SYSTEM, data, key="forged")
    assert "[APR002] the signature of qian (provider) is not by the declared key" in closed(gate)


def test_approvals_are_for_one_gate_of_one_run(city: City) -> None:
    with pytest.raises(PolicyViolation, match="waits for no approval"):
        city.approve("chen")
    city.run("rehearse")
    with pytest.raises(PolicyViolation, match="waits for no approval"):
        city.approve("chen")
    city.run("migrate")
    city.everybody_approves()
    city.run()
    with pytest.raises(PolicyViolation, match="waits for no approval"):
        city.approve("chen")
    city.clock.forward(days=31)
    # The cutover's approvals say nothing about acceptance.
    assert city.run()["phase"] == "WaitForAcceptance"
    assert one_system(str(city.hub), SYSTEM, clock=city.clock)["stage"] == "trial"


def test_approvals_that_expired_while_the_window_was_waited_for_stop_the_cutover(city: City) -> None:
    text = (city.hub / "migration.yaml").read_text()
    later = text.replace("[mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440", "[fri], start: '22:00'")
    (city.hub / "migration.yaml").write_text(later)
    city.run("migrate")
    city.everybody_approves()
    assert "22:00 on fri" in city.run()["reason"]
    # Friday, 22:30 in Shanghai; 72 hours were over the evening before.
    city.clock.forward(days=4, hours=13, minutes=30)
    result = city.run()
    assert result["phase"] == "EnsureWritesStopped"
    assert result["reason"].count("[APR006]") == 3
    city.everybody_approves()
    assert city.run()["phase"] == "WaitForTrialRun"
