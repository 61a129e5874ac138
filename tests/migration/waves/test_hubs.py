"""The shipped hubs: all systems of Jinzhou are planned, and what is not known is named."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from govhub.core.diagnostics import Severity
from govhub.core.settings import content
from govhub.inventory.loader import Hub, load
from govhub.migration.waves.assumptions import assumptions, coverage
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import Plan, make_plan
from govhub.migration.waves.portfolio import portfolio_of
from govhub.migration.waves.problem import Basis
from govhub.migration.waves.report import document
from govhub.migration.waves.verdict import verdict

TODAY = date(2026, 11, 23)


def shipped(name: str) -> Hub:
    found = load(content("inventories", name)).hub
    assert found is not None
    return found


@pytest.fixture(scope="module")
def jinzhou() -> tuple[Hub, Problem, Plan]:
    hub = shipped("jinzhou")
    problem = Problem(portfolio_of(hub, TODAY))
    plan = make_plan(problem)
    assert isinstance(plan, Plan)
    return hub, problem, plan


def test_all_120_systems_of_jinzhou_are_planned_with_all_rules_and_ties(
    jinzhou: tuple[Hub, Problem, Plan],
) -> None:
    hub, problem, plan = jinzhou
    assert len({item.system for item in plan.placements}) == len(plan.placements) == 120
    assert verdict(problem, hub, plan) == []
    assert plan.fewest


def test_the_plan_is_one_that_people_would_make(jinzhou: tuple[Hub, Problem, Plan]) -> None:
    _, problem, plan = jinzhou
    first, last = min(plan.waves), max(plan.waves)
    tiers = {number: [problem.candidates[item.system].tier for item in items] for number, items in plan.waves.items()}
    assert set(tiers[first]) == {3}, "what can wait shows how it goes"
    early, late = (sum(tiers[n].count(1) for n in part) for part in (range(first, 4), range(last - 2, last + 1)))
    assert early == 0
    assert late > 0
    nights = Counter(item.cutover for item in plan.placements)
    assert max(nights.values()) <= 8, "not even around a long holiday is a night overcrowded"
    shared = [item for item in plan.placements if len(item.teams) > 1]
    assert len(shared) <= 12
    wave = {item.system: item.wave for item in plan.placements}
    assert wave["budget-management"] == wave["treasury-payment"]


def test_unknown_sizes_are_named_and_counted(jinzhou: tuple[Hub, Problem, Plan]) -> None:
    hub, problem, plan = jinzhou
    cover = coverage(problem)
    assert cover["systems"] == 120
    assert cover["sizes_known"] == 2
    assert sum(cover[f"sizes_{basis.value}"] for basis in Basis) == 120
    assert all(item.size > 0 for item in problem.candidates.values())
    codes = Counter(item.code for item in assumptions(problem, hub, plan))
    assert codes["WAV024"] == 2
    assert codes["WAV029"] == 1


def test_measured_sizes_replace_assumed_ones_and_unknown_names_are_told() -> None:
    hub = shipped("jinzhou")
    found = {"air-quality": 7 * 2**30, "budget-management/db": 9 * 2**30, "no-such": 1}
    portfolio = portfolio_of(hub, TODAY, found)
    assert portfolio.candidates["air-quality"].size == 7 * 2**30
    assert portfolio.candidates["air-quality"].basis is Basis.DISCOVERED
    assert portfolio.candidates["budget-management"].size == 9 * 2**30
    assert portfolio.stale == ("no-such",)


def test_the_pools_grow_by_what_the_waves_bring(jinzhou: tuple[Hub, Problem, Plan]) -> None:
    hub, problem, plan = jinzhou
    page = document(problem, plan, [])
    ends = [{item["pool"]: item for item in wave["pools"]} for wave in page["waves"]]
    for earlier, later in pairwise(ends):
        assert all(later[name]["before"] == item["after"] for name, item in earlier.items())
    pool = next(item for item in problem.portfolio.pools if item.name == "main/open pools")
    asked = sum(item.needs[pool.name].millicores for item in problem.candidates.values() if pool.name in item.needs)
    assert ends[-1][pool.name]["after"]["cores"] == (pool.before.millicores + asked) / 1000
    assert pool.offered.millicores < sum(host.millicores for host in hub.topology.nodes("main"))


def test_an_empty_pool_is_short_and_no_plan_passes(jinzhou: tuple[Hub, Problem, Plan]) -> None:
    hub, problem, plan = jinzhou
    small = tuple(dataclasses.replace(pool, offered=pool.before) for pool in problem.portfolio.pools)
    problem = Problem(dataclasses.replace(problem.portfolio, pools=small))
    assert {item.code for item in verdict(problem, hub, plan)} == {"WAV013"}


def test_huating_is_planned_by_both_ways() -> None:
    hub = shipped("huating")
    problem = Problem(portfolio_of(hub, TODAY))
    for simple in (False, True):
        plan = make_plan(problem, simple=simple)
        assert isinstance(plan, Plan)
        found = verdict(problem, hub, plan)
        assert [item.code for item in found if item.severity is Severity.ERROR] == []
        assert simple or found == [], "the solver also keeps the order of weak ties"
