"""The plan file: what people may edit, and what the check says about it, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from govhub.core.diagnostics import Diagnostics
from govhub.migration.waves.plan import Plan, make_plan
from govhub.migration.waves.planfile import read_plan, written
from govhub.migration.waves.verdict import verdict
from migration.waves.hubs import loaded, problem_of, write_hub

SYSTEMS: dict[str, dict[str, Any]] = {
    "one": {"tenant": "water", "size": 60},
    "two": {"tenant": "water", "depends_on": [{"system": "one", "kind": "data", "strong": True}]},
    "three": {"tenant": "roads", "depends_on": [{"system": "one", "kind": "call"}]},
    "four": {"tenant": "roads", "size": 250, "busy": [{"first": "03-01", "last": "03-10", "reason": "count of roads"}]},
    "five": {"strategy": "retire"},
}
HEAD = "schema: govhub.waves/1\nhub: synthetic\nwaves:\n"
GOOD = """\
  - wave: 1
    systems:
      - {system: one, cutover: 2026-03-06}
      - {system: two, cutover: 2026-03-07}
      - {system: three, cutover: 2026-03-13}
  - wave: 2
    systems:
      - {system: four, cutover: 2026-03-21}
"""


def checked(tmp_path: Path, text: str, rules: dict[str, Any] | None = None) -> list[str]:
    """Codes and lines of everything that the check says about a plan file."""
    folder = tmp_path / "h"
    hub = loaded(folder if folder.exists() else write_hub(folder, SYSTEMS, rules))
    path = tmp_path / "waves.yaml"
    path.write_text(text, encoding="utf-8")
    problem, problems = problem_of(hub), Diagnostics()
    read = read_plan(path, problem, problems)
    found = [*problems, *(verdict(problem, hub, *read) if read else ())]
    return [f"{item.code}:{item.source.line if item.source else 0}" for item in found]


def test_what_was_written_is_read_again_as_the_same_plan(tmp_path: Path) -> None:
    hub = loaded(write_hub(tmp_path / "h", SYSTEMS))
    problem = problem_of(hub)
    plan = make_plan(problem)
    assert isinstance(plan, Plan)
    path = tmp_path / "waves.yaml"
    text = written(problem, plan, "zh")
    path.write_text(text, encoding="utf-8")
    problems = Diagnostics()
    read = read_plan(path, problem, problems)
    assert read is not None
    assert list(problems) == []
    again, where = read
    assert again.placements == tuple(sorted(plan.placements, key=lambda item: (item.wave, item.cutover, item.system)))
    assert verdict(problem, hub, again, where) == verdict(problem, hub, plan) == []
    assert "# 系统 one" in text
    assert "&id" not in text


def test_a_good_plan_has_nothing_against_it(tmp_path: Path) -> None:
    assert checked(tmp_path, HEAD + GOOD) == []


def test_days_may_be_left_open(tmp_path: Path) -> None:
    assert checked(tmp_path, HEAD + GOOD.replace(", cutover: 2026-03-13", "")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{system: four, cutover: 2026-03-21}", "{system: for, cutover: 2026-03-21}", ["WAV002:11", "WAV004:1"]),
        ("{system: three,", "{system: one,", ["WAV003:8", "WAV004:1"]),
        ("{system: three, cutover: 2026-03-13}", "{system: five}", ["WAV005:8", "WAV004:1"]),
        ("2026-03-21", "2026-03-14", ["WAV006:11"]),
        ("wave: 2", "wave: 9", ["WAV006:11"]),
        ("wave: 2\n", "wave: 2\n    begins: 2026-03-17\n", ["WAV006:9"]),
        ("2026-03-13", "2026-03-12", ["WAV007:8"]),
        ("one, cutover: 2026-03-06", "one, cutover: 2026-03-05", ["WAV007:6"]),
        ("2026-03-21}\n", "2026-03-21, teams: [green]}\n", ["WAV018:11"]),
        ("hub: synthetic", "hub: other", ["WAV001:2"]),
        ("wave: 2", "wave: two", ["INV004:9"]),
        ("wave: 2", "wawe: 2", ["INV002:9", "INV001:9"]),
        ("schema: govhub.waves/1", "schema: govhub.waves/9", ["INV004:1"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    text = HEAD + GOOD
    assert old in text
    assert checked(tmp_path, text.replace(old, new)) == expected


TWO = "      - {system: two, cutover: 2026-03-07}\n"
THREE = "      - {system: three, cutover: 2026-03-13}\n"


def test_ties_limits_and_order_are_checked(tmp_path: Path) -> None:
    parted = GOOD.replace(TWO, "") + TWO.replace("03-07", "03-20")
    assert checked(tmp_path, HEAD + parted) == ["WAV008:11"]
    together = GOOD.replace("  - wave: 2\n    systems:\n", "").replace("2026-03-21", "2026-03-14")
    assert checked(tmp_path, HEAD + together) == ["WAV011:4"]
    later = "  - wave: 1\n    systems:\n" + THREE
    both = TWO + TWO.replace("two", "one")
    later += "  - wave: 2\n    systems:\n" + both.replace("03-07", "03-20")
    later += "      - {system: four, cutover: 2026-03-28}\n"
    assert checked(tmp_path, HEAD + later) == ["WAV014:6"]


def test_teams_and_departments_are_checked(tmp_path: Path) -> None:
    tight = {"teams": [{"name": "red", "person_days": 5}], "per_department": 1}
    assert checked(tmp_path, HEAD + GOOD, tight) == ["WAV009:4", "WAV012:4"]


def test_data_that_is_not_there_by_its_night_is_named(tmp_path: Path) -> None:
    # A night carries 67 GiB at 40 Mbit/s: each of the two has its data by the second night, but not both.
    text = "  - wave: 1\n    systems:\n" + TWO + TWO.replace("two", "one") + THREE
    text += "  - wave: 3\n    systems:\n      - {system: four}\n"
    large = SYSTEMS | {"two": SYSTEMS["two"] | {"size": 120}, "four": {"tenant": "roads"}}
    write_hub(tmp_path / "h", large, {"link_mbps": 40})
    assert checked(tmp_path, HEAD + text) == ["WAV015:4"]


def test_a_reason_names_the_rule_and_its_place(tmp_path: Path) -> None:
    hub = loaded(write_hub(tmp_path / "h", SYSTEMS))
    path = tmp_path / "waves.yaml"
    path.write_text(HEAD + GOOD.replace("wave: 2", "wave: 1").replace("2026-03-21", "2026-03-07"), encoding="utf-8")
    read = read_plan(path, problem_of(hub), problems := Diagnostics())
    assert read is not None
    found = {item.code: item for item in verdict(problem_of(hub), hub, *read)}
    assert '"four" is not touched from 03-01 to 03-10: count of roads (h/migration.yaml:' in found["WAV007"].detail
    assert found["WAV007"].hint == "possible in this wave: 2026-03-13, 2026-03-14"
    assert [item.code for item in problems] == ["WAV006"], "the wave stands twice"
