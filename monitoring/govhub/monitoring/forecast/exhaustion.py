"""When a line meets its limit, how sure that is, and when history says nothing.

The middle of the forecast is the line: ``level + slope × days``. Its tenth and ninetieth percentile take the slope's
and add the same percentile of the daily values' distance from the line; both together are wider than either, which the
back-test measures. So p10 of the exhaustion is where the upper edge meets the limit, p90 where the lower one does.

A line is not drawn further than ``REACH`` times the known days behind it, and not at all through fewer than
``MIN_DAYS``: history of a month says nothing of next year.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats, Ints
from govhub.monitoring.forecast.robust import Lines

REACH = 2
MIN_DAYS = 28
MIN_PARTS = 0.5


class Status(StrEnum):
    """What can be said of a resource."""

    FULL = "full"
    """It is at its limit."""
    RUNS_OUT = "runs-out"
    """There is a day."""
    HOLDS = "holds"
    """It does not run out as far as history reaches, or as was asked."""
    TOO_FEW_DAYS = "not-enough-days"
    """It does not run out as far as history reaches, which is less than was asked; or there is hardly any history."""
    TOO_FEW_PARTS = "not-enough-parts"
    """Of less than half of its parts both the history and the limit are known."""
    UNKNOWN = "unknown"
    """There is no history or no limit."""


STATUSES = tuple(Status)
TOLD = (Status.FULL, Status.RUNS_OUT, Status.HOLDS)
"""Of these something is said of the days ahead; with the others nothing is known."""


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """Days from the last day of the history, one entry a series; NaN: not within reach."""

    p10: Floats
    p50: Floats
    p90: Floats
    reach: Ints
    """How many days ahead is said anything."""
    status: Ints
    """Place in ``STATUSES``."""


def exhaustion(lines: Lines, limits: Floats, coverage: Floats, horizon: int) -> Exhaustion:
    """When each line meets its limit.

    Args:
        lines: of the series.
        limits: in their unit; NaN where unknown.
        coverage: the known part of each one's parts, 0 to 1.
        horizon: days ahead that are asked for.
    """
    reach = np.minimum(horizon, REACH * lines.days).astype(np.int64)
    drawn = (lines.days >= MIN_DAYS) & ~np.isnan(lines.slope)
    early = _meets(lines.level + lines.above, lines.high, limits)
    middle = _meets(lines.level, lines.slope, limits)
    late = _meets(lines.level + lines.below, lines.low, limits)
    edges = [np.where(drawn & (days <= reach), days, np.nan) for days in (early, middle, late)]
    nothing = (lines.days == 0) | np.isnan(limits)
    flat = lines.slope <= 0
    conditions = (
        (nothing, Status.UNKNOWN),
        (coverage < MIN_PARTS, Status.TOO_FEW_PARTS),
        (~drawn, Status.TOO_FEW_DAYS),
        (lines.level >= limits, Status.FULL),
        (~np.isnan(edges[1]), Status.RUNS_OUT),
        ((reach >= horizon) | flat, Status.HOLDS),
    )
    status = np.select(
        [condition for condition, _ in conditions],
        [STATUSES.index(name) for _, name in conditions],
        STATUSES.index(Status.TOO_FEW_DAYS),
    ).astype(np.int64)
    told = np.isin(status, [STATUSES.index(name) for name in TOLD])
    edges = [np.where(told, edge, np.nan) for edge in edges]
    return Exhaustion(edges[0], edges[1], edges[2], np.where(drawn, reach, 0), status)


def _meets(level: Floats, slope: Floats, limits: Floats) -> Floats:
    """Days until a line is at its limit: 0 when it is already; infinite when it never is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.where(slope > 0, (limits - level) / slope, np.inf)
    met: Floats = np.where(level >= limits, 0.0, days)
    return met
