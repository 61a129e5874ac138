"""Days of the hub's time zone: when they begin and end, and which have passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOST = 14
"""Days that one question is about: Prometheus looks at them one by one, and stops a question that takes two minutes."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days that follow each other and are equally long."""

    days: tuple[date, ...]
    hours: int
    """Length of each: 24, and in some zones 23 or 25 on two days of the year."""
    first_end: float
    """Seconds since 1970 at which the first day ends."""

    @property
    def last_end(self) -> float:
        """Seconds since 1970 at which the last day ends."""
        return self.first_end + (len(self.days) - 1) * self.hours * 3600


def halves(span: Span) -> tuple[Span, Span]:
    """The first and the second half of the days of a span of at least two."""
    cut = len(span.days) // 2
    begins = span.first_end + cut * span.hours * 3600
    return Span(span.days[:cut], span.hours, span.first_end), Span(span.days[cut:], span.hours, begins)


def ends(day: date, zone: ZoneInfo) -> float:
    """The end of a day in seconds since 1970."""
    return datetime.combine(day + timedelta(days=1), time(), zone).timestamp()


def spans(days: Iterable[date], zone: ZoneInfo) -> Iterator[Span]:
    """The days as few spans, the earliest first."""
    run: list[date] = []
    for day in sorted(set(days)):
        follows = run and day - run[-1] == timedelta(days=1) and _hours(day, zone) == _hours(run[-1], zone)
        if run and not (follows and len(run) < MOST):
            yield _span(run, zone)
            run = []
        run.append(day)
    if run:
        yield _span(run, zone)


def between(first: date, last: date) -> list[date]:
    """All days from the first to the last; none when they are the wrong way round."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _span(days: list[date], zone: ZoneInfo) -> Span:
    return Span(tuple(days), _hours(days[0], zone), ends(days[0], zone))


def _hours(day: date, zone: ZoneInfo) -> int:
    return round((ends(day, zone) - ends(day - timedelta(days=1), zone)) / 3600)


def month_end(month: str) -> date:
    """The last day of a month that is written YYYY-MM."""
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)
