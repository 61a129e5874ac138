"""CP-SAT, Google's constraint solver: the one module that imports ``ortools``, an extra of govhub.

One worker with a fixed seed and a budget in the solver's own deterministic time: the same hub gives the same plan on
every machine. The limit in seconds is only there so that a very slow machine comes to an end; a plan that it cut short
says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import networkx

from govhub.migration.waves.packing import Problem, Task
from govhub.migration.waves.problem import MIB

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

SEED = 20240501
LARGE = 6000
"""Groups times waves from which on the order is improved in parts."""
WINDOW = 4
"""Neighbouring waves that are improved together then."""
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


def available() -> bool:
    """Whether the solver is installed."""
    return find_spec("ortools") is not None


def pack(problem: Problem, first: Mapping[int, int] | None, seconds: float) -> Packed | None:
    """The best plan that the budget allows; ``first`` is one that is known. None when there is none, or none was found.

    First the earliest end, by raising the last wave from a bound that holds for every plan; then, with this end, fewest
    weak ties against their order, low risk before high, and waves of equal weight.
    """
    known = max(first.values()) if first else problem.limits.waves
    bottom = problem.fewest()
    fewest, cut = True, False
    found = dict(first) if first else None
    last = bottom
    while last < known or (last == known and found is None):
        # With every weak tie kept at first: an order that is broken once is seldom mended by small steps.
        status, answer = _run(problem, last, None, "ordered", seconds / 6)
        if answer is None:
            status, answer = _run(problem, last, None, "end", seconds / 6)
        cut = cut or status == "cut"
        if answer:
            found, known = answer, last
            break
        fewest = fewest and status == "infeasible"
        last += 1 if last - bottom < 2 else max((known - last) // 2, 1)
    if found is None:
        return None
    better, hurried = _improve(problem, found, known, seconds)
    return Packed(better, fewest, cut or hurried)


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
    solver = _solver(free, seconds, quick=aim != "order")
    status = solver.solve(model)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        waves = {index: wave for (index, wave), variable in place.items() if solver.boolean_value(variable)}
        return ("cut" if _cut(solver, status, seconds) else "found"), waves
    if status == cp_model.INFEASIBLE:
        return "infeasible", None
    return ("cut" if _cut(solver, status, seconds) else "unknown"), None


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
        model.add(sum(task.count * variable for task, variable in items) <= limits.per_wave)
        departments: defaultdict[str, list[tuple[int, Any]]] = defaultdict(list)
        for task, variable in items:
            for name, count in task.departments.items():
                departments[name].append((count, variable))
        for terms in departments.values():
            if sum(count for count, _ in terms) > limits.per_department:
                model.add(sum(count * variable for count, variable in terms) <= limits.per_department)


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


def conflict(model: RuleModel, seconds: float) -> tuple[list[int], bool]:
    """A smallest set of rules, by index, that cannot hold together, and whether that is proven.

    Empty when all can hold, or when this was not found out in time.
    """
    core = model.core(seconds)
    if core is None:
        return [], False
    proven, kept = True, list(core)
    # Whoever is asked first is dropped first: rules of everybody stay only when the special ones cannot do without.
    for rule in sorted(core, reverse=True):
        rest = [item for item in kept if item != rule]
        answer = model.holds(rest, seconds)
        if answer is False:
            kept = rest
        proven = proven and answer is not None
    return kept, proven


class RuleModel:
    """Systems, waves, and rules that can be switched off one by one.

    ``blocked`` says, for a system and a wave, which sets of rules stand in the way: one for each kind of day. The wave
    is open when the rules of at least one set are all off. Each of ``sums`` bounds the weights in some of the waves.
    ``later`` stands for all waves that could follow the last.
    """

    def __init__(
        self,
        systems: Sequence[str],
        waves: Sequence[int],
        blocked: Mapping[tuple[str, int], Collection[frozenset[int]]],
        together: Sequence[tuple[int, str, str]],
        sums: Sequence[tuple[int, Mapping[str, int], Mapping[int, int]]],
        rules: int,
        later: int,
    ) -> None:
        self.later = later
        self.systems, self.waves = systems, waves
        self.blocked, self.together, self.sums, self.rules = blocked, together, sums, rules

    def core(self, seconds: float) -> list[int] | None:
        """Rules that are enough for a contradiction; not the fewest. None when there is no contradiction."""
        from ortools.sat.python import cp_model

        model, switches = self._build(None)
        model.add_assumptions(list(switches.values()))
        solver = _solver(len(self.systems), seconds, quick=True)
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            core = set(solver.sufficient_assumptions_for_infeasibility())
            found = [rule for rule, literal in switches.items() if literal.index in core]
            return sorted(found) if found and self.holds(found, seconds) is False else list(range(self.rules))
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) or self.holds(range(self.rules), seconds) is not False:
            return None
        return list(range(self.rules))

    def holds(self, rules: Collection[int], seconds: float) -> bool | None:
        """Whether there is a plan that keeps ``rules``; None when that was not found out in time."""
        from ortools.sat.python import cp_model

        model, _ = self._build(set(rules))
        solver = _solver(len(self.systems), seconds, quick=True)
        status = solver.solve(model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return True
        return False if status == cp_model.INFEASIBLE else None

    def _build(self, kept: set[int] | None) -> tuple[cp_model.CpModel, dict[int, Any]]:
        """The model with the ``kept`` rules as plain constraints, or with a switch for each when None."""
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        switches = {rule: model.new_bool_var("") for rule in range(self.rules)} if kept is None else {}
        on = set(range(self.rules)) if kept is None else kept
        place = {(name, wave): model.new_bool_var("") for name in self.systems for wave in self.waves}
        for name in self.systems:
            model.add_exactly_one(place[name, wave] for wave in self.waves)
        for (name, wave), sets in self.blocked.items():
            if kept is None:
                gates = [_none_of(model, switches, part) for part in sets]
                model.add_bool_or([place[name, wave].negated(), *gates])
            elif all(part & kept for part in sets):
                model.add(place[name, wave] == 0)
        for rule, one, other in self.together:
            for wave in self.waves if rule in on else ():
                model.add(place[one, wave] == place[other, wave]).only_enforce_if(*_switch(switches, rule))
        for rule, weights, capacity in self.sums:
            for wave, most in capacity.items() if rule in on else ():
                total = sum(weight * place[name, wave] for name, weight in weights.items())
                model.add(total <= most).only_enforce_if(*_switch(switches, rule))
        self._later(model, switches, on, place)
        return model, switches

    def _later(
        self, model: cp_model.CpModel, switches: Mapping[int, Any], on: set[int], place: Mapping[tuple[str, int], Any]
    ) -> None:
        """Behind the last wave there are as many as are needed, but what moves together must fit into one of them."""
        graph = networkx.Graph()
        graph.add_nodes_from(self.systems)
        graph.add_edges_from((one, other, {"rule": rule}) for rule, one, other in self.together if rule in on)
        for part in networkx.connected_components(graph):
            ties = {data["rule"] for _, _, data in graph.edges(part, data=True)}
            for rule, weights, capacity in self.sums:
                most = max(capacity.values(), default=0)
                if rule in on and sum(weights.get(name, 0) for name in part) > most:
                    total = sum(weights.get(name, 0) * place[name, self.later] for name in sorted(part))
                    gates = [gate for item in sorted({rule, *ties}) for gate in _switch(switches, item)]
                    model.add(total <= most).only_enforce_if(*gates)


def _switch(switches: Mapping[int, Any], rule: int) -> list[Any]:
    return [switches[rule]] if switches else []


def _none_of(model: Any, switches: Mapping[int, Any], rules: Collection[int]) -> Any:
    gate = model.new_bool_var("")
    for rule in rules:
        model.add_implication(gate, switches[rule].negated())
    return gate


def _solver(systems: int, seconds: float, *, quick: bool) -> Any:
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = SEED
    solver.parameters.max_time_in_seconds = seconds
    # Strong relaxations find good orders at once; looking for symmetries and probing take longer than they save here.
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.max_deterministic_time = 0.3 + min(systems, 1000) / (200 if quick else 400)
    return solver


def _cut(solver: Any, status: Any, seconds: float) -> bool:
    from ortools.sat.python import cp_model

    return bool(status != cp_model.OPTIMAL and solver.wall_time >= seconds)
