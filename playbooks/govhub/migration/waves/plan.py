"""From a problem to a plan: which system moves in which wave, on which night, by which team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from govhub.migration.waves import cpsat, greedy
from govhub.migration.waves.explain import Conflict, explain
from govhub.migration.waves.nights import cutover_days, teams_of
from govhub.migration.waves.packing import Problem

CP_SAT = "CP-SAT"
GREEDY = "greedy"
SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one system stands in a plan; ``cutover`` is the day on which its window begins."""

    system: str
    wave: int
    cutover: date | None
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Waves of a hub; made by a solver, or edited by people."""

    hub: str
    inputs: str
    """Digest of the hub files that it was made from."""
    method: str
    fewest: bool = False
    """Whether it is proven that no plan ends in an earlier wave."""
    cut_short: bool = False
    """Whether the solver's limit in seconds ended it, so that another run may find another plan."""
    placements: tuple[Placement, ...] = ()

    @property
    def waves(self) -> dict[int, list[Placement]]:
        """Placements by the number of their wave, in order; within one by day and name."""
        out: dict[int, list[Placement]] = {}
        for item in sorted(self.placements, key=lambda one: (one.wave, one.cutover or date.max, one.system)):
            out.setdefault(item.wave, []).append(item)
        return out


@dataclass(frozen=True, slots=True)
class NoPlan:
    """There is no plan, or none was found: ``proven`` tells the two apart."""

    proven: bool
    conflict: Conflict | None
    method: str


def make_plan(problem: Problem, *, simple: bool = False, seconds: float = SECONDS) -> Plan | NoPlan:
    """Plan all systems; ``simple`` takes the greedy way although the solver is there."""
    first = greedy.place(problem)
    if simple or not cpsat.available():
        if first is None:
            return NoPlan(proven=False, conflict=None, method=GREEDY)
        return _complete(problem, first, method=GREEDY, fewest=max(first.values(), default=1) <= problem.fewest())
    if not problem.tasks:
        return _complete(problem, {}, method=CP_SAT, fewest=True)
    packed = cpsat.pack(problem, first, seconds) if all(task.waves for task in problem.tasks) else None
    if packed is None:
        found = explain(problem, seconds / 2)
        return NoPlan(proven=found is not None, conflict=found, method=CP_SAT)
    return _complete(problem, packed.waves, method=CP_SAT, fewest=packed.fewest, cut_short=packed.cut_short)


def _complete(
    problem: Problem, waves: Mapping[int, int], *, method: str, fewest: bool, cut_short: bool = False
) -> Plan:
    members: dict[int, list[str]] = {}
    for index, number in waves.items():
        members.setdefault(number, []).extend(problem.groups[index].members)
    placements = []
    for number, names in sorted(members.items()):
        days = cutover_days(problem, number, sorted(names))
        teams = teams_of([problem.candidates[name] for name in names], problem.limits.teams)
        placements += [Placement(name, number, days[name], teams[name]) for name in sorted(names)]
    return Plan(
        hub=problem.portfolio.hub,
        inputs=problem.portfolio.inputs,
        method=method,
        fewest=fewest,
        cut_short=cut_short,
        placements=tuple(placements),
    )
