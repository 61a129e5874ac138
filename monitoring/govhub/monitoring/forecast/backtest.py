"""How wrong the forecast would have been: drawn again from earlier days, and held against what came.

Rolling origin (Tashman 2000, International Journal of Forecasting 16): from each of three earlier days, four weeks
apart, the line through the days before is held against the four weeks after. The error is the mean absolute scaled
error (MASE) of Hyndman and Koehler (2006), "Another look at measures of forecast accuracy", same journal 22: the mean
absolute error divided by that of saying "as on the same day of last week" within the days before. It is defined where
values are zero, which percentage errors are not; below 1 the forecast beats last week. Where every week was like the
last one, any error is infinitely worse than none: then it is 0 if nothing was missed, and unknown otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats, Ints
from govhub.monitoring.forecast.robust import WEEK, fit

AHEAD = 4 * WEEK
ORIGINS = 3
BEFORE = 4 * WEEK
"""Known days that an origin needs before it."""


@dataclass(frozen=True, slots=True)
class Errors:
    """One entry a series; NaN where no origin had enough days."""

    mase: Floats
    within: Floats
    """Which part of the days that came lay between the forecast's p10 and p90; 0.8 is what they promise."""
    origins: Ints


def backtest(values: Floats) -> Errors:
    """The errors of the robust line.

    Args:
        values: shape ``(series, days)``; NaN where unknown.
    """
    errors, hits, count = (np.zeros(len(values)) for _ in range(3))
    for number in range(1, ORIGINS + 1):
        at = values.shape[1] - number * AHEAD
        if at < BEFORE:
            break
        mase, within = _origin(values[:, :at], values[:, at : at + AHEAD])
        told = ~np.isnan(mase)
        errors += np.where(told, mase, 0)
        hits += np.where(told, within, 0)
        count += told
    with np.errstate(invalid="ignore", divide="ignore"):
        return Errors(
            errors / np.where(count, count, np.nan), hits / np.where(count, count, np.nan), count.astype(np.int64)
        )


def scored(before: Floats, after: Floats, lower: Floats, middle: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """MASE, and the part within the interval, of one forecast from one origin.

    Args:
        before: the days before the origin; shape ``(series, days)``, NaN where unknown.
        after: the days that came.
        lower: the forecast's tenth percentile for these, of the same shape.
        middle: its middle.
        upper: its ninetieth percentile.
    """
    error = _mean(np.abs(after - middle))
    scale = _mean(np.abs(before[:, WEEK:] - before[:, :-WEEK]))
    tiny = 1e-9 * np.maximum(np.abs(middle[:, 0]), 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mase = np.where(scale > tiny, error / scale, np.where(error <= tiny, 0.0, np.nan))
    known = ~np.isnan(after)
    inside = (after >= lower - tiny[:, None]) & (after <= upper + tiny[:, None])
    within = np.where(known.any(axis=1), inside.sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)
    enough = (np.count_nonzero(~np.isnan(before), axis=1) >= BEFORE) & ~np.isnan(error)
    return np.where(enough, mase, np.nan), within


def _origin(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    lines = fit(before)
    ahead = np.arange(1, after.shape[1] + 1, dtype=np.float64)
    middle = lines.level[:, None] + lines.slope[:, None] * ahead
    lower = (lines.level + lines.below)[:, None] + lines.low[:, None] * ahead
    upper = (lines.level + lines.above)[:, None] + lines.high[:, None] * ahead
    return scored(before, after, lower, middle, upper)


def _mean(values: Floats) -> Floats:
    known = np.count_nonzero(~np.isnan(values), axis=1)
    mean: Floats = np.where(known > 0, np.nansum(values, axis=1) / np.maximum(known, 1), np.nan)
    return mean
