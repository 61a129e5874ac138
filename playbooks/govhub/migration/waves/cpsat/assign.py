"""Groups into waves: the earliest end, then the best order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from govhub.migration.waves.cpsat.solving import cut_short, make_solver
from govhub.migration.waves.days import shares_of
from govhub.migration.waves.packing import Problem, Task
from govhub.migration.waves.problem import MIB

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

LARGE = 6000
"""Groups times waves from which on the order is improved in parts."""
WINDOW = 4
"""Neighbouring waves that are improved together then."""
CLOSE = 3
"""Ends right above the bound that are tried one by one."""
PEAK_WEIGHT = 4
"""What one person-day more in the fullest wave costs, against one step of risk that comes one wave too early."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A solution: the wave of each group by its index, and what is proven of it."""

    waves: Mapping[int, int]
    fewest: bool
    """No plan can end in an earlier wave."""
    cut_short: bool
    """The limit in seconds was reached: another run may find another plan."""


def pack(problem: Problem, first: Mapping[int, int] | None, seconds: float) -> Packed | None:
    """The best plan that the budget allows; ``first`` is one that is known. None when there is none, or none was found.

    First the earliest end, by raising the last wave from a bound that holds for every plan; then, with this end, fewest
    weak ties against their order, low risk before high, and waves of equal weight.
    """
    found = dict(first) if first else None
    # Plans that end with ``below`` or earlier do not exist, or were not found; with ``known`` there is one.
    below = problem.fewest() - 1
    known = max(found.values()) if found else problem.limits.waves + 1
    fewest, cut, tries = True, False, 0
    while below + 1 < known:
        # The bound is usually met or nearly so; far from it, halving is quicker.
        last = below + 1 if tries < CLOSE else (below + known) // 2
        status, answer = _end(problem, last, seconds / 6)
        cut, tries = cut or status == "cut", tries + 1
        if answer:
            found, known = answer, max(answer.values())
        else:
            fewest, below = fewest and status == "infeasible", last
    if found is None:
        return None
    better, hurried = _improve(problem, found, known, seconds)
    return Packed(better, fewest, cut or hurried)


def _end(problem: Problem, last: int, seconds: float) -> tuple[str, dict[int, int] | None]:
    """A plan that ends with ``last`` or earlier; "infeasible" when it is proven that there is none."""
    # With every weak tie kept at first: an order that is broken once is seldom mended by small steps.
    status, answer = _run(problem, last, None, "ordered", seconds)
    return (status, answer) if answer else _run(problem, last, None, "end", seconds)


