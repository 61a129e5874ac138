"""Stages and evidence that other commands enter."""

from __future__ import annotations

import pytest

from govhub.core.errors import PolicyViolation
from govhub.migration.record.stages import Stage
from govhub.ops.migration.entries import add_evidence, reach
from govhub.ops.migration.records import opened
from govhub.ops.migration.status import board, one_system
from migration.city import SYSTEM, City


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
