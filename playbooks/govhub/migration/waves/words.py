"""Rules in plain words, each with the place where somebody can change it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from govhub.core.diagnostics import SourceRange
from govhub.core.quantities import GIB
from govhub.core.text import and_more
from govhub.inventory.loader import Hub
from govhub.inventory.topology import Path
from govhub.migration.waves.days import nightly, ordinary_line
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.portfolio import WEEKDAYS
from govhub.migration.waves.problem import Limit, Rule

Words = Callable[[], tuple[str, Path, str]]
RULES: Path = ("migration",)


@dataclass(frozen=True, slots=True)
class Told:
    """A rule for people: what it says, where it stands, and what would lift it."""

    text: str
    source: SourceRange | None
    hint: str


def days(effort: int) -> str:
    """Hundredths of a person-day as person-days: ``12.5``."""
    return f"{effort / 100:,.2f}".rstrip("0").rstrip(".")


def gibibytes(size: int) -> str:
    """Bytes as GiB, or TiB when there are many: ``1.2 TiB``."""
    return f"{size / GIB / 1024:,.1f} TiB" if size >= 1024 * GIB else f"{size / GIB:,.1f}".removesuffix(".0") + " GiB"


def tell(problem: Problem, hub: Hub, rule: Rule, systems: Collection[str] = ()) -> Told:
    """``rule`` in words; ``systems`` are those that a conflict is about, for sums."""
    return _Teller(problem, hub, sorted(systems)).tell(rule)


class _Teller:
    def __init__(self, problem: Problem, hub: Hub, systems: list[str]) -> None:
        self.problem, self.hub, self.limits = problem, hub, problem.limits
        self.systems = [problem.candidates[name] for name in systems]

    def tell(self, rule: Rule) -> Told:
        general: dict[Limit, Words] = {
            Limit.TEAMS: self._teams,
            Limit.LINK: self._link,
            Limit.PER_WAVE: self._per_wave,
            Limit.WAVES: self._waves,
            Limit.HOLIDAY: self._holiday,
            Limit.PAST: self._past,
        }
        special: dict[Limit, Callable[[Rule], tuple[str, Path, str]]] = {
            Limit.PER_DEPARTMENT: self._per_department,
            Limit.STRONG: self._strong,
            Limit.WINDOW: self._window,
            Limit.BUSY: self._busy,
            Limit.FREEZE: self._freeze,
            Limit.NOT_BEFORE: self._not_before,
            Limit.NOT_AFTER: self._not_after,
        }
        text, path, hint = general[rule.kind]() if rule.kind in general else special[rule.kind](rule)
        return Told(text, self.hub.at(*path), hint)

    def _teams(self) -> tuple[str, Path, str]:
        names = and_more([team.name for team in self.limits.teams])
        text = f"the teams ({names}) can do {days(self.limits.capacity or 0)} person-days in a wave"
        if self.systems:
            text += f"; {self._count()} {days(sum(item.effort for item in self.systems))}"
        return text, (*RULES, "teams"), "add a team or person-days"

    def _link(self) -> tuple[str, Path, str]:
        line = max((slot.line for slot in self.problem.slots), default=0)
        line = line or ordinary_line(self.limits, self.problem.usual)
        text = f"the line of {self.limits.link_mbps:,} Mbit/s carries {gibibytes(line)} in the usual windows of a wave"
        text += f", {gibibytes(nightly(self.limits, self.problem.usual))} in those of one night"
        if self.systems:
            text += f"; {self._count()} {gibibytes(sum(item.size for item in self.systems))}"
        return text, (*RULES, "link_mbps"), "give the line more, or widen the windows"

    def _per_wave(self) -> tuple[str, Path, str]:
        text = f"at most {self.limits.per_wave} systems in a wave"
        if self.systems:
            text += f"; there are {len(self.systems)}"
        return text, (*RULES, "per_wave"), "raise per_wave"

    def _waves(self) -> tuple[str, Path, str]:
        slots = self.problem.slots
        text = f"{len(slots)} waves of {self.limits.wave_days} days, from {slots[0].first} to {slots[-1].last}"
        return text, (*RULES, "waves"), "raise waves"

    def _holiday(self) -> tuple[str, Path, str]:
        return "no cutover on statutory holidays, their eves' nights, or working weekends", (), "choose other days"

    def _past(self) -> tuple[str, Path, str]:
        return (
            f"nothing is cut over before today, {self.limits.today}",
            (*RULES, "first_wave"),
            "choose a later first_wave",
        )

    def _per_department(self, rule: Rule) -> tuple[str, Path, str]:
        count = sum(item.tenant == rule.name for item in self.systems)
        text = f"at most {self.limits.per_department} systems of one department in a wave"
        text += f"; {rule.name} has {count} here" if count else f" ({rule.name})"
        return text, (*RULES, "per_department"), "raise per_department"

    def _strong(self, rule: Rule) -> tuple[str, Path, str]:
        tie = self.problem.ties[rule.index]
        text = f'"{tie.dependent}" moves in one wave with "{tie.provider}" (strong dependency, {tie.kind})'
        return text, tie.path, "make the dependency weak, if the two can work across the line for a while"

    def _window(self, rule: Rule) -> tuple[str, Path, str]:
        if not rule.name:
            return "without a window of its own, a system is cut over on fri or sat", (), "give the system a `window`"
        night = self.problem.candidates[rule.name].night
        text = f'cutovers of "{rule.name}" begin on {", ".join(WEEKDAYS[day] for day in night.weekdays)} only'
        return text, self._own(rule.name, "window"), "allow more days"

    def _busy(self, rule: Rule) -> tuple[str, Path, str]:
        span = self.problem.candidates[rule.name].busy[rule.index]
        first, last = ("-".join(f"{part:02d}" for part in day) for day in (span.first, span.last))
        text = f'"{rule.name}" is not touched from {first} to {last}: {span.reason}'
        return text, self._own(rule.name, "busy", rule.index), "shorten the busy time"

    def _freeze(self, rule: Rule) -> tuple[str, Path, str]:
        item = self.hub.model.exceptions[rule.index]
        text = f"{item.target} is frozen until {item.until} ({rule.name}: {item.reason})"
        return text, ("exceptions", rule.index), f"ask {item.owner} to end the freeze earlier"

    def _not_before(self, rule: Rule) -> tuple[str, Path, str]:
        text = f'"{rule.name}" is cut over on {self.problem.candidates[rule.name].not_before} at the earliest'
        return text, self._own(rule.name, "not_before"), "choose an earlier day"

    def _not_after(self, rule: Rule) -> tuple[str, Path, str]:
        text = f'"{rule.name}" is cut over on {self.problem.candidates[rule.name].not_after} at the latest'
        return text, self._own(rule.name, "not_after"), "choose a later day"

    def _own(self, system: str, *path: str | int) -> Path:
        entry = self.problem.candidates[system].entry
        return () if entry is None else ("migrations", entry, *path)

    def _count(self) -> str:
        names = [item.name for item in self.systems]
        return f"{and_more(names, 3)} need" if len(names) <= 3 else f"these {len(names)} systems need"
