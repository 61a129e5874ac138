"""Sizes, efforts, teams and nights: what is estimated, and how a wave is dealt out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from govhub.core.quantities import GIB
from govhub.migration.waves.estimate import GUESS
from govhub.migration.waves.nights import cutover_days, teams_of
from govhub.migration.waves.plan import Plan, make_plan
from govhub.migration.waves.portfolio import portfolio_of
from govhub.migration.waves.problem import Basis, Candidate, TeamOf
from migration.waves.hubs import TODAY, loaded, problem_of, write_hub

MOVE = {"name": "db", "kind": "postgresql", "source": "old", "database": "app"}


def candidate(tmp_path: Path, entry: dict[str, Any], found: dict[str, int] | None = None) -> Candidate:
    hub = loaded(write_hub(tmp_path / "h", {"a": {"size": None} | entry}))
    return portfolio_of(hub, TODAY, found).candidates["a"]


@pytest.mark.parametrize(
    ("moves", "found", "size", "basis"),
    [
        ([MOVE | {"size": "3Gi"}], {}, 3 * GIB, Basis.DECLARED),
        ([MOVE | {"size": "3Gi"}], {"a": 5 * GIB}, 5 * GIB, Basis.DISCOVERED),
        ([MOVE | {"size": "3Gi"}], {"a/db": 4 * GIB}, 4 * GIB, Basis.DISCOVERED),
        ([MOVE], {}, GUESS, Basis.GUESSED),
        ([MOVE | {"size": "3Gi"}, MOVE | {"name": "log"}], {}, 3 * GIB + GUESS, Basis.GUESSED),
        ([MOVE | {"size": "3Gi"}, {"name": "app", "kind": "application", "source": "old", "unit": "a"}], {}, 3 * GIB,
         Basis.DECLARED),
        ([], {}, GUESS, Basis.GUESSED),
        ([MOVE | {"size": 1}], {}, 2**20, Basis.DECLARED),
    ],
)  # fmt: skip
def test_a_size_is_measured_declared_or_named_as_a_guess(
    tmp_path: Path, moves: list[dict[str, Any]], found: dict[str, int], size: int, basis: Basis
) -> None:
    system = candidate(tmp_path, {"moves": moves}, found)
    assert (system.size, system.basis) == (size, basis)
    assert basis.known == (basis in (Basis.DECLARED, Basis.DISCOVERED))


def test_an_effort_is_declared_or_estimated_from_tier_and_data(tmp_path: Path) -> None:
    hub = loaded(write_hub(tmp_path / "h", {"a": {"effort": None, "tier": 1}, "b": {"effort": 0.25}}))
    found = portfolio_of(hub, TODAY).candidates
    assert (found["a"].effort, found["a"].estimated) == (700, True)
    assert (found["b"].effort, found["b"].estimated) == (25, False)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=12), st.lists(st.integers(100, 900), min_size=1, max_size=4))
def test_teams_never_do_more_than_they_can(efforts: list[int], capacities: list[int]) -> None:
    while sum(efforts) > sum(capacities):
        efforts.pop()
    systems = [Candidate(name=f"s{i}", tenant="t", effort=effort) for i, effort in enumerate(efforts)]
    teams = [TeamOf(f"t{i}", capacity) for i, capacity in enumerate(capacities)]
    dealt = teams_of(systems, teams)
    assert all(dealt[system.name] for system in systems)
    for team in teams:
        alone = sum(system.effort for system in systems if dealt[system.name] == (team.name,))
        assert alone <= team.capacity


def test_work_is_not_shared_when_it_need_not_be() -> None:
    systems = [Candidate(name=f"s{i}", tenant="t", effort=effort) for i, effort in enumerate((600, 400, 300, 300))]
    dealt = teams_of(systems, [TeamOf("red", 1000), TeamOf("blue", 600)])
    assert all(len(names) == 1 for names in dealt.values())


def test_without_teams_nobody_is_named() -> None:
    assert teams_of([Candidate(name="a", tenant="t")], []) == {"a": ()}


def test_nights_are_balanced(tmp_path: Path) -> None:
    hub = loaded(write_hub(tmp_path / "h", {name: {"tenant": name} for name in "abcd"}, {"per_wave": 4}))
    problem = problem_of(hub)
    days = cutover_days(problem, 1, ["a", "b", "c", "d"])
    assert sorted(days.values()) == [date(2026, 3, day) for day in (6, 7, 13, 14)]


def test_large_systems_wait_for_the_line_together(tmp_path: Path) -> None:
    sizes = {"a": 150, "b": 150, "c": 150}
    systems = {name: {"tenant": name, "size": size} for name, size in sizes.items()}
    problem = problem_of(loaded(write_hub(tmp_path / "h", systems)))
    plan = make_plan(problem)
    assert isinstance(plan, Plan)
    # A night carries 168 GiB: one system a night, although all of them could be cut over on the first one.
    assert sorted(str(item.cutover) for item in plan.placements) == ["2026-03-06", "2026-03-07", "2026-03-13"]


def test_flows_between_systems_are_weak_ties_unless_somebody_wrote_the_tie_down(tmp_path: Path) -> None:
    tied = {"depends_on": [{"system": "b", "kind": "data", "strong": True}]}
    folder = write_hub(tmp_path / "h", {"a": tied, "b": {}, "c": {}})
    text = yaml.safe_load((folder / "hub.yaml").read_text(encoding="utf-8"))
    text["systems"][0]["flows"] = [{"to": "system/b", "port": 80}, {"to": "system/c", "port": 80}]
    text["systems"][1]["flows"] = [{"from": "system/c", "port": 80}, {"to": "zone/extranet", "port": 80}]
    (folder / "hub.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    found = {(tie.dependent, tie.provider): tie.strong for tie in portfolio_of(loaded(folder), TODAY).ties}
    assert found == {("a", "b"): True, ("a", "c"): False, ("c", "b"): False}
