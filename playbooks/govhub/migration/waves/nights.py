"""Inside a wave: on which night each system is cut over, and which team does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Protocol

from govhub.migration.waves.days import copied_by
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.problem import Candidate, Slot, TeamOf
from govhub.migration.waves.ties import nights_together


def cutover_days(problem: Problem, number: int, names: Collection[str]) -> dict[str, date]:
    """A day for each system of a wave: allowed, providers first where they can be, and nights of about equal effort.

    Systems that need each other strongly share a night when their windows have one in common. A night is also chosen
    so that the line has carried the data of all that are cut over until then, as far as that is possible.
    """
    slot = problem.slot(number)
    open_days = {name: problem.open_days(problem.candidates[name], number) for name in names}
    effort: defaultdict[date, int] = defaultdict(int)
    size: defaultdict[date, int] = defaultdict(int)
    providers = defaultdict(list)
    for tie in problem.ties:
        providers[tie.dependent].append(tie.provider)
    chosen: dict[str, date] = {}
    for unit in nights_together(names, problem.ties):
        common = set.intersection(*(set(open_days[name]) for name in unit))
        for part in [unit] if common else [(name,) for name in unit]:
            days = sorted(common) or open_days[part[0]]
            before = [chosen[other] for name in part for other in providers[name] if other in chosen]
            after = [day for day in days if not before or day >= max(before)] or [days[-1]]
            carried = [day for day in after if _carried(slot_total=size, more=_size(problem, part), day=day, slot=slot)]
            day = min(carried or [after[-1]], key=lambda item: (effort[item], item))
            effort[day] += sum(problem.candidates[name].effort for name in part)
            size[day] += _size(problem, part)
            chosen |= dict.fromkeys(part, day)
    return chosen


def teams_of(systems: Collection[Candidate], teams: Collection[TeamOf]) -> dict[str, tuple[str, ...]]:
    """Who moves what; a system is shared only when no team has enough time left for all of it.

    All together fit into what all teams can do (the solver saw to that), so everything finds somebody. Two ways are
    tried: to the team with most time left, which spreads the work, and to the one where least is left over, which
    fills teams up; the one that shares fewer systems is taken.
    """
    ways = [_dealt(systems, teams, tight=tight) for tight in (False, True)]
    return min(ways, key=lambda way: sum(len(names) > 1 for names in way.values()))


class Placed(Protocol):
    """A system of a plan with its night and teams."""

    @property
    def system(self) -> str:
        """Its name."""

    @property
    def cutover(self) -> date | None:
        """The day on which its window begins."""

    @property
    def teams(self) -> tuple[str, ...]:
        """Who moves it."""


def nights_of(problem: Problem, items: Collection[Placed]) -> dict[str, dict[str, dict[str, Any]]]:
    """What each team has on each night, by day and team: ``systems`` and the ``person_days`` of their moves.

    A system that several teams share counts for each of them with an equal part.
    """
    found: defaultdict[str, defaultdict[str, dict[str, Any]]] = defaultdict(
        lambda: defaultdict(lambda: {"systems": [], "person_days": 0.0})
    )
    for item in sorted(items, key=lambda one: one.system):
        for team in item.teams if item.cutover else ():
            work = found[str(item.cutover)][team]
            work["systems"].append(item.system)
            effort = problem.candidates[item.system].effort / 100 / len(item.teams)
            work["person_days"] = round(work["person_days"] + effort, 2)
    return {night: dict(sorted(teams.items())) for night, teams in sorted(found.items())}


def _dealt(systems: Collection[Candidate], teams: Collection[TeamOf], *, tight: bool) -> dict[str, tuple[str, ...]]:
    left = {team.name: team.capacity for team in teams}
    out: dict[str, tuple[str, ...]] = {}
    for system in sorted(systems, key=lambda item: (-item.effort, item.name)):
        alone = sorted((name for name in left if left[name] >= system.effort), key=lambda item: (left[item], item))
        if tight and alone:
            left[alone[0]] -= system.effort
            out[system.name] = (alone[0],)
            continue
        need, names = system.effort, list[str]()
        for name in sorted(left, key=lambda item: (-left[item], item)):
            if need <= 0 or (names and not left[name]):
                break
            names.append(name)
            took = min(need, left[name])
            left[name], need = left[name] - took, need - took
        out[system.name] = tuple(names)
    return out


def _carried(*, slot_total: Mapping[date, int], more: int, day: date, slot: Slot) -> bool:
    """Whether the line has carried everything that is due until ``day``, and on every later day, with ``more``."""
    days = sorted({*slot_total, day})
    due = more
    for item in days:
        due_by = sum(amount for at, amount in slot_total.items() if at <= item)
        if item >= day and due + due_by > copied_by(slot, item):
            return False
    return True


def _size(problem: Problem, names: Collection[str]) -> int:
    return sum(problem.candidates[name].size for name in names)
