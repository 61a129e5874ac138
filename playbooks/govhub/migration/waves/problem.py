"""What is to be planned, as plain data: systems, ties, waves, and every rule that people set.

Efforts are in hundredths of a person-day; sizes are bytes in whole MiB (needs rounded up, offers down). The solver
counts in integers, and a check that rounds otherwise than the solver would contradict it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from govhub.inventory.sizing import Amount
from govhub.inventory.topology import Path

MIB = 2**20


class Limit(StrEnum):
    """The kinds of rules that a plan has to respect; any of them may be part of a conflict."""

    TEAMS = "teams"
    LINK = "link"
    PER_WAVE = "per-wave"
    PER_DEPARTMENT = "per-department"
    WAVES = "waves"
    STRONG = "strong-tie"
    WINDOW = "window"
    BUSY = "busy"
    FREEZE = "freeze"
    HOLIDAY = "holiday"
    NOT_BEFORE = "not-before"
    NOT_AFTER = "not-after"
    PAST = "past"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One rule that somebody could lift: its kind, and the system, department or exception that it is about."""

    kind: Limit
    name: str = ""
    index: int = 0
    """Which of several of a system: a busy time, or a tie's index in ``Problem.ties``."""


class Basis(StrEnum):
    """Where a size comes from."""

    DECLARED = "declared"
    DISCOVERED = "discovered"
    VOLUMES = "volumes"
    """Not known: taken as the volumes that the system asks for on the cloud."""
    GUESSED = "guessed"
    """Not known, and no volumes either."""

    @property
    def known(self) -> bool:
        """Whether somebody measured or declared it."""
        return self in (Basis.DECLARED, Basis.DISCOVERED)


@dataclass(frozen=True, slots=True)
class Night:
    """When a cutover may begin: weekdays (Monday is 0), minute of the day, and how many minutes it may take."""

    weekdays: tuple[int, ...] = (4, 5)
    start: int = 22 * 60
    minutes: int = 240

    @property
    def days_touched(self) -> int:
        """How many calendar days the window reaches into."""
        return (self.start + self.minutes - 1) // 1440 + 1


@dataclass(frozen=True, slots=True)
class Span:
    """A busy time of every year: month and day of its first and last day."""

    first: tuple[int, int]
    last: tuple[int, int]
    reason: str

    def holds(self, day: date) -> bool:
        """Whether ``day`` is in it; the first after the last runs over the new year."""
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class Freeze:
    """An exception that keeps a system, a department or the hub from being changed until the end of a day."""

    name: str
    target: str
    until: date
    index: int
    """Position in the hub's ``exceptions``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A system that moves."""

    name: str
    tenant: str
    title: Mapping[str, str] = field(default_factory=dict)
    tier: int = 3
    protection: int = 2
    size: int = 0
    basis: Basis = Basis.DECLARED
    effort: int = 100
    estimated: bool = False
    """Whether the effort is an estimate of ours."""
    night: Night = Night()
    own_window: bool = False
    """Whether the window is the system's own, not the default."""
    busy: tuple[Span, ...] = ()
    not_before: date | None = None
    not_after: date | None = None
    freezes: tuple[Freeze, ...] = ()
    trial_days: float = 30
    needs: Mapping[str, Amount] = field(default_factory=dict)
    """What it asks for on the cloud, by the pools it may run on (see ``pools``)."""
    entry: int | None = None
    """Position in the hub's ``migrations``; None when it is planned with defaults."""
    position: int = 0
    """Position in the hub's ``systems``."""

    @property
    def risk(self) -> int:
        """How late it should come: important, protected and large systems after others have shown how it goes."""
        weight = {1: 6, 2: 3}.get(self.tier, 1)
        return weight + (2 if self.protection >= 3 else 0) + min(self.size // (200 * 1024**3), 2)

    @property
    def calendar(self) -> tuple[object, ...]:
        """All that decides on which days it may be cut over; equal for most systems."""
        own = self.own_window or self.busy or self.not_before or self.not_after
        return (self.night, self.name if own else "", tuple(item.name for item in self.freezes))


@dataclass(frozen=True, slots=True)
class Tie:
    """``dependent`` needs ``provider``; a strong tie moves both in one wave, a weak one says which goes first."""

    dependent: str
    provider: str
    strong: bool
    kind: str
    path: Path
    """Where the hub declares it: a dependency of a migration, or a flow of a system."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A wave's dates, and how many bytes the line may carry by the end of each day's windows."""

    number: int
    first: date
    last: date
    carried: tuple[tuple[date, int], ...] = ()
    """``(day, bytes from the wave's beginning up to the end of that day's windows)``, growing."""

    @property
    def line(self) -> int:
        """Bytes that the line may carry in the whole wave."""
        return self.carried[-1][1] if self.carried else 0


@dataclass(frozen=True, slots=True)
class TeamOf:
    """A team, and what it can do in one wave (hundredths of a person-day)."""

    name: str
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all waves have in common."""

    teams: tuple[TeamOf, ...] = ()
    """Empty when the hub names no team: their capacity is unknown then, not zero, and limits nothing."""
    link_mbps: int = 1000
    per_wave: int = 12
    per_department: int = 2
    first: date
    wave_days: int = 14
    waves: int = 40
    today: date

    @property
    def capacity(self) -> int | None:
        """What all teams can do in one wave; None when unknown."""
        return sum(team.capacity for team in self.teams) if self.teams else None


@dataclass(frozen=True, slots=True)
class Staying:
    """A system that does not move, and why."""

    name: str
    strategy: str
    title: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pool:
    """A part of a cluster that pods share: what it offers without its worst rack, and what is used before wave 1."""

    name: str
    offered: Amount
    before: Amount
    rack: str = ""
    """The rack whose loss costs most cores; each dimension is counted without its own worst rack."""
