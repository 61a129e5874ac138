"""Plans keep every rule, whoever makes them; what has no plan is explained by rules that really conflict."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from govhub.core.diagnostics import Severity
from govhub.inventory.loader import Hub
from govhub.migration.waves import cpsat, greedy
from govhub.migration.waves.explain import explain
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import NoPlan, Plan, make_plan
from govhub.migration.waves.problem import Limit
from govhub.migration.waves.ties import circles, groups_of, nights_together
from govhub.migration.waves.verdict import verdict
from migration.waves.hubs import loaded, problem_of, write_hub

NAMES = [f"s{index}" for index in range(9)]


def errors(problem: Problem, hub: Hub, plan: Plan) -> list[str]:
    return [item.summary for item in verdict(problem, hub, plan) if item.severity is Severity.ERROR]


def planned(problem: Problem, *, simple: bool = False) -> Plan:
    plan = make_plan(problem, simple=simple, seconds=20)
    assert isinstance(plan, Plan)
    return plan


def waves(plan: Plan) -> dict[str, int]:
    return {item.system: item.wave for item in plan.placements}


@st.composite
def portfolios(draw: st.DrawFn) -> dict[str, Any]:
    """Systems with ties, dates and sizes, and rules that are sometimes too tight."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    systems: dict[str, dict[str, Any]] = {}
    for position, name in enumerate(names):
        entry: dict[str, Any] = {
            "tenant": draw(st.sampled_from(["city", "water", "roads"])),
            "tier": draw(st.integers(1, 3)),
            "size": draw(st.sampled_from([1, 40, 150, 300, 600])),
            "effort": draw(st.sampled_from([0.5, 1, 2, 4])),
        }
        others = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
        strong = draw(st.integers(0, 5)) == 0
        ties = [{"system": other, "kind": "data", "strong": strong} for other in others if other != name]
        entry["depends_on"] = ties
        if draw(st.integers(0, 4)) == 0:
            entry["busy"] = [{"first": "03-01", "last": draw(st.sampled_from(["03-08", "03-20"])), "reason": "count"}]
        if draw(st.integers(0, 5)) == 0:
            entry["not_before"] = "2026-03-20"
        if draw(st.integers(0, 5)) == 0:
            entry["not_after"] = draw(st.sampled_from(["2026-03-07", "2026-03-13", "2026-04-10"]))
        if draw(st.integers(0, 4)) == 0:
            entry["window"] = {"days": ["fri"]}
        elif position % 4 == 3:
            entry["window"] = {"days": ["wed", "sat"], "start": "20:00", "minutes": 360}
        systems[name] = entry
    rules = {
        "waves": draw(st.integers(2, 5)),
        "per_wave": draw(st.integers(1, 4)),
        "per_department": draw(st.integers(1, 3)),
        "link_mbps": draw(st.sampled_from([100, 400])),
        "teams": draw(st.sampled_from([[], [{"name": "red", "person_days": 6}]])),
    }
    frozen = draw(st.sampled_from([None, "tenant/city", "hub"]))
    exceptions = []
    if frozen and (frozen == "hub" or any(entry["tenant"] == "city" for entry in systems.values())):
        exceptions = [
            {
                "name": "calm",
                "kind": "freeze",
                "target": frozen,
                "owner": "o",
                "reason": "the census",
                "until": "2026-03-14",
            }
        ]
    return {"systems": systems, "rules": rules, "exceptions": exceptions}


SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(content=portfolios())
def test_no_plan_breaks_a_rule_and_none_means_that_rules_conflict(
    content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    hub = loaded(write_hub(tmp_path_factory.mktemp("w") / "h", **content))
    problem = problem_of(hub)
    plan = make_plan(problem, seconds=20)
    simple = make_plan(problem, simple=True)
    if isinstance(simple, Plan):
        assert errors(problem, hub, simple) == []
        assert isinstance(plan, Plan), "what simple rules can do, the solver can"
        assert max(plan.waves) <= max(simple.waves)
    if isinstance(plan, Plan):
        assert errors(problem, hub, plan) == []
        assert explain(problem) is None
    else:
        assert plan.proven
        assert plan.conflict is not None
        assert plan.conflict.smallest
        assert set(plan.conflict.systems) <= set(problem.candidates)


@SLOW
@given(content=portfolios(), seed=st.integers(0, 1000))
def test_the_check_agrees_with_the_solver_about_any_placement(
    content: dict[str, Any], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Groups put anywhere: the check finds an error exactly when some group or wave of the solver's model has one."""
    hub = loaded(write_hub(tmp_path_factory.mktemp("w") / "h", **content))
    problem = problem_of(hub)
    draw = random.Random(seed)
    chosen = {task.group.index: draw.choice(task.waves) for task in problem.tasks if task.waves}
    assume(len(chosen) == len(problem.tasks))
    from govhub.migration.waves.packing import Room
    from govhub.migration.waves.plan import _complete

    fits = True
    for slot in problem.slots:
        room = Room(problem.limits, slot)
        for task in problem.tasks:
            if chosen[task.group.index] == slot.number:
                fits = fits and room.takes(task)
                room.add(task)
    plan = _complete(problem, chosen, method="drawn", fewest=False)
    assert (errors(problem, hub, plan) == []) == fits


@pytest.mark.parametrize("simple", [False, True])
def test_what_is_due_by_a_night_fits_into_the_line_until_then(tmp_path: Path, *, simple: bool) -> None:
    """Three times 200 GiB are less than the 670 of a wave, and more than the 503 until its last Friday."""
    fridays: dict[str, Any] = {"size": 200, "window": {"days": ["fri"]}}
    systems = {name: fridays | {"tenant": name} for name in "abc"} | {
        name: {"tenant": name, "size": 1} for name in "defghijk"
    }
    hub = loaded(write_hub(tmp_path / "h", systems, {"per_wave": 9, "teams": []}))
    problem = problem_of(hub)
    assert problem.usual.weekdays == (4, 5)
    plan = planned(problem, simple=simple)
    assert errors(problem, hub, plan) == []
    found = waves(plan)
    assert len({found[name] for name in "abc"}) == 2
    loose = loaded(write_hub(tmp_path / "loose", {"a": fridays, "b": fridays | {"tenant": "x"}} | {
        name: {"tenant": name, "size": 1} for name in "defgh"}, {"per_wave": 9, "teams": []}))  # fmt: skip
    nights = {item.system: item.cutover for item in planned(problem_of(loose), simple=simple).placements}
    assert nights["a"] != nights["b"] or str(nights["a"]) == "2026-03-13", "until the first Friday one of them is there"


def test_what_may_wait_makes_room_for_what_is_due_early(tmp_path: Path) -> None:
    systems: dict[str, dict[str, Any]] = {
        "late": {"tenant": "x", "size": 160},
        "early": {"tenant": "y", "size": 160, "not_after": "2026-03-06", "depends_on": [
            {"system": "late", "kind": "call"}]},
    }  # fmt: skip
    hub = loaded(write_hub(tmp_path / "h", systems, {"teams": []}))
    problem = problem_of(hub)
    nights = {item.system: str(item.cutover) for item in planned(problem).placements}
    assert nights["early"] == "2026-03-06"
    assert nights["late"] > "2026-03-06", "its provider would go first, were the line not full until then"


def test_the_same_hub_gives_the_same_plan(tmp_path: Path) -> None:
    systems = {
        f"s{index}": {"effort": 1 + index % 3, "size": 10 * index + 1, "tier": 1 + index % 3} for index in range(9)
    }
    hub = loaded(write_hub(tmp_path / "h", systems, {"per_department": 3}))
    first, second = planned(problem_of(hub)), planned(problem_of(hub))
    assert first == second
    assert first.fewest
    assert not first.cut_short


def test_low_risk_goes_first_and_providers_before_dependents(tmp_path: Path) -> None:
    systems: dict[str, dict[str, Any]] = {
        "core": {"tier": 1, "tenant": "a"},
        "register": {"tier": 2, "tenant": "b", "depends_on": [{"system": "core", "kind": "call"}]},
        "leaflet": {"tier": 3, "tenant": "c"},
    }
    hub = loaded(write_hub(tmp_path / "h", systems, {"per_wave": 1}))
    for simple in (False, True):
        assert waves(planned(problem_of(hub), simple=simple)) == {"leaflet": 1, "core": 2, "register": 3}


def test_strong_ties_in_one_direction_keep_systems_together_and_the_provider_is_not_later(tmp_path: Path) -> None:
    systems: dict[str, dict[str, Any]] = {
        "shop": {"tenant": "a", "depends_on": [{"system": "stock", "kind": "data", "strong": True}]},
        "stock": {"tenant": "b", "depends_on": [{"system": "till", "kind": "server", "strong": True}]},
        "till": {"tenant": "c", "depends_on": [{"system": "stock", "kind": "server", "strong": True}]},
    }
    hub = loaded(write_hub(tmp_path / "h", systems))
    problem = problem_of(hub)
    assert [group.members for group in groups_of(problem.candidates, problem.ties)] == [("shop", "stock", "till")]
    assert nights_together(list(systems), problem.ties) == [("stock", "till"), ("shop",)]
    plan = planned(problem)
    day = {item.system: item.cutover for item in plan.placements}
    assert len(set(waves(plan).values())) == 1
    assert day["stock"] == day["till"]
    assert day["stock"] is not None
    assert day["shop"] is not None
    assert day["stock"] <= day["shop"]


def test_a_weak_tie_against_its_order_is_named_and_no_error(tmp_path: Path) -> None:
    systems: dict[str, dict[str, Any]] = {
        "early": {"not_after": "2026-03-14", "depends_on": [{"system": "late", "kind": "call"}]},
        "late": {"not_before": "2026-03-20"},
    }
    hub = loaded(write_hub(tmp_path / "h", systems))
    problem = problem_of(hub)
    found = verdict(problem, hub, planned(problem))
    assert [(item.code, item.severity.value) for item in found] == [("WAV014", "warning")]


def test_a_circle_of_weak_ties_is_found() -> None:
    from govhub.migration.waves.problem import Tie

    ties = [Tie(one, other, strong=False, kind="call", path=()) for one, other in ("ab", "bc", "ca", "dc")]
    assert circles(["a", "b", "c", "d"], ties) == [("a", "b", "c")]


CONFLICTS: list[tuple[str, dict[str, dict[str, Any]], dict[str, Any], set[tuple[Limit, str]]]] = [
    (
        "dates that exclude each other",
        {"a": {"not_after": "2026-03-14", "busy": [{"first": "03-01", "last": "03-31", "reason": "closing"}]}, "b": {}},
        {},
        {(Limit.NOT_AFTER, "a"), (Limit.BUSY, "a")},
    ),
    (
        "a department with more than its share before a day",
        {name: {"not_after": "2026-03-14", "tenant": "water"} for name in "abc"} | {"d": {"tenant": "roads"}},
        {"per_department": 2, "per_wave": 9},
        {(Limit.PER_DEPARTMENT, "water"), *((Limit.NOT_AFTER, name) for name in "abc")},
    ),
    (
        "teams that are too small for all waves",
        {name: {"effort": 4, "tenant": name} for name in "abc"},
        {"teams": [{"name": "red", "person_days": 4}], "waves": 2},
        {(Limit.TEAMS, ""), (Limit.WAVES, "")},
    ),
    (
        "a strong tie to what is frozen while the other has to move",
        {
            "a": {"not_after": "2026-03-14", "depends_on": [{"system": "b", "kind": "data", "strong": True}]},
            "b": {"not_before": "2026-03-20"},
        },
        {},
        {(Limit.NOT_AFTER, "a"), (Limit.NOT_BEFORE, "b"), (Limit.STRONG, "a")},
    ),
    (
        "a system that is larger than what the line carries in any wave",
        {"a": {"size": 900}, "b": {}},
        {},
        {(Limit.LINK, "")},
    ),
    (
        "data of which the line brings only one part until the last night of both",
        {name: {"size": 200, "not_after": "2026-03-07"} for name in "ab"} | {"c": {"size": 200}},
        {},
        {(Limit.LINK, ""), (Limit.NOT_AFTER, "a"), (Limit.NOT_AFTER, "b")},
    ),
    (
        "waves that are all over",
        {"a": {}, "b": {}},
        {"first_wave": "2025-01-06"},
        {(Limit.PAST, ""), (Limit.WAVES, "")},
    ),
    (
        "waves of one day that never meet a window",
        {"a": {}},
        {"wave_days": 1},
        {(Limit.WINDOW, ""), (Limit.WAVES, "")},
    ),
    (
        "tied systems that are more than a department may move at once",
        {
            "a": {"depends_on": [{"system": "b", "kind": "data", "strong": True}]},
            "b": {},
        },
        {"per_department": 1},
        {(Limit.PER_DEPARTMENT, "city"), (Limit.STRONG, "a")},
    ),
]


@pytest.mark.parametrize(
    ("systems", "rules", "expected"), [case[1:] for case in CONFLICTS], ids=[c[0] for c in CONFLICTS]
)
def test_the_smallest_conflict_is_named(
    tmp_path: Path, systems: dict[str, dict[str, Any]], rules: dict[str, Any], expected: set[tuple[Limit, str]]
) -> None:
    problem = problem_of(loaded(write_hub(tmp_path / "h", systems, rules)))
    found = make_plan(problem, seconds=20)
    assert isinstance(found, NoPlan)
    assert found.proven
    assert found.conflict is not None
    assert found.conflict.smallest
    assert {(rule.kind, rule.name) for rule in found.conflict.rules} == expected


def test_lifting_any_rule_of_a_conflict_makes_a_plan_possible(tmp_path: Path) -> None:
    systems = {name: {"not_after": "2026-03-14", "tenant": "water"} for name in "abc"}
    assert isinstance(make_plan(problem_of(loaded(write_hub(tmp_path / "x", systems)))), NoPlan)
    planned(problem_of(loaded(write_hub(tmp_path / "more", systems, {"per_department": 3}))))
    planned(problem_of(loaded(write_hub(tmp_path / "one", systems | {"b": {"tenant": "water"}}))))


def test_without_the_solver_simple_rules_plan_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = loaded(write_hub(tmp_path / "h", {name: {"tenant": name} for name in "abcd"}))
    monkeypatch.setattr(cpsat, "available", lambda: False)
    plan = planned(problem_of(hub))
    assert plan.method == "greedy"
    assert errors(problem_of(hub), hub, plan) == []
    hard = loaded(write_hub(tmp_path / "hard", {"a": {"size": 900}}))
    found = make_plan(problem_of(hard))
    assert isinstance(found, NoPlan)
    assert not found.proven


def test_greedy_leaves_nothing_half_placed(tmp_path: Path) -> None:
    hub = loaded(write_hub(tmp_path / "h", {name: {"tenant": name, "effort": 6} for name in "abcdef"}, {"waves": 2}))
    assert greedy.place(problem_of(hub)) is None
