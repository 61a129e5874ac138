"""The stages of a migration, from survey to retirement."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where a system stands; the Chinese words are those of the acceptance papers."""

    SURVEYED = "surveyed"
    ASSESSED = "assessed"
    PLANNED = "planned"
    APPLIED = "applied"
    PREPARED = "prepared"
    MOVED = "moved"
    TESTED = "tested"
    TRIAL = "trial"
    ACCEPTED = "accepted"
    RETIRED = "retired"

    @property
    def rank(self) -> int:
        """0 for the first."""
        return list(Stage).index(self)

    @property
    def zh(self) -> str:
        """In Chinese."""
        return _TITLES[self][0]

    @property
    def en(self) -> str:
        """In English."""
        return _TITLES[self][1]


_TITLES = {
    Stage.SURVEYED: ("调研", "Survey"),
    Stage.ASSESSED: ("评估", "Assessment"),
    Stage.PLANNED: ("方案", "Plan"),
    Stage.APPLIED: ("申请", "Application"),
    Stage.PREPARED: ("准备", "Preparation"),
    Stage.MOVED: ("迁移", "Migration"),
    Stage.TESTED: ("测试", "Test"),
    Stage.TRIAL: ("试运行", "Trial run"),
    Stage.ACCEPTED: ("验收", "Acceptance"),
    Stage.RETIRED: ("下线", "Retirement"),
}
# What other commands reach by their own work; what comes after is reached by phases of a run.
BY_HAND = (Stage.SURVEYED, Stage.ASSESSED, Stage.PLANNED, Stage.APPLIED)
