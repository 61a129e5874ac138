"""A robust line through daily values, for many series at once.

Days are taken together in blocks of a week where there are eight weeks or more: the median of each block's known days
stands at the median of these days, so that a line stays exactly that line. The slope is the median of the slopes of all
pairs of blocks whose distance is whole weeks. With blocks of a week these are all pairs: the estimator of Theil (1950)
and Sen (1968), "Estimates of the regression coefficient based on Kendall's tau", JASA 63. With single days it is the
seasonal form of Hirsch, Slack and Smith (1982), "Techniques of trend analysis for monthly water quality data", Water
Resources Research 18, with the day of the week as the season: what repeats every week cancels out.

*Breakdown point*: the median of slopes holds while fewer than half of the pairs are touched by a wrong value, which is
while fewer than 1 - 1/sqrt(2) = 29.3 % of the values are wrong (Rousseeuw and Leroy 1987, "Robust Regression and
Outlier Detection", ch. 3). An outage of whole weeks counts like that; with blocks of a week, days that are chosen to do
harm (four of each week) do it from 16.7 %.

*Interval of the slope*: Sen's order statistics of the same slopes, from the variance of Kendall's S; what follows
itself from week to week counts for less, as in Yue and Wang (2004), Water Resources Management 18: the variance is
multiplied by (1 + r) / (1 - r), with r the correlation of neighbouring blocks' residuals, kept within 0 and 0.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govhub.monitoring.arithmetic.figure import Floats, Ints

WEEK = 7
WEEKS_FOR_BLOCKS = 8
LEVEL_DAYS = 56
"""The level of today is the median distance of the last so many days from the line's direction: steps show quickly."""
Z = 1.2815515655446004
"""The normal quantile of 0.9: intervals reach from the tenth to the ninetieth percentile."""
BREAKDOWN = 1 - 0.5**0.5
_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Lines:
    """One line a series; NaN where there is none. Day 0 is the last day of the history."""

    slope: Floats
    """Units a day."""
    low: Floats
    """The slope's tenth percentile."""
    high: Floats
    level: Floats
    """The line's value on day 0."""
    below: Floats
    """Tenth percentile of the daily values' distance from the line; not above 0."""
    above: Floats
    days: Ints
    """Known days that stand behind it."""

    def at(self, rows: Ints) -> Lines:
        """The lines of some of the series."""
        parts = (self.slope, self.low, self.high, self.level, self.below, self.above)
        slope, low, high, level, below, above = (part[rows] for part in parts)
        return Lines(slope, low, high, level, below, above, self.days[rows])


def fit(values: Floats) -> Lines:
    """Lines through daily values.

    Args:
        values: shape ``(series, days)``, the last column is the last day; NaN where unknown.
    """
    count = len(values)
    out = np.full((6, count), np.nan)
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        out[:, rows] = _fit(np.ascontiguousarray(values[rows], dtype=np.float64))
    days = np.count_nonzero(~np.isnan(values), axis=1).astype(np.int64)
    return Lines(out[0], out[1], out[2], out[3], out[4], out[5], days)


def _fit(values: Floats) -> Floats:
    block = WEEK if values.shape[1] >= WEEK * WEEKS_FOR_BLOCKS else 1
    x, y = blocks(values, block)
    lag = WEEK // block
    slopes, pairs = _slopes(x, y, lag)
    slope = _at(slopes, pairs, (pairs - 1) / 2)
    reach = Z * np.sqrt(_kendall(y, lag) * _inflation(y - slope[:, None] * x)) / 2
    # Sen's bounds: the slopes that far from the middle one.
    low = _at(slopes, pairs, np.clip((pairs - 1) / 2 - reach, 0, None))
    high = _at(slopes, pairs, np.minimum((pairs - 1) / 2 + reach, np.maximum(pairs - 1, 0)))
    days = np.arange(1 - values.shape[1], 1, dtype=np.float64)
    away = values - slope[:, None] * days
    level = median(away[:, -LEVEL_DAYS:])
    level = np.where(np.isnan(level), median(away), level)
    spread = np.sort(away - level[:, None], axis=1)
    known = np.count_nonzero(~np.isnan(spread), axis=1)
    below = np.minimum(_at(spread, known, (known - 1) * 0.1), 0.0)
    above = np.maximum(_at(spread, known, (known - 1) * 0.9), 0.0)
    return np.stack([slope, low, high, level, below, above])


