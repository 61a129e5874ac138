"""Rack units: what is taken, and the largest gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govhub.monitoring.arithmetic.figure import Floats, Ints

MAX_UNITS = 60


def largest_gap(occupied: NDArray[np.uint64], units: Ints) -> Ints:
    """The longest run of free rack units of each rack (EIA-310: one unit is 44.45 mm).

    Each step shortens every run by one, so the number of steps that leave something is the longest run.

    Args:
        occupied: bit ``i`` is set when unit ``i + 1`` is taken.
        units: height of each rack, 60 at most.
    """
    one = np.uint64(1)
    full = (one << units.astype(np.uint64)) - one
    free = full & ~occupied
    gap = np.zeros(len(units), dtype=np.int64)
    while (some := free != 0).any():
        gap += some
        free &= free << one
    return gap


def servers_that_fit(free: dict[str, Floats], need: dict[str, float], gap: Floats) -> dict[str, Floats]:
    """How many servers of one size each rack has room for, by each resource alone.

    Args:
        free: what each rack has left of each resource; NaN where unknown.
        need: what one server takes of each.
        gap: longest run of free units; a rack whose positions are not known has NaN, and its free units are
            counted as they are.

    Returns:
        Whole servers, not below zero; NaN where unknown.
    """
    out = {}
    for name, left in free.items():
        out[name] = np.maximum(np.floor(left / need[name] + 1e-9), 0.0)
    # Free units are no room while none of the gaps holds a server.
    if "space" in out:
        out["space"] = np.where(gap < need["space"], 0.0, out["space"])
    return out


def binding(fits: dict[str, Floats]) -> tuple[Ints, Floats]:
    """The resource that runs out first in each rack, as a place in ``fits``, and the servers that it leaves room for.

    -1 and NaN where no resource is known. The first of equals counts, so ``fits`` is in the order of blame.
    """
    table = np.stack(list(fits.values()), axis=1)
    known = ~np.isnan(table)
    filled = np.where(known, table, np.inf)
    place = np.argmin(filled, axis=1)
    some = known.any(axis=1)
    return np.where(some, place, -1), np.where(some, filled.min(axis=1), np.nan)
