"""Daily sums of parts: rows, halls, sites and the hub.

A part that is known on at least half of the days counts; the others are left out of the sum and of what limits it, and
lower the coverage. A day that a part misses is taken from the line between its neighbours (at the ends, its nearest
value), so that a meter that falls silent does not look like load that left. A day on which fewer than half of the
parts were measured is unknown for the sum, whatever their neighbours say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.figure import Bools, Floats

ENOUGH = 0.5
_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is forecast: its level, its address, and its parts."""

    level: str
    address: str
    parts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Sum:
    """A place's daily values, what limits it, and of how many of its parts both are known."""

    place: Place
    values: Floats
    limit: float
    known: int


def sums(values: Floats, limits: Floats, places: Sequence[Place]) -> list[Sum]:
    """The sums of each place.

    Args:
        values: shape ``(parts, days)``; NaN where unknown.
        limits: of each part; NaN where unknown.
        places: their ``parts`` are rows of ``values``.
    """
    measured = ~np.isnan(values)
    often = measured.sum(axis=1) >= max(ENOUGH * values.shape[1], 1)
    # A history that has just begun for everybody counts from where it begins.
    began = measured.any(axis=0)
    if began.any():
        often = measured.sum(axis=1) >= ENOUGH * (values.shape[1] - int(np.argmax(began)))
    counts = often & ~np.isnan(limits)
    filled = fill(values, counts)
    return [_sum(place, filled, measured, limits, counts) for place in places]


def fill(values: Floats, rows: Bools) -> Floats:
    """``values`` without gaps in the chosen rows: on the line between the neighbours, at the ends the nearest value."""
    out = values.copy()
    at = np.flatnonzero(rows & np.isnan(values).any(axis=1) & ~np.isnan(values).all(axis=1))
    for start in range(0, len(at), _ROWS):
        some = at[start : start + _ROWS]
        out[some] = _filled(values[some])
    return out


def _filled(values: Floats) -> Floats:
    known, last = ~np.isnan(values), values.shape[1] - 1
    days = np.arange(last + 1)
    before = np.maximum.accumulate(np.where(known, days, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, days, last + 1)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before < 0, after, before)
    right = np.where(after > last, before, after)
    low, high = np.take_along_axis(values, left, axis=1), np.take_along_axis(values, right, axis=1)
    part = (days - left) / np.maximum(right - left, 1)
    filled: Floats = np.where(right > left, low + (high - low) * part, low)
    return filled


def _sum(place: Place, filled: Floats, measured: Bools, limits: Floats, counts: Bools) -> Sum:
    parts = np.sort(np.asarray(place.parts, dtype=np.int64))
    mine = parts[counts[parts]]
    if not len(mine):
        return Sum(place, np.full(filled.shape[1], np.nan), np.nan, 0)
    # Parts of a place mostly stand one after the other: then nothing has to be copied.
    together = int(mine[-1] - mine[0]) + 1 == len(mine)
    at = slice(int(mine[0]), int(mine[-1]) + 1) if together else mine
    enough = np.count_nonzero(measured[at], axis=0) >= ENOUGH * len(mine)
    total = filled[at].sum(axis=0)
    return Sum(place, np.where(enough, total, np.nan), float(limits[mine].sum()), len(mine))