def _improve(problem: Problem, found: dict[int, int], last: int, seconds: float) -> tuple[dict[int, int], bool]:
    """The same end in a better order: all at once, or for many systems a few neighbouring waves after each other."""
    windows = [range(1, last + 1)]
    if last * len(problem.tasks) > LARGE:
        windows = [range(first, first + WINDOW) for first in range(1, last, WINDOW // 2)] * 2
    cut = False
    for window in windows:
        status, better = _run(problem, last, found, "order", seconds / len(windows), window)
        found, cut = better or found, cut or status == "cut"
    return found, cut


def _run(
    problem: Problem,
    last: int,
    hint: Mapping[int, int] | None,
    aim: str,
    seconds: float,
    window: range | None = None,
) -> tuple[str, dict[int, int] | None]:
    """Solve for plans that end with the wave ``last``; what ``hint`` places outside of ``window`` stays there."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    place = _variables(model, problem, last, hint or {}, window)
    if place is None:
        return "infeasible", None
    _capacities(model, problem, place)
    if aim == "ordered":
        _ordered(model, problem, place)
    if aim == "order":
        _aims(model, problem, place, last, hint or {})
    for (index, wave), variable in place.items():
        if hint:
            model.add_hint(variable, hint.get(index) == wave)
    free = len({index for index, wave in place if window is None or wave in window})
    solver = make_solver(free, seconds, quick=aim != "order")
    status = solver.solve(model)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        waves = {index: wave for (index, wave), variable in place.items() if solver.boolean_value(variable)}
        return ("cut" if cut_short(solver, status, seconds) else "found"), waves
    if status == cp_model.INFEASIBLE:
        return "infeasible", None
    return ("cut" if cut_short(solver, status, seconds) else "unknown"), None


def _variables(
    model: cp_model.CpModel, problem: Problem, last: int, hint: Mapping[int, int], window: range | None
) -> dict[tuple[int, int], cp_model.IntVar] | None:
    place: dict[tuple[int, int], Any] = {}
    for task in problem.tasks:
        waves = [wave for wave in task.waves if wave <= last]
        if window and task.group.index in hint:
            stays = hint[task.group.index]
            waves = [wave for wave in waves if wave in window] if stays in window else [stays]
        if not waves:
            return None
        for wave in waves:
            place[task.group.index, wave] = model.new_bool_var("")
        model.add_exactly_one(place[task.group.index, wave] for wave in waves)
    return place


def _capacities(model: cp_model.CpModel, problem: Problem, place: Mapping[tuple[int, int], Any]) -> None:
    limits = problem.limits
    by_wave: defaultdict[int, list[tuple[Task, Any]]] = defaultdict(list)
    for (index, wave), variable in place.items():
        by_wave[wave].append((problem.tasks[index], variable))
    for wave, items in by_wave.items():
        if limits.capacity is not None:
            model.add(sum(task.effort * variable for task, variable in items) <= limits.capacity)
        line = problem.slot(wave).line
        # Both are whole MiB: byte counts of a wave are beyond what the solver adds up with ease.
        model.add(sum(task.size // MIB * variable for task, variable in items) <= line // MIB)
        for day, most in shares_of(problem.slot(wave)):
            early = [(_due(task, wave, day), variable) for task, variable in items]
            if sum(size for size, _ in early) > most:
                model.add(sum(size // MIB * variable for size, variable in early if size) <= most // MIB)
        model.add(sum(task.count * variable for task, variable in items) <= limits.per_wave)
        departments: defaultdict[str, list[tuple[int, Any]]] = defaultdict(list)
        for task, variable in items:
            for name, count in task.departments.items():
                departments[name].append((count, variable))
        for terms in departments.values():
            if sum(count for count, _ in terms) > limits.per_department:
                model.add(sum(count * variable for count, variable in terms) <= limits.per_department)


def _due(task: Task, wave: int, day: date) -> int:
    """Bytes of a group that the line has to bring before the windows of ``day``, however long it waits."""
    return sum(size for at, size in task.due.get(wave, ()) if at < day)


def _ordered(model: cp_model.CpModel, problem: Problem, place: Mapping[tuple[int, int], Any]) -> None:
    waves = _wave_of(place)
    for dependent, provider in problem.weak:
        model.add(waves[dependent] >= waves[provider])


def _wave_of(place: Mapping[tuple[int, int], Any]) -> dict[int, Any]:
    """The wave of each group as an expression."""
    by_group: defaultdict[int, list[Any]] = defaultdict(list)
    for (index, wave), variable in place.items():
        by_group[index].append(wave * variable)
    return {index: sum(terms) for index, terms in by_group.items()}


def _aims(
    model: cp_model.CpModel,
    problem: Problem,
    place: Mapping[tuple[int, int], Any],
    last: int,
    hint: Mapping[int, int],
) -> None:
    risks = sorted(task.risk for task in problem.tasks)
    middle = risks[len(risks) // 2]
    waves = _wave_of(place)
    by_wave: defaultdict[int, list[Any]] = defaultdict(list)
    terms: list[Any] = []
    for (index, wave), variable in place.items():
        task = problem.tasks[index]
        by_wave[wave].append(task.effort * variable)
        terms.append((middle - task.risk) * wave * variable)
    # More than any order of risks and any peak could gain: a kept tie is never traded for them.
    worst = sum(abs(middle - task.risk) for task in problem.tasks) * last
    capacity = problem.limits.capacity or sum(task.effort for task in problem.tasks)
    weight = worst + PEAK_WEIGHT * capacity // 100 + 1
    for dependent, provider in problem.weak:
        broken = model.new_bool_var("")
        model.add(waves[dependent] - waves[provider] + last * broken >= 0)
        terms.append(weight * broken)
        if hint:
            model.add_hint(broken, hint[dependent] < hint[provider])
    # Whole person-days: finer steps only keep the solver busy.
    peak = model.new_int_var(0, capacity // 100 + 1, "")
    for loads in by_wave.values():
        model.add(100 * peak >= sum(loads))
    if hint:
        filled: defaultdict[int, int] = defaultdict(int)
        for index, wave in hint.items():
            filled[wave] += problem.tasks[index].effort
        # A hint without gaps is a solution from the start; the solver would have to search for the missing part.
        model.add_hint(peak, -(-max(filled.values()) // 100))
    model.minimize(sum(terms) + PEAK_WEIGHT * peak)
