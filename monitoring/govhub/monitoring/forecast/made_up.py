"""A made-up history, for benchmarks: nobody's measurements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.forecast.store import History

CHUNK = 10_800


def make_up(history: History, metric: str, places: Sequence[str], last: date, days: int, top: float) -> int:
    """Days of growth with a week, noise, gaps and outages, below ``top``; the same for the same arguments.

    Returns:
        Rows that were kept.
    """
    rows = 0
    for start in range(0, len(places), CHUNK):
        some = places[start : start + CHUNK]
        rows += history.add_matrix(metric, some, last, _values(len(some), days, top, start))
    history.compact()
    return rows


def _values(count: int, days: int, top: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.2, 0.6, (count, 1)) * top
    growth = rng.uniform(-0.05, 0.3, (count, 1)) * top / 365
    week = rng.normal(0, 0.02 * top, (count, 1)) * np.resize(np.arange(7) < 5, days)
    values = level + growth * np.arange(days) + week + rng.normal(0, 0.02 * top, (count, days))
    out = np.clip(values, 0, None)
    out[rng.random((count, days)) < 0.02] = np.nan
    silent = rng.random(count) < 0.05
    begin = int(rng.integers(0, max(days - 14, 1)))
    out[silent, begin : begin + 14] = np.nan
    return out
