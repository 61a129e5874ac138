"""From Prometheus to the history: one row a place and day, asked by days of the hub's time zone.

Each day is looked at every five minutes. Of these looks the 95th percentile, the largest and the mean are kept, and
which part of them saw a value: the coverage of the day. A value that is older than five minutes is none, as everywhere
in Prometheus. Negative values are none either: no meter draws them. A day without any look is not kept: a gap stays a
gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isfinite
from typing import Protocol
from zoneinfo import ZoneInfo

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import TargetUnreachable
from govhub.monitoring.forecast.days import Span, between, halves, spans
from govhub.monitoring.forecast.resources import LABELS, Part, Resource
from govhub.monitoring.forecast.store import History, Row
from govhub.monitoring.prometheus import Series, TooMuch

LOOKS = 12
"""Looks an hour."""
BEFORE = 0.001
"""A day ends this many seconds before the next begins, so that a look at midnight belongs to one of them."""
ASKED = {"p95": "quantile_over_time(0.95, {})", "max": "max_over_time({})", "mean": "avg_over_time({})"}
FAILURES = 3
COUNTED = "count_over_time({})"


class Ranges(Protocol):
    """Whoever answers range queries."""

    def ranges(self, queries: Mapping[str, str], start: float, end: float, step: float) -> dict[str, list[Series]]:
        """The series of queries by name, from ``start`` to ``end``, both included, in seconds since 1970.

        Raises:
            TargetUnreachable: there is no answer, or an error instead of one.
            TooMuch: fewer days may be answered.
        """


@dataclass(slots=True)
class Collected:
    """What a collection brought."""

    rows: int = 0
    days: set[date] = field(default_factory=set)
    asked: int = 0
    """Questions to Prometheus."""
    failed: int = 0
    """Groups of days that it did not answer for; the next collection asks again."""
    skipped: int = 0
    """Days of groups that the history holds already."""
    seen: set[str] = field(default_factory=set)
    """Resources of which there was any series."""
    problems: Diagnostics = field(default_factory=Diagnostics)

    @property
    def hopeless(self) -> bool:
        """Nothing answers: to wait for the time limit of every question would take hours."""
        return self.failed >= FAILURES and not self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to collect."""

    resources: tuple[Resource, ...]
    halls: tuple[str, ...]
    first: date
    last: date
    zone: ZoneInfo
    again: bool = False
    """Also days that the history holds."""
    now: int
    """Milliseconds since 1970, kept with each row."""


def collect(source: Ranges, history: History, wanted: Wanted) -> Collected:
    """Ask for the days that the history does not hold, and add them; hall by hall, so that answers stay small.

    What Prometheus does not answer is a problem and stays a gap.

    Raises:
        OSError: the history cannot be written.
    """
    out = Collected()
    for resource in wanted.resources:
        held = {} if wanted.again else history.days(resource.name)
        failed = out.failed
        for group in ("",) if resource.part is Part.TENANT else wanted.halls:
            # Tenants are one group of their own: the names that ``days`` sees there are theirs.
            had = set().union(*held.values()) if not group else held.get(group, set())
            missing = [day for day in between(wanted.first, wanted.last) if day not in had]
            out.skipped += len(between(wanted.first, wanted.last)) - len(missing)
            rows = _rows(source, resource, group, spans(missing, wanted.zone), wanted.now, out)
            out.rows += history.add(rows) if rows else 0
            out.days.update(row.day for row in rows)
            if out.hopeless:
                return out
        if not held and resource.name not in out.seen and failed == out.failed:
            _tell_absent(resource, wanted, out)
    return out


def _tell_absent(resource: Resource, wanted: Wanted, out: Collected) -> None:
    text = f"Prometheus holds nothing of {resource.metric} from {wanted.first} to {wanted.last}"
    hint = "does it scrape govhub, and has it loaded the recording rules? (govhub capacity rules)"
    out.problems.note("FOR017", text, address=resource.name, hint=hint)


def _rows(source: Ranges, resource: Resource, group: str, asked: Iterable[Span], now: int, out: Collected) -> list[Row]:
    rows: list[Row] = []
    waiting = list(asked)
    while waiting:
        span = waiting.pop(0)
        try:
            rows += _span(source, resource, group, span, now, out)
        except TargetUnreachable as error:
            if isinstance(error, TooMuch) and len(span.days) > 1:
                waiting[:0] = halves(span)
                continue
            out.failed += 1
            about = f"{resource.name} {group} {span.days[0]} – {span.days[-1]}".replace("  ", " ")
            hint = "collect again when it answers; until then these days are unknown"
            why = error.diagnostics[0].summary
            out.problems.warning("FOR005", f"there is no answer for {about}: {why}", hint=hint)
            if out.hopeless:
                break
    return rows


def _span(source: Ranges, resource: Resource, group: str, span: Span, now: int, out: Collected) -> list[Row]:
    site, _, hall = group.partition("/")
    window = f"({resource.selector(site, hall)} >= 0)[{span.hours}h:{60 // LOOKS}m]"
    length = span.hours * 3600.0

    def ask(functions: Mapping[str, str]) -> dict[str, dict[tuple[str, date], float]]:
        out.asked += len(functions)
        queries = {name: function.format(window) for name, function in functions.items()}
        found = source.ranges(queries, span.first_end - BEFORE, span.last_end - BEFORE, length)
        return {name: _by_place(series, resource, span, out) for name, series in found.items()}

    counts = ask({"count": COUNTED})["count"]
    if not counts:
        return []
    values = ask(ASKED)
    rows = []
    for (place, day), count in sorted(counts.items()):
        told = {name: found.get((place, day)) for name, found in values.items()}
        numbers = {name: value for name, value in told.items() if value is not None and isfinite(value)}
        if len(numbers) == len(told):
            coverage = min(count / (span.hours * LOOKS), 1.0)
            rows.append(Row(day=day, metric=resource.name, place=place, coverage=coverage, collected=now, **numbers))
    return rows


def _by_place(found: Iterable[Series], resource: Resource, span: Span, out: Collected) -> dict[tuple[str, date], float]:
    """Values by address and day; two series of one place contradict each other, and are unknown."""
    series: dict[str, list[Series]] = {}
    for item in found:
        out.seen.add(resource.name)
        if place := _address(item.labels, resource.part):
            series.setdefault(place, []).append(item)
    twice = sorted(place for place, items in series.items() if len(items) > 1)
    if twice:
        text = f"{len(twice)} places have several series of {resource.metric}, such as {twice[0]}: they are unknown"
        known = {item.summary for item in out.problems}
        if text not in known:
            out.problems.warning("FOR006", text, hint="aggregate what differs between them away in a recording rule")
    values: dict[tuple[str, date], float] = {}
    for place, items in series.items():
        if len(items) == 1:
            for moment, value in items[0].points:
                number = round((moment + BEFORE - span.first_end) / (span.hours * 3600))
                if 0 <= number < len(span.days):
                    values[place, span.days[number]] = value
    return values


def _address(labels: Mapping[str, str], part: Part) -> str:
    names = [labels.get(name, "") for name in LABELS[part]]
    return "/".join(names) if all(names) else ""


def first_day(history: History, resources: Iterable[Resource], last: date, back: int) -> date:
    """Where a collection begins that names no day: ``back`` days before ``last``, or after the last day that is held.

    Gaps since then are asked again: Prometheus may have been filled meanwhile.
    """
    held = [max(days) for item in resources for days in history.days(item.name).values() if days]
    begin = last - timedelta(days=back - 1)
    return min(begin, max(held) + timedelta(days=1)) if held else begin
