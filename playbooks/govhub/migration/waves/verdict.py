"""Whether a plan keeps every rule: the same answer for the solver's own plans and for those that people edited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from govhub.core.diagnostics import Diagnostic, Diagnostics, SourceRange
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.loader import Hub
from govhub.migration.waves.days import LINK, blockers, copied_by
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import Placement, Plan
from govhub.migration.waves.pools import asked_of
from govhub.migration.waves.problem import Candidate, Rule, Slot
from govhub.migration.waves.words import days, gibibytes, tell


@dataclass(frozen=True, slots=True)
class Where:
    """Positions in a plan file: of systems, and of waves by number."""

    systems: Mapping[str, SourceRange] = field(default_factory=dict)
    waves: Mapping[int, SourceRange] = field(default_factory=dict)
    file: SourceRange | None = None


def why_not(problem: Problem, candidate: Candidate, slot: Slot, day: date) -> list[Rule]:
    """The rules that forbid to cut over ``candidate`` on ``day`` as a part of this wave."""
    found = blockers(candidate, day, problem.limits.today)
    return [*found, LINK] if copied_by(slot, day) < candidate.size else found


def verdict(problem: Problem, hub: Hub, plan: Plan, where: Where | None = None) -> list[Diagnostic]:
    """Errors for every rule that is broken, warnings for wishes that are not met; placements are of known systems."""
    return _Judge(problem, hub, plan, where or Where()).judge()


class _Judge:
    def __init__(self, problem: Problem, hub: Hub, plan: Plan, where: Where) -> None:
        self.problem, self.hub, self.plan, self.where = problem, hub, plan, where
        self.wave_of = {item.system: item.wave for item in plan.placements}
        self.found = Diagnostics()
        self.closed: set[str] = set()
        """Systems on a day that is wrong in itself: what the line carries by then is no question any more."""

    def judge(self) -> list[Diagnostic]:
        missing = sorted(set(self.problem.candidates) - set(self.wave_of))
        for name in missing:
            hint = "give it a wave, or set `strategy: retain` in its migration"
            self.found.error("WAV004", f'"{name}" is in no wave', source=self.where.file, address=name, hint=hint)
        for item in self.plan.placements:
            self._day(item)
        for number, items in self.plan.waves.items():
            if 1 <= number <= len(self.problem.slots):
                self._wave(number, [self.problem.candidates[item.system] for item in items])
                self._copied(number, items)
        self._ties()
        self._pools()
        return self.found.sorted()

    def _day(self, item: Placement) -> None:
        source = self.where.systems.get(item.system)
        if not 1 <= item.wave <= len(self.problem.slots):
            text = f'"{item.system}" is in wave {item.wave}, but the hub has waves 1 to {len(self.problem.slots)}'
            self.found.error(
                "WAV006", text, source=source, address=item.system, hint="raise migration.waves, or move it"
            )
            return
        candidate, slot = self.problem.candidates[item.system], self.problem.slot(item.wave)
        open_days = self.problem.open_days(candidate, item.wave)
        hint = "possible in this wave: " + (and_more([str(day) for day in open_days], 6) or "no day")
        if item.cutover is None:
            if not open_days:
                text = f'"{item.system}" cannot be cut over in wave {item.wave}'
                self.found.error("WAV007", text, source=source, address=item.system, hint="put it into another wave")
            return
        if not slot.first <= item.cutover <= slot.last:
            text = f'"{item.system}" is cut over on {item.cutover}, wave {item.wave} is {slot.first} to {slot.last}'
            self.found.error("WAV006", text, source=source, address=item.system, hint=hint)
            self.closed.add(item.system)
            return
        if reasons := why_not(self.problem, candidate, slot, item.cutover):
            self.closed.add(item.system)
            told = [tell(self.problem, self.hub, rule) for rule in reasons]
            detail = "\n".join(f"{one.text}{f' ({one.source})' if one.source else ''}" for one in told)
            text = f'"{item.system}" cannot be cut over on {item.cutover:%a} {item.cutover}'
            self.found.error("WAV007", text, detail=detail, source=source, address=item.system, hint=hint)

    def _wave(self, number: int, systems: list[Candidate]) -> None:
        limits, slot, source = self.problem.limits, self.problem.slot(number), self.where.waves.get(number)
        effort, size = sum(item.effort for item in systems), sum(item.size for item in systems)
        if limits.capacity is not None and effort > limits.capacity:
            text = f"wave {number} needs {days(effort)} person-days, the teams have {days(limits.capacity)}"
            self.found.error("WAV009", text, source=source, hint="move systems to another wave")
        if size > slot.line:
            text = f"wave {number} carries {gibibytes(size)}, the line can take {gibibytes(slot.line)} in its windows"
            self.found.error("WAV010", text, source=source, hint="move large systems to another wave")
        if len(systems) > limits.per_wave:
            text = f"wave {number} has {len(systems)} systems, at most {limits.per_wave} are allowed"
            self.found.error("WAV011", text, source=source, hint="move systems to another wave, or raise per_wave")
        departments: defaultdict[str, list[str]] = defaultdict(list)
        for item in systems:
            departments[item.tenant].append(item.name)
        for tenant, names in sorted(departments.items()):
            if len(names) > limits.per_department:
                text = (
                    f"wave {number} has {len(names)} systems of {tenant}, at most {limits.per_department} are allowed"
                )
                self.found.error("WAV012", text, detail=and_more(sorted(names)), source=source, hint="spread them")

    def _copied(self, number: int, items: list[Placement]) -> None:
        slot, due = self.problem.slot(number), 0
        by_day: defaultdict[date, int] = defaultdict(int)
        for item in items:
            if item.system in self.closed:
                continue
            candidate = self.problem.candidates[item.system]
            open_days = self.problem.open_days(candidate, number)
            by_day[item.cutover or (open_days[-1] if open_days else slot.last)] += candidate.size
        for day, size in sorted(by_day.items()):
            due += size
            # More than the whole wave's is an error of its own.
            if copied_by(slot, day) < due <= slot.line:
                carried = gibibytes(copied_by(slot, day))
                text = f"wave {number}: until {day} the line carries {carried} of {gibibytes(due)} due"
                hint = "cut some over on a later night, or put them into another wave"
                self.found.error("WAV015", text, source=self.where.waves.get(number), hint=hint)
                return

    def _ties(self) -> None:
        staying = {item.name: item.strategy for item in self.problem.portfolio.staying}
        for tie in self.problem.portfolio.ties:
            dependent, provider = (self.wave_of.get(name) for name in (tie.dependent, tie.provider))
            declared = self.hub.at(*tie.path)
            if tie.strong and (tie.dependent in staying) != (tie.provider in staying):
                stays = tie.dependent if tie.dependent in staying else tie.provider
                text = f'"{tie.dependent}" depends strongly on "{tie.provider}"; "{stays}" stays ({staying[stays]})'
                self.found.warning("WAV016", text, source=declared, hint="have the two owners agree how they work then")
            if dependent is None or provider is None:
                continue
            source = self.where.systems.get(tie.dependent)
            if tie.strong and dependent != provider:
                text = f'"{tie.dependent}" (wave {dependent}) and "{tie.provider}" (wave {provider}) move together'
                detail = f"strong dependency, {tie.kind}: {declared}"
                self.found.error("WAV008", text, detail=detail, source=source, hint="put both into one wave")
            elif dependent < provider:
                text = f'"{tie.dependent}" (wave {dependent}) moves before "{tie.provider}" (wave {provider})'
                detail = f"it needs the other: weak dependency, {tie.kind}, {declared}"
                hint = "until then it works across the line; see that the two can reach each other"
                self.found.warning("WAV014", text, detail=detail, source=source or declared, hint=hint)

    def _pools(self) -> None:
        asked = asked_of(self.problem.candidates[item.system] for item in self.plan.placements)
        for pool in self.problem.portfolio.pools:
            need = pool.before + asked.get(pool.name, pool.before * 0)
            if short := need.shortages(pool.offered):
                text = f"after the last wave {pool.name} is short: {', '.join(short)}"
                detail = f"counted without its worst rack ({pool.rack})"
                self.found.error("WAV013", text, detail=detail, address=pool.name, hint="add hosts to the pool")


def unknown(name: str, known: Mapping[str, Candidate]) -> str:
    """A hint for a name that no system has."""
    return did_you_mean(name, known) or "take the name of a system of the hub"
