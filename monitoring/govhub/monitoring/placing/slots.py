"""Where in a rack machines of one height go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govhub.monitoring.arithmetic.figure import Ints
from govhub.monitoring.arithmetic.space import MAX_UNITS


def slots(occupied: NDArray[np.uint64], heights: Ints, units: int) -> Ints:
    """How many machines of ``units`` each rack takes, each in one run of free units (EIA-310).

    Filling every gap from its lower end is best: a gap of ``g`` holds ``g // units``, wherever they stand.

    Args:
        occupied: bit ``i`` is set when unit ``i + 1`` is taken.
        heights: of each rack, 60 units at most.
        units: height of one machine; 0 takes none and any number fits.
    """
    if units == 0:
        return np.full(len(heights), np.iinfo(np.int32).max, dtype=np.int64)
    run, count = np.zeros(len(heights), dtype=np.int64), np.zeros(len(heights), dtype=np.int64)
    for unit in range(min(int(heights.max(initial=0)), MAX_UNITS)):
        free = (unit < heights) & ((occupied >> np.uint64(unit)) & np.uint64(1) == 0)
        run = np.where(free, run + 1, 0)
        full = run == units
        count += full
        run[full] = 0
    return count


def positions(occupied: int, height: int, units: int, count: int) -> list[int]:
    """The lowest rack units of ``count`` machines from below, fewer when they do not all fit."""
    found: list[int] = []
    unit = 0
    while units and len(found) < count and unit + units <= height:
        mask = ((1 << units) - 1) << unit
        if occupied & mask:
            unit += 1
        else:
            found.append(unit + 1)
            unit += units
    return found
