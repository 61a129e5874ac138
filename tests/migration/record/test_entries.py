"""Stages and evidence that other commands enter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from govhub.cli.main import main
from govhub.core.errors import PolicyViolation
from govhub.core.events import Event
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.record.stages import Stage
from govhub.ops.load import valid_hub
from govhub.ops.migration.entries import add_evidence, reach
from govhub.ops.migration.noting import note, surveyed
from govhub.ops.migration.records import opened
from govhub.ops.migration.status import board, one_system
from migration.city import SYSTEM, City, ready


def test_stages_are_entered_and_folded_into_the_board(city: City) -> None:
    assert board(str(city.hub))["not_begun"] == [SYSTEM]
    with opened("mini", clock=city.clock) as record:
        for stage in (Stage.SURVEYED, Stage.ASSESSED, Stage.PLANNED):
            reach(record, SYSTEM, stage, {"by": stage.value})
            reach(record, SYSTEM, stage, {"by": stage.value})
        assert len(record.events(SYSTEM)) == 3
    stages = {item["stage"]: item["systems"] for item in board(str(city.hub))["stages"]}
    assert stages["planned"] == [SYSTEM]
    assert [item["title"]["zh"] for item in board(str(city.hub))["stages"]] == (
        ["调研", "评估", "方案", "申请", "准备", "迁移", "测试", "试运行", "验收", "下线"]
    )


def test_runs_alone_say_where_a_system_stands_from_preparation_on(city: City) -> None:
    city.run("migrate")
    with opened("mini", clock=city.clock) as record:
        for stage in (Stage.SURVEYED, Stage.ACCEPTED):
            with pytest.raises(PolicyViolation) as caught:
                reach(record, SYSTEM, stage, {})
            assert caught.value.diagnostics[0].code == "REC008"
        add_evidence(record, SYSTEM, "verification", {"verdict": "pass"})
    assert one_system(str(city.hub), SYSTEM, clock=city.clock)["stage"] == "moved"


def test_one_broken_chain_does_not_hide_the_board(city: City) -> None:
    city.run("rehearse")
    with opened("mini") as record, record.database.transaction() as link:
        link.exec_driver_sql("UPDATE govhub_events SET kind = 'forged' WHERE seq = 4")
    (row,) = board(str(city.hub))["systems"]
    assert row["problem"]["code"] == "REC004"
    assert row["stage"] is None


def test_a_plan_that_is_kept_is_entered_and_one_that_is_looked_at_is_not(
    city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["migrate", "plan", str(city.hub)]
    file = str(tmp_path / "plan.yaml")
    assert main([*words, "--greedy"]) == 0, capsys.readouterr()
    assert board(str(city.hub))["not_begun"] == [SYSTEM]
    capsys.readouterr()
    assert main([*words, "--greedy", "--json", "--out", file]) == 0
    recorded = json.loads(capsys.readouterr().out)["recorded"]
    assert SYSTEM in recorded["systems"]
    assert recorded["problems"] == []
    (event,) = _events()
    assert event.data["reaches"] == "planned"
    assert event.data["evidence"]["wave"] == 1
    # Checked later, it is evidence of a plan again, and takes nothing back.
    assert main([*words, "--check", file]) == 0
    assert [item.kind for item in _events()] == ["stage-reached", "evidence-added"]


def test_an_assessment_is_entered_once_its_sources_were_read(city: City) -> None:
    # Commands that enter something have the clock of the machine.
    city.clock.time = datetime.now(UTC)
    hub, _ = valid_hub(str(city.hub))
    item = ready()
    since = datetime(2026, 3, 2, 1, 0, 0, 500, tzinfo=UTC)
    old = {"old-server": SourceFacts(source="old-server", time="2026-03-02T00:59:59+00:00")}
    assert surveyed(hub, [item], old, since) == {}
    new = {"old-server": SourceFacts(source="old-server", time="2026-03-02T01:00:00+00:00", host_key="SHA256:key")}
    entries = surveyed(hub, [item], new, since)
    assert note("mini", entries) == {"systems": [SYSTEM], "problems": []}
    assert [item.data["reaches"] for item in _events()] == ["surveyed", "assessed"]
    city.run("migrate")
    assert note("mini", entries)["systems"] == [], "approvals of an open run stay what they are"


def _events() -> list[Event]:
    with opened("mini") as record:
        return record.events(SYSTEM)
