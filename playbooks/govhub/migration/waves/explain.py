"""Why there is no plan: the smallest set of rules that cannot hold together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from govhub.migration.waves.cpsat import RuleModel, Share, conflict
from govhub.migration.waves.days import LINK, blockers, copied_by, days_between, ordinary_line, shares_of
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.problem import MIB, Limit, Rule

GENERAL = (Limit.WAVES, Limit.PAST, Limit.HOLIDAY, Limit.WINDOW, Limit.LINK, Limit.TEAMS, Limit.PER_WAVE)
"""Rules about everybody: a conflict without them says more."""
LATER = 0
"""The number of a made-up wave behind the last one; real waves count from 1."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rules that cannot hold together for ``systems``."""

    rules: tuple[Rule, ...]
    systems: tuple[str, ...]
    smallest: bool
    """Whether each rule was proven to be needed: without any one of them there is a plan."""


def explain(problem: Problem, seconds: float = 20.0) -> Conflict | None:
    """The smallest conflict in the smallest circle of systems that has one; None when none was found."""
    for systems in _circles(problem):
        if found := _conflict(problem, systems, seconds):
            return found
    return None


def _circles(problem: Problem) -> Iterator[tuple[str, ...]]:
    """Where to look, from small to large: systems without a wave, departments and what is tied to them, all."""
    for task in problem.tasks:
        if not task.waves:
            # Often one of the systems alone is the cause; a conflict about the whole group would hide that.
            yield from ((name,) for name in task.group.members if task.count > 1)
            yield task.group.members
    departments: defaultdict[str, set[str]] = defaultdict(set)
    for task in problem.tasks:
        for name in task.departments:
            departments[name].update(task.group.members)
    # A department whose groups all have more than enough waves to choose from cannot be the reason.
    for name in sorted(departments, key=lambda item: (len(departments[item]), item)):
        if len(departments[name]) > problem.limits.per_department:
            yield tuple(sorted(departments[name]))
    yield tuple(sorted(problem.candidates))


def _conflict(problem: Problem, systems: Collection[str], seconds: float) -> Conflict | None:
    rules = _Rules()
    blocked = _blocked(problem, systems, rules)
    together = [
        (rules.number(Rule(Limit.STRONG, tie.dependent, index)), tie.dependent, tie.provider)
        for index, tie in enumerate(problem.ties)
        if tie.strong and tie.dependent in systems and tie.provider in systems
    ]
    sums = _sums(problem, systems, rules)
    shares = list(_shares(problem, systems, rules))
    ranked, places = rules.ranked()
    model = RuleModel(
        systems=sorted(systems),
        waves=[*(slot.number for slot in problem.slots), LATER],
        blocked={key: {frozenset(places[item] for item in part) for part in sets} for key, sets in blocked.items()},
        together=[(places[rule], one, other) for rule, one, other in together],
        sums=[(places[rule], weights, most) for rule, weights, most in sums],
        rules=len(ranked),
        later=LATER,
        shares=[
            (
                places[rule],
                wave,
                most,
                {
                    name: (weight, {frozenset(places[item] for item in part) for part in later})
                    for name, (weight, later) in parts.items()
                },
            )
            for rule, wave, most, parts in shares
        ],
    )
    found, proven = conflict(model, seconds)
    if not found:
        return None
    return Conflict(tuple(sorted(ranked[item] for item in found)), tuple(sorted(systems)), proven)


class _Rules:
    """Rules by number, in the order in which they are met."""

    def __init__(self) -> None:
        self.known: dict[Rule, int] = {}

    def number(self, rule: Rule) -> int:
        return self.known.setdefault(rule, len(self.known))

    def ranked(self) -> tuple[list[Rule], dict[int, int]]:
        """Special ones first, rules about everybody last; and where each number has gone."""
        order = sorted(self.known, key=lambda rule: (rule.kind in GENERAL and not rule.name, rule))
        return order, {self.known[rule]: position for position, rule in enumerate(order)}


Blocked = dict[tuple[str, int], set[frozenset[int]]]


def _blocked(problem: Problem, systems: Collection[str], rules: _Rules) -> Blocked:
    out: Blocked = {}
    end = rules.number(Rule(Limit.WAVES))
    horizon = problem.slots[-1].last
    for name in sorted(systems):
        candidate = problem.candidates[name]
        for slot in problem.slots:
            sets = set()
            for day in days_between(slot.first, slot.last):
                found = blockers(candidate, day, problem.limits.today)
                # In a wave whose nights are all closed the line is idle for that reason, and not a reason itself.
                if copied_by(slot, day) < candidate.size and (slot.line or not found):
                    found.append(LINK)
                sets.add(frozenset(map(rules.number, found)))
            if frozenset() not in sets:
                out[name, slot.number] = {one for one in sets if not any(other < one for other in sets)}
        late = {end}
        if candidate.not_after and candidate.not_after <= horizon:
            late.add(rules.number(Rule(Limit.NOT_AFTER, name)))
        out[name, LATER] = {frozenset(late)}
    return out


def _shares(problem: Problem, systems: Collection[str], rules: _Rules) -> Iterator[Share]:
    """What the line can bring before each night, against those that rules can keep from all nights after it."""
    link = rules.number(LINK)
    for slot in problem.slots:
        days = list(days_between(slot.first, slot.last))
        found = {
            name: [(day, blockers(problem.candidates[name], day, problem.limits.today)) for day in days]
            for name in sorted(systems)
        }
        for before, most in shares_of(slot):
            parts = {}
            for name, blocked in found.items():
                later = [why for day, why in blocked if day >= before]
                # A night that no rule forbids is there whatever is switched off.
                if all(later):
                    sets = {frozenset(map(rules.number, why)) for why in later}
                    smallest = {one for one in sets if not any(other < one for other in sets)}
                    parts[name] = (problem.candidates[name].size // MIB, smallest)
            if sum(weight for weight, _ in parts.values()) > most // MIB:
                yield link, slot.number, most // MIB, parts


Sums = list[tuple[int, dict[str, int], dict[int, int]]]


def _sums(problem: Problem, systems: Collection[str], rules: _Rules) -> Sums:
    limits, numbers = problem.limits, [slot.number for slot in problem.slots]
    found = {name: problem.candidates[name] for name in sorted(systems)}
    ordinary = ordinary_line(limits, problem.usual)
    out: Sums = [
        (
            rules.number(LINK),
            {name: item.size // MIB for name, item in found.items()},
            {slot.number: (slot.line or ordinary) // MIB for slot in problem.slots} | {LATER: ordinary // MIB},
        ),
        (rules.number(Rule(Limit.PER_WAVE)), dict.fromkeys(found, 1), dict.fromkeys(numbers, limits.per_wave)),
    ]
    if limits.capacity is not None:
        efforts = {name: item.effort for name, item in found.items()}
        out.append((rules.number(Rule(Limit.TEAMS)), efforts, dict.fromkeys(numbers, limits.capacity)))
    departments: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, item in found.items():
        departments[item.tenant][name] = 1
    for tenant, weights in departments.items():
        if len(weights) > limits.per_department:
            rule = rules.number(Rule(Limit.PER_DEPARTMENT, tenant))
            out.append((rule, weights, dict.fromkeys(numbers, limits.per_department)))
    return out