def blocks(values: Floats, size: int) -> tuple[Floats, Floats]:
    """Medians of blocks of ``size`` days, counted from the last day; shape ``(series, blocks)`` each.

    What does not fill a block at the beginning is left out. A block needs half of its days.

    Returns:
        Days (0 is the last) and values.
    """
    if size == 1:
        days = np.broadcast_to(np.arange(1 - values.shape[1], 1, dtype=np.float64), values.shape)
        return np.where(np.isnan(values), np.nan, days), values
    number = values.shape[1] // size
    cut = values[:, values.shape[1] - number * size :].reshape(len(values), number, size)
    known = ~np.isnan(cut)
    days = np.arange(1 - number * size, 1, dtype=np.float64).reshape(number, size)
    enough = known.sum(axis=2) * 2 >= size
    y = np.where(enough, median(cut), np.nan)
    if known.all():
        return np.broadcast_to(np.median(days, axis=1), y.shape), y
    x = median(np.where(known, days, np.nan))
    return np.where(enough, x, np.nan), y


def median(values: Floats) -> Floats:
    """Medians along the last axis, unknown ones left out; NaN where nothing is known."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)
    known = np.count_nonzero(~np.isnan(values), axis=-1)
    return _at(ordered, known, (known - 1) / 2)


def _slopes(x: Floats, y: Floats, lag: int) -> tuple[NDArray[np.float32], Ints]:
    """Slopes of the pairs whose distance is a multiple of ``lag`` blocks, sorted with unknown ones last; their count.

    Slopes are rounded to seven digits: a thousand of them a series are sorted four times as fast.
    """
    number = y.shape[1]
    first, second = (np.concatenate(side) for side in _pairs(number, lag))
    with np.errstate(invalid="ignore"):
        slopes = ((y[:, second] - y[:, first]) / (x[:, second] - x[:, first])).astype(np.float32)
    slopes.sort(axis=1)
    return slopes, np.count_nonzero(~np.isnan(slopes), axis=1).astype(np.int64)


def _pairs(number: int, lag: int) -> tuple[list[Ints], list[Ints]]:
    gaps = range(lag, number, lag)
    none = np.zeros(0, dtype=np.int64)
    firsts = [np.arange(number - gap, dtype=np.int64) for gap in gaps]
    return [none, *firsts], [none, *(first + gap for first, gap in zip(firsts, gaps, strict=True))]


def _kendall(y: Floats, lag: int) -> Floats:
    """Variance of Kendall's S, season by season (Hirsch et al. 1982, without ties)."""
    out = np.zeros(len(y))
    for season in range(lag):
        m = np.count_nonzero(~np.isnan(y[:, season::lag]), axis=1).astype(np.float64)
        out += m * (m - 1) * (2 * m + 5) / 18
    return out


def _inflation(residuals: Floats) -> Floats:
    """How much more uncertain values are that follow each other (Yue and Wang 2004)."""
    away = residuals - median(residuals)[:, None]
    both = ~np.isnan(away[:, 1:]) & ~np.isnan(away[:, :-1])
    away = np.nan_to_num(away)
    together = (away[:, 1:] * away[:, :-1] * both).sum(axis=1)
    alone = (away * away).sum(axis=1)
    # A line without any residual is as certain as it gets.
    tiny = alone <= 1e-18
    r = np.clip(np.where(tiny, 0.0, together / np.where(tiny, 1.0, alone)), 0.0, 0.8)
    inflated: Floats = (1 + r) / (1 - r)
    return inflated


def _at(ordered: NDArray[np.floating], known: NDArray[np.integer], place: Floats) -> Floats:
    """The value at a fractional ``place`` among the first ``known`` of each sorted row; NaN where there is none."""
    if not ordered.shape[-1]:
        return np.full(ordered.shape[:-1], np.nan)
    place = np.where(known > 0, place, 0.0)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, np.maximum(known - 1, 0))
    part = place - lower
    left = np.take_along_axis(ordered, lower[..., None], axis=-1)[..., 0].astype(np.float64)
    right = np.take_along_axis(ordered, upper[..., None], axis=-1)[..., 0].astype(np.float64)
    with np.errstate(invalid="ignore"):
        out = np.where(part > 0, left + part * (right - left), left)
    found: Floats = np.where(known > 0, out, np.nan)
    return found
