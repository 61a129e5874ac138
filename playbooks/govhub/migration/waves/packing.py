"""Groups and waves in numbers: which waves a group may take, and what each wave still has room for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from govhub.migration.waves.days import blockers, copied_by, days_between, shares_of, slots_of
from govhub.migration.waves.portfolio import Portfolio
from govhub.migration.waves.problem import Candidate, Limits, Night, Slot, Tie
from govhub.migration.waves.ties import Group, among, groups_of

Days = tuple[date, ...]
Due = tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A group as the solver sees it; ``waves`` are numbers of waves in which all members have a day."""

    group: Group
    effort: int
    size: int
    departments: Mapping[str, int]
    risk: int
    waves: tuple[int, ...]
    due: Mapping[int, Due] = field(default_factory=dict)
    """By wave, what cannot wait for the end of it: the last night on which a part may be cut over, and its bytes."""

    @property
    def count(self) -> int:
        """How many systems it is."""
        return len(self.group.members)


@dataclass(slots=True)
class Room:
    """What is left of one wave while it is filled."""

    limits: Limits
    slot: Slot
    effort: int = 0
    size: int = 0
    count: int = 0
    departments: Counter[str] = field(default_factory=Counter)
    due: list[tuple[date, int]] = field(default_factory=list)

    def takes(self, task: Task) -> bool:
        """Whether ``task`` still fits."""
        capacity = self.limits.capacity
        return (
            (capacity is None or self.effort + task.effort <= capacity)
            and self.size + task.size <= self.slot.line
            and self.count + task.count <= self.limits.per_wave
            and all(self.departments[name] + n <= self.limits.per_department for name, n in task.departments.items())
            and self._carried(task.due.get(self.slot.number, ()))
        )

    def add(self, task: Task) -> None:
        """Put ``task`` in."""
        self.effort += task.effort
        self.size += task.size
        self.count += task.count
        self.departments.update(task.departments)
        self.due += task.due.get(self.slot.number, ())

    def _carried(self, more: Due) -> bool:
        """Whether the line can bring what each night needs, with ``more``, when all wait as long as they may."""
        if not more:
            return True
        due = [*self.due, *more]
        return all(sum(size for at, size in due if at < day) <= most for day, most in shares_of(self.slot))


class Problem:
    """A portfolio made ready: waves with their dates, allowed days, groups. Costly parts are worked out once."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.limits = portfolio.limits
        self.candidates = portfolio.candidates
        self._open: dict[tuple[object, ...], list[Days]] = {}

    @cached_property
    def usual(self) -> Night:
        """The window that most systems have: in it the line is given over.

        A long window of one system is not offered to all the others.
        """
        nights = Counter(item.night for item in self.candidates.values())
        return min(nights, key=lambda night: (-nights[night], night.weekdays, night.start), default=Night())

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """All waves, by number from 1."""
        return slots_of(self.limits, self.usual, self.portfolio.freezes)

    @cached_property
    def ties(self) -> list[Tie]:
        """The ties between systems that move."""
        return among(self.candidates.values(), self.portfolio.ties)

    @cached_property
    def groups(self) -> list[Group]:
        """Systems that move together."""
        return groups_of(self.candidates, self.ties)

    @cached_property
    def group_of(self) -> dict[str, Group]:
        """The group of each system."""
        return {name: group for group in self.groups for name in group.members}

    @cached_property
    def weak(self) -> list[tuple[int, int]]:
        """``(dependent, provider)`` pairs of groups that weak ties join, without repeats."""
        pairs = {
            (self.group_of[tie.dependent].index, self.group_of[tie.provider].index)
            for tie in self.ties
            if not tie.strong
        }
        return sorted(pair for pair in pairs if pair[0] != pair[1])

    def slot(self, number: int) -> Slot:
        """The wave with this number."""
        return self.slots[number - 1]

    def open_days(self, candidate: Candidate, number: int) -> Days:
        """Days of a wave on which ``candidate`` may be cut over: no rule forbids them, and its data is there."""
        days = self._calendar(candidate)[number - 1]
        slot = self.slots[number - 1]
        # Nearly always the first day will do already, and the others with it.
        if not days or copied_by(slot, days[0]) >= candidate.size:
            return days
        return tuple(day for day in days if copied_by(slot, day) >= candidate.size)

    def _calendar(self, candidate: Candidate) -> list[Days]:
        key = candidate.calendar
        if key not in self._open:
            weekdays = candidate.night.weekdays
            self._open[key] = [
                tuple(
                    day
                    for day in days_between(slot.first, slot.last)
                    if day.weekday() in weekdays and not blockers(candidate, day, self.limits.today)
                )
                for slot in self.slots
            ]
        return self._open[key]

    @cached_property
    def tasks(self) -> list[Task]:
        """One for each group, by its index."""
        return [self._task(group) for group in self.groups]

    def _task(self, group: Group) -> Task:
        members = [self.candidates[name] for name in group.members]
        task = Task(
            group=group,
            effort=sum(item.effort for item in members),
            size=sum(item.size for item in members),
            departments=Counter(item.tenant for item in members),
            risk=max(item.risk for item in members) + len(members) - 1,
            waves=(),
        )
        fits, due = list[int](), dict[int, Due]()
        for slot in self.slots:
            if not (Room(self.limits, slot).takes(task) and all(self.open_days(item, slot.number) for item in members)):
                continue
            early = tuple(item for name in group.members if (item := self.due(name, slot.number)))
            if not early or Room(self.limits, slot).takes(replace(task, due={slot.number: early})):
                fits.append(slot.number)
                due |= {slot.number: early} if early else {}
        return replace(task, waves=tuple(fits), due=due)

    def due(self, name: str, number: int) -> tuple[date, int] | None:
        """The last night of a wave on which a system may be cut over, with its bytes; None when it can wait to the end.

        The line carries all data of a wave one after the other, so what is due early needs room on it early.
        """
        candidate, slot = self.candidates[name], self.slot(number)
        last = self.open_days(candidate, number)[-1]
        return (last, candidate.size) if slot.carried and last < slot.carried[-1][0] else None

    def fewest(self) -> int:
        """A bound from below: no plan ends before this wave. One more than there are when all hold too little."""
        usable = [slot for slot in self.slots if slot.carried]
        need_effort, need_size = (sum(getattr(task, key) for task in self.tasks) for key in ("effort", "size"))
        departments: defaultdict[str, int] = defaultdict(int)
        for task in self.tasks:
            for name, count in task.departments.items():
                departments[name] += count
        per_department = max(departments.values(), default=0)
        capacity = self.limits.capacity
        line = waves = 0
        last = max((task.waves[0] for task in self.tasks if task.waves), default=1)
        for slot in usable:
            line, waves = line + slot.line, waves + 1
            if (
                slot.number >= last
                and line >= need_size
                and waves * self.limits.per_wave >= len(self.candidates)
                and waves * self.limits.per_department >= per_department
                and (capacity is None or waves * capacity >= need_effort)
            ):
                return slot.number
        return self.limits.waves + 1
