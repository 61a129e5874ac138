"""Statutory holidays: as the State Council published them, else the days that the law itself names.

The only importer of ``chinese_calendar`` and ``holidays``. Each November the State Council publishes which days around
the holidays of the next year are free and which weekends are worked instead. ``chinese_calendar`` knows these notices
and ends with the last one. For later years ``holidays`` computes the days of the law, also the lunar ones; which
neighbouring days and weekends are exchanged is not known then, and a plan that reaches there says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class DayKind:
    """What is known of a day."""

    published: bool
    """Whether the notice for its year is known; if not, ``makeup`` is."""
    holiday: str = ""
    """The holiday that it belongs to; an ordinary weekend belongs to none."""
    makeup: bool = False
    """A Saturday or Sunday on which people work, in exchange for a day of a holiday."""


@lru_cache(maxsize=16384)
def kind_of(day: date) -> DayKind:
    """What is known of ``day``."""
    from chinese_calendar import get_holiday_detail

    try:
        off, name = get_holiday_detail(day)
    except NotImplementedError:
        return DayKind(published=False, holiday=_by_law(day.year).get(day, ""))
    if off:
        return DayKind(published=True, holiday=name or "")
    return DayKind(published=True, makeup=day.weekday() >= 5)


def unpublished(first: date, last: date) -> int | None:
    """The first year between the two days whose notice is not known; None when all are."""
    for year in range(first.year, last.year + 1):
        if not kind_of(date(year, 10, 1)).published:
            return year
    return None


@lru_cache(maxsize=64)
def _by_law(year: int) -> dict[date, str]:
    from holidays import country_holidays

    return dict(country_holidays("CN", years=year))
