"""From a hub and its history to what runs out when, and what to order by when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import ceil
from typing import Any

import numpy as np

from govhub.core.diagnostics import Diagnostics
from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.backtest import Errors, backtest
from govhub.monitoring.forecast.exhaustion import STATUSES, Exhaustion, Status, exhaustion
from govhub.monitoring.forecast.limits import Parts, parts_of
from govhub.monitoring.forecast.resources import RESOURCES, Part, Resource
from govhub.monitoring.forecast.robust import WEEK, Lines, blocks, fit
from govhub.monitoring.forecast.rollups import Place, sums
from govhub.monitoring.forecast.store import History, Matrix

WINDOW = 365
"""Days that a line is drawn through at most: what is older says little about the next order."""
HORIZON = 540
"""Days ahead that are asked for unless told otherwise: the longest lead time and the budget of the year after."""
STALE = 7
TESTED = 200
"""Racks that get a back-test of their own, the first to run out first."""
ROBUST = "robust"
PICTURED = ("hub", "site", "hall", "tenant")
QUANTILES = ("p10", "p50", "p90")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One resource of one place."""

    resource: str
    unit: str
    level: str
    place: str
    status: Status
    value: float | None
    """The line's value on the day the forecast is of."""
    limit: float | None
    slope: tuple[float | None, float | None, float | None]
    """Units a day: p10, p50, p90."""
    days: int
    """Known days that stand behind it."""
    known: int
    parts: int
    exhaustion: tuple[date | None, date | None, date | None]
    """p10, p50, p90; None beyond what is said."""
    until: date | None
    """The last day that anything is said about."""
    lead_days: int
    mase: float | None = None
    within: float | None = None
    origins: int = 0
    model: str = ROBUST
    spread: tuple[float | None, float | None] = (None, None)
    """Tenth and ninetieth percentile of the daily values' distance from the line."""
    values: Floats | None = field(default=None, compare=False, repr=False)
    """Daily values, the last of the day that the forecast is of."""

    @property
    def order_by(self) -> date | None:
        """The day by which to order: the middle of the exhaustion less the lead time; it may have passed."""
        return _before(self.exhaustion[1], self.lead_days)

    @property
    def order_by_early(self) -> date | None:
        """The same for the early end of the exhaustion: who orders then is late one time in ten."""
        return _before(self.exhaustion[0], self.lead_days)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        days = dict(zip(QUANTILES, map(_iso, self.exhaustion), strict=True))
        slopes = dict(zip(QUANTILES, (_number(item, 6) for item in self.slope), strict=True))
        return {
            "resource": self.resource,
            "unit": self.unit,
            "level": self.level,
            "place": self.place,
            "status": self.status.value,
            "value": _number(self.value),
            "limit": _number(self.limit),
            "slope_per_day": slopes,
            "history_days": self.days,
            "coverage": {"known": self.known, "of": self.parts},
            "exhaustion": days,
            "until": _iso(self.until),
            "lead_days": self.lead_days,
            "order_by": _iso(self.order_by),
            "order_by_early": _iso(self.order_by_early),
            "backtest": {
                "mase": _number(self.mase, 4),
                "within_p10_p90": _number(self.within, 4),
                "origins": self.origins,
            },
            "model": self.model,
        } | self._fan()

    def _fan(self) -> dict[str, Any]:
        """What a picture of it needs: medians of weeks, the last one ending on the day the forecast is of.

        Edges of the fan at ``d`` days ahead are ``value + spread + slope × d``, each with its percentile.
        """
        if self.values is None or self.level not in PICTURED:
            return {}
        spread = dict(zip(("p10", "p90"), (_number(item) for item in self.spread), strict=True))
        weeks = blocks(self.values[None], WEEK)[1][0] if len(self.values) >= WEEK else np.zeros(0)
        return {"spread": spread, "weeks": [_number(_known(value)) for value in weeks]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlooks:
    """A forecast of a hub or a place."""

    as_of: date | None
    """The last day of the history; dates are counted from it."""
    horizon: int
    places: list[Outlook]
    racks: list[Outlook]
    """Racks that are full or run out, the first to do so first; all racks of a row."""
    counts: dict[str, dict[str, int]]
    """Racks by resource and status."""
    problems: Diagnostics


def forecast(
    columns: Columns,
    history: History,
    today: date,
    *,
    place: str = "",
    resources: Sequence[str] = (),
    horizon: int = HORIZON,
    window: int = WINDOW,
) -> Outlooks:
    """What runs out when, of the hub or of a place.

    Args:
        columns: of the hub.
        history: its measurements by days.
        today: later days of the history are left out, and a problem.
        place: a site, ``site/hall``, ``site/hall/row`` or a rack; all for the empty string.
        resources: names of ``RESOURCES``; all for none.
        horizon: days ahead that are asked for.
        window: days that lines are drawn through at most.
    """
    chosen = [RESOURCES[name] for name in resources or RESOURCES]
    as_of = max((day for item in chosen if (day := _last(history, item.name, today))), default=None)
    problems = Diagnostics()
    _tell(history, chosen, as_of, today, problems)
    out = Outlooks(as_of=as_of, horizon=horizon, places=[], racks=[], counts={}, problems=problems)
    for resource in chosen:
        parts = parts_of(columns, resource, place)
        if not parts.addresses:
            continue
        lead = int(getattr(columns.model.lead_times, resource.lead))
        matrix = _trimmed(history.matrix(resource.name, parts.addresses, as_of, window)) if as_of else None
        made = _Maker(resource, lead, as_of, horizon)
        out.places.extend(made.places(parts, matrix))
        if resource.part is Part.RACK and matrix is not None:
            racks, counts = made.racks(parts, matrix, everything=place.count("/") >= 2)
            out.racks.extend(racks)
            out.counts[resource.name] = counts
    problems.extend(history.problems)
    return replace(out, racks=sorted(out.racks, key=_first))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the outlooks of one resource."""

    resource: Resource
    lead: int
    as_of: date | None
    horizon: int

    def places(self, parts: Parts, matrix: Matrix | None) -> Iterator[Outlook]:
        """Sums, each with its back-test."""
        if matrix is None or self.as_of is None:
            yield from (self._nothing(place) for place in parts.places)
            return
        found = sums(matrix.p95, parts.shared, parts.places)
        values = np.stack([item.values for item in found]) if found else np.zeros((0, 0))
        limits = np.array([item.limit for item in found])
        coverage = np.array([item.known / len(item.place.parts) for item in found])
        names = [item.place for item in found]
        known = [item.known for item in found]
        yield from self._outlooks(names, known, values, limits, coverage, backtest(values), fit(values))

    def racks(self, parts: Parts, matrix: Matrix, *, everything: bool) -> tuple[list[Outlook], dict[str, int]]:
        """Racks by themselves, and how many have which status."""
        lines = fit(matrix.p95)
        ends = exhaustion(lines, parts.own, np.ones(len(parts.own)), self.horizon)
        counts = Counter(STATUSES[number].value for number in ends.status)
        full, runs_out = STATUSES.index(Status.FULL), STATUSES.index(Status.RUNS_OUT)
        chosen = np.arange(len(ends.status)) if everything else np.flatnonzero(np.isin(ends.status, (full, runs_out)))
        chosen = chosen[np.argsort(np.nan_to_num(ends.p50[chosen], nan=np.inf), kind="stable")]
        first, others = chosen[:TESTED], chosen[TESTED:]
        out: list[Outlook] = []
        for at, errors in ((first, backtest(matrix.p95[first])), (others, None)):
            places = [Place("rack", parts.addresses[number], (0,)) for number in at]
            known = [int(lines.days[number] > 0) for number in at]
            values = matrix.p95[at]
            out += self._outlooks(places, known, values, parts.own[at], np.ones(len(at)), errors, lines.at(at))
        return out, dict(sorted(counts.items()))

    def _outlooks(
        self,
        places: Sequence[Place],
        known: Sequence[int],
        values: Floats,
        limits: Floats,
        coverage: Floats,
        errors: Errors | None,
        lines: Lines,
    ) -> Iterator[Outlook]:
        ends = exhaustion(lines, limits, coverage, self.horizon)
        for number, place in enumerate(places):
            yield self._outlook(number, place, known[number], values[number], limits, lines, ends, errors)

    def _outlook(
        self,
        at: int,
        place: Place,
        known: int,
        values: Floats,
        limits: Floats,
        lines: Lines,
        ends: Exhaustion,
        errors: Errors | None,
    ) -> Outlook:
        assert self.as_of is not None
        reach = int(ends.reach[at])
        return Outlook(
            resource=self.resource.name,
            unit=self.resource.unit,
            level=place.level,
            place=place.address,
            status=STATUSES[int(ends.status[at])],
            value=_known(lines.level[at]),
            limit=_known(limits[at]),
            slope=(_known(lines.low[at]), _known(lines.slope[at]), _known(lines.high[at])),
            days=int(lines.days[at]),
            known=known,
            parts=len(place.parts),
            exhaustion=(
                day_after(self.as_of, ends.p10[at]),
                day_after(self.as_of, ends.p50[at]),
                day_after(self.as_of, ends.p90[at]),
            ),
            until=self.as_of + timedelta(days=reach) if reach else None,
            lead_days=self.lead,
            mase=_known(errors.mase[at]) if errors else None,
            within=_known(errors.within[at]) if errors else None,
            spread=(_known(lines.below[at]), _known(lines.above[at])),
            origins=int(errors.origins[at]) if errors else 0,
            values=values,
        )

    def _nothing(self, place: Place) -> Outlook:
        nothing = (None, None, None)
        return Outlook(
            resource=self.resource.name,
            unit=self.resource.unit,
            level=place.level,
            place=place.address,
            status=Status.UNKNOWN,
            value=None,
            limit=None,
            slope=nothing,
            days=0,
            known=0,
            parts=len(place.parts),
            exhaustion=nothing,
            until=None,
            lead_days=self.lead,
        )


def _tell(history: History, chosen: Sequence[Resource], as_of: date | None, today: date, problems: Diagnostics) -> None:
    """What a reader has to know about the history as a whole."""
    late = {item.name: days for item in chosen if (days := history.days_after(item.name, today))}
    for name, days in late.items():
        text = f"the history of {name} holds {days} days after {today.isoformat()}: they are left out"
        problems.warning("FOR003", text, hint="the clock of this machine, or of the one that collected, is wrong")
    negative = {item.name: rows for item in chosen if (rows := history.impossible(item.name))}
    for name, rows in negative.items():
        text = f"{rows} values in the history of {name} are negative or no numbers: they are unknown"
        problems.warning("FOR004", text, hint="look at the meters; collect those days again, or import corrected ones")
    if as_of is None:
        hint = "govhub capacity history collect HUB --prometheus URL"
        problems.note("FOR009", "there is no history yet, so nothing can be said", hint=hint)
    elif (today - as_of).days > STALE:
        text = f"the history ends on {as_of.isoformat()}, {(today - as_of).days} days ago: dates are counted from there"
        problems.warning("FOR014", text, hint="collect every day, from a timer")


def _last(history: History, metric: str, today: date) -> date | None:
    return history.last_day(metric, today)


def _trimmed(matrix: Matrix) -> Matrix:
    """Without the days before anything was known."""
    known = (~np.isnan(matrix.p95)).any(axis=0)
    first = int(np.argmax(known)) if known.any() else 0
    return Matrix(matrix.places, matrix.last, matrix.p95[:, first:])


def _first(item: Outlook) -> tuple[date, str, str]:
    return (item.exhaustion[1] or date.max, item.place, item.resource)


def day_after(start: date, days: float) -> date | None:
    """The day on which so many days have passed since ``start``, parts of a day being a day; None for NaN.

    A minute is no day: slopes are rounded to seven digits.
    """
    return None if np.isnan(days) else start + timedelta(days=ceil(days - 1e-3))


def _before(day: date | None, days: int) -> date | None:
    return day - timedelta(days=days) if day else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _number(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
