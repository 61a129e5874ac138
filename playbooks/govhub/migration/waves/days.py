"""Days: which ones a wave has, what keeps a system from being cut over on one, and when the line may carry data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

from govhub.migration.waves.holidays import kind_of
from govhub.migration.waves.problem import MIB, Candidate, Freeze, Limit, Limits, Night, Rule, Slot

HOLIDAYS = Rule(Limit.HOLIDAY)
PAST = Rule(Limit.PAST)
LINK = Rule(Limit.LINK)
ONE_DAY = timedelta(days=1)


def days_between(first: date, last: date) -> Iterator[date]:
    """All days from ``first`` to ``last``, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def night_of(day: date, night: Night) -> Iterator[date]:
    """The days that a window beginning on ``day`` reaches into: one that starts at 22:00 ends on the next."""
    for offset in range(night.days_touched):
        yield day + timedelta(days=offset)


def closed(day: date, night: Night) -> bool:
    """Whether the statutory calendar forbids a window that begins on ``day``.

    On a holiday nobody is there to test or to repair, and guarded periods fall on them. A weekend window is offered
    because the department rests then; on a working weekend (调休) it does not.
    """
    if any(kind_of(touched).holiday for touched in night_of(day, night)):
        return True
    return kind_of(day).makeup


def blockers(candidate: Candidate, day: date, today: date) -> list[Rule]:
    """Every rule that keeps ``candidate`` from being cut over in a window that begins on ``day``."""
    night = candidate.night
    found = []
    if day < today:
        found.append(PAST)
    if day.weekday() not in night.weekdays:
        found.append(Rule(Limit.WINDOW, candidate.name if candidate.own_window else ""))
    if closed(day, night):
        found.append(HOLIDAYS)
    touched = list(night_of(day, night))
    found += [Rule(Limit.FREEZE, item.name, item.index) for item in candidate.freezes if day <= item.until]
    found += [
        Rule(Limit.BUSY, candidate.name, index)
        for index, span in enumerate(candidate.busy)
        if any(span.holds(one) for one in touched)
    ]
    if candidate.not_before and day < candidate.not_before:
        found.append(Rule(Limit.NOT_BEFORE, candidate.name))
    # A window that reaches past midnight still counts for the day on which it began.
    if candidate.not_after and day > candidate.not_after:
        found.append(Rule(Limit.NOT_AFTER, candidate.name))
    return found


def slots_of(limits: Limits, usual: Night, freezes: Iterable[Freeze]) -> tuple[Slot, ...]:
    """All waves, each with what the line may carry in the ``usual`` windows that open in it.

    The line carries data only in these: outside, the departments' own traffic has it. Windows that overlap count once,
    and days that are closed for everybody (holidays, a freeze of the hub, the past) not at all.
    """
    frozen = max((item.until for item in freezes if item.target == "hub"), default=date.min)
    per_minute = limits.link_mbps * 1_000_000 // 8 * 60
    out: list[Slot] = []
    busy_until = 0
    for number in range(1, limits.waves + 1):
        first = limits.first + timedelta(days=(number - 1) * limits.wave_days)
        last = first + timedelta(days=limits.wave_days - 1)
        carried: list[tuple[date, int]] = []
        total = 0
        for day in days_between(first, last):
            if day < limits.today or day <= frozen or day.weekday() not in usual.weekdays or closed(day, usual):
                continue
            start = day.toordinal() * 1440 + usual.start
            total += max(start + usual.minutes - max(start, busy_until), 0) * per_minute
            busy_until = start + usual.minutes
            carried.append((day, total // MIB * MIB))
        out.append(Slot(number, first, last, tuple(carried)))
    return tuple(out)


def nightly(limits: Limits, usual: Night) -> int:
    """Bytes that the line may carry in the ``usual`` window of one night."""
    return usual.minutes * (limits.link_mbps * 1_000_000 // 8 * 60) // MIB * MIB


def ordinary_line(limits: Limits, usual: Night) -> int:
    """Bytes that the line may carry in a wave of which no day is closed; the best place of the week counts."""
    per_week = [sum((start + n) % 7 in usual.weekdays for n in range(limits.wave_days)) for start in range(7)]
    minutes = min(max(per_week) * usual.minutes, limits.wave_days * 1440)
    return minutes * (limits.link_mbps * 1_000_000 // 8 * 60) // MIB * MIB


def shares_of(slot: Slot) -> Iterator[tuple[date, int]]:
    """``(day, bytes)``: what has to be there before the windows of ``day`` may be at most so much.

    The whole wave's share is ``slot.line``; before the first windows nothing can be due at all.
    """
    for (_, amount), (day, _) in pairwise(slot.carried):
        yield day, amount


def copied_by(slot: Slot, day: date) -> int:
    """Bytes that the line may have carried from the beginning of the wave up to the end of ``day``'s windows."""
    return max((amount for at, amount in slot.carried if at <= day), default=0)
