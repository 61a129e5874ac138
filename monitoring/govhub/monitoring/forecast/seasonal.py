"""A weekly pattern with intervals by statsforecast, which is an extra: ``govhub[forecast]``.

Exponential smoothing with additive trend and additive season of seven days, error and damping chosen by AICc (Hyndman
et al. 2002, "A state space framework for automatic forecasting using exponential smoothing methods", International
Journal of Forecasting 18). Its 80 % interval gives the tenth and ninetieth percentile. It is not robust: one long
outage bends it, which is why the robust line is the default and this one is for sums only.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from govhub.core.diagnostics import Diagnostics
from govhub.monitoring.arithmetic.figure import Bools, Floats
from govhub.monitoring.forecast.backtest import AHEAD, BEFORE, ORIGINS, scored
from govhub.monitoring.forecast.exhaustion import Status
from govhub.monitoring.forecast.outlook import Outlook, Outlooks, day_after
from govhub.monitoring.forecast.robust import WEEK

LEVEL = 80
MODEL = "ets-weekly"
MIN_DAYS = 8 * WEEK
"""Known days that a weekly pattern needs."""


SUMS = ("hub", "site", "hall", "tenant")


@dataclass(frozen=True, slots=True)
class Path:
    """Daily values ahead, the first is the day after the history."""

    lower: Floats
    middle: Floats
    upper: Floats


def installed() -> bool:
    """Whether the extra is there."""
    try:
        import statsforecast  # noqa: F401 -- only whether it is there
    except ImportError:
        return False
    return True


def paths(values: Floats, ahead: int) -> Path | None:
    """The days ahead of one series; None when it has too few known days, or the model finds nothing.

    Args:
        values: daily values, NaN where unknown: these are taken from the line between their neighbours.
        ahead: days.
    """
    from statsforecast.models import AutoETS

    known = ~np.isnan(values)
    if np.count_nonzero(known) < MIN_DAYS or ahead < 1:
        return None
    whole = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    model = AutoETS(season_length=WEEK, model="ZAA")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = model.forecast(y=whole, h=ahead, level=[LEVEL])
    except (ValueError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError):
        return None
    names = (f"lo-{LEVEL}", "mean", f"hi-{LEVEL}")
    lower, middle, upper = (np.asarray(found[name], dtype=np.float64) for name in names)
    return Path(lower, middle, upper) if np.isfinite(middle).all() else None


def first_at(path: Floats, limit: float) -> float:
    """Days until a path is at its limit, 1 being its first; NaN when it never is."""
    met: Bools = path >= limit
    return float(np.argmax(met)) + 1 if met.any() else float("nan")


def seasonal(found: Outlooks) -> Outlooks:
    """The same outlooks with the weekly model where there is enough history; a note says when the extra is missing.

    Rows and racks keep the robust line: their load is moved by hand, and no week of theirs is like the last.
    """
    if not installed():
        problems = Diagnostics([*found.problems])
        text = "the seasonal model is not installed: these are robust lines"
        problems.note("FOR015", text, hint="pip install 'govhub[forecast]'")
        return replace(found, problems=problems)
    if found.as_of is None:
        return found
    return replace(found, places=[_seasonal(item, found.as_of) for item in found.places])


def _seasonal(item: Outlook, as_of: date) -> Outlook:
    told = (Status.RUNS_OUT, Status.HOLDS, Status.TOO_FEW_DAYS)
    if item.level not in SUMS or item.status not in told or item.values is None or not item.until or not item.limit:
        return item
    path = paths(item.values, (item.until - as_of).days)
    if path is None:
        return item
    early, middle, late = (first_at(edge, item.limit) for edge in (path.upper, path.middle, path.lower))
    # What the robust line refuses to say beyond its reach, this one is not asked either.
    beyond = item.status if item.status is not Status.RUNS_OUT else Status.HOLDS
    days = (day_after(as_of, early), day_after(as_of, middle), day_after(as_of, late))
    errors = [error for error in _backtest(item.values) if error is not None]
    return replace(
        item,
        status=beyond if np.isnan(middle) else Status.RUNS_OUT,
        exhaustion=days if beyond is Status.HOLDS or not np.isnan(middle) else (None, None, None),
        model=MODEL,
        mase=_average([error for error, _ in errors]),
        within=_average([within for _, within in errors]),
        origins=len(errors),
    )


def _backtest(values: Floats) -> Iterator[tuple[float, float] | None]:
    for number in range(1, ORIGINS + 1):
        at = len(values) - number * AHEAD
        if at < BEFORE:
            return
        path = paths(values[:at], AHEAD)
        if path is None:
            continue
        ahead = (path.lower[None], path.middle[None], path.upper[None])
        mase, within = scored(values[None, :at], values[None, at : at + AHEAD], *ahead)
        yield None if np.isnan(mase[0]) else (float(mase[0]), float(within[0]))


def _average(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
