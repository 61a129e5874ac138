"""Inside a wave: on which night each system is cut over, and which team does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from govhub.migration.waves.days import copied_by
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.problem import Candidate, Slot, TeamOf
from govhub.migration.waves.ties import nights_together


def cutover_days(problem: Problem, number: int, names: Collection[str]) -> dict[str, date]:
    """A day for each system of a wave: allowed, providers first where they can be, and nights of about equal effort.

    Until each night the line has carried the data of all that are cut over by then; only then does it count that
    systems that need each other strongly share a night, and that providers go first.
    """
    slot = problem.slot(number)
    open_days = {name: problem.open_days(problem.candidates[name], number) for name in names}
    effort: defaultdict[date, int] = defaultdict(int)
    size: defaultdict[date, int] = defaultdict(int)
    for name in names:
        # Whoever has no night yet is taken to wait as long as it may: then there is always room for the others.
        size[open_days[name][-1]] += _size(problem, [name])
    providers = defaultdict(list)
    for tie in problem.ties:
        providers[tie.dependent].append(tie.provider)
    chosen: dict[str, date] = {}
    for unit in nights_together(names, problem.ties):
        for name in unit:
            size[open_days[name][-1]] -= _size(problem, [name])
        shared = sorted(set.intersection(*(set(open_days[name]) for name in unit)))
        shared = [day for day in shared if _carried(size, _size(problem, unit), day, slot)]
        waiting = list(unit)
        for part in [unit] if shared else [(name,) for name in unit]:
            waiting = [name for name in waiting if name not in part]
            days = shared or _with_room(problem, part[0], waiting, open_days, size, slot)
            before = [chosen[other] for name in part for other in providers[name] if other in chosen]
            after = [day for day in days if not before or day >= max(before)] or [days[-1]]
            day = min(after, key=lambda item: (effort[item], item))
            effort[day] += sum(problem.candidates[name].effort for name in part)
            size[day] += _size(problem, part)
            chosen |= dict.fromkeys(part, day)
    return chosen


def _with_room(
    problem: Problem,
    name: str,
    waiting: Collection[str],
    open_days: Mapping[str, Sequence[date]],
    size: Mapping[date, int],
    slot: Slot,
) -> list[date]:
    """Days on which one of a unit may be cut over while the others of it, ``waiting``, still need theirs."""
    taken = defaultdict(int, size)
    for other in waiting:
        taken[open_days[other][-1]] += _size(problem, [other])
    found = [day for day in open_days[name] if _carried(taken, _size(problem, [name]), day, slot)]
    return found or [open_days[name][-1]]


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


def line_of(problem: Problem, slot: Slot, items: Collection[Placed]) -> list[dict[str, Any]]:
    """For each night of cutovers: bytes that are ``due`` by then, and bytes that the line has ``carried`` by then."""
    nights = sorted({item.cutover for item in items if item.cutover})
    sizes = [(item.cutover, problem.candidates[item.system].size) for item in items if item.cutover]
    return [
        {
            "night": night.isoformat(),
            "due": sum(size for at, size in sizes if at <= night),
            "carried": copied_by(slot, night),
        }
        for night in nights
    ]


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


def _carried(size: Mapping[date, int], more: int, day: date, slot: Slot) -> bool:
    """Whether the line brings everything that is due on each day, with ``more`` on ``day``."""
    due = [*size.items(), (day, more)]
    nights = {at for at, _ in due if at >= day}
    return all(sum(amount for at, amount in due if at <= night) <= copied_by(slot, night) for night in nights)


def _size(problem: Problem, names: Collection[str]) -> int:
    return sum(problem.candidates[name].size for name in names)
