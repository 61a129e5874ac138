"""Halls as limits: the power that they are built for, and their cooling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.grades import units_lost
from govhub.monitoring.columns import Columns


@dataclass(slots=True)
class Hall:
    """W of a hall; a limit of None is unknown."""

    name: str
    used: float
    budget: float
    cooling: float | None

    def room(self, watts: float) -> tuple[int, str, float]:
        """How many machines more, the resource that is the least, and its limit."""
        resource, limit = "budget", self.budget
        if self.cooling is not None and self.cooling < limit:
            resource, limit = "cooling", self.cooling
        return max(int((limit - self.used + 1e-6) // watts), 0), resource, limit


def cooling_left(columns: Columns, hall: str) -> float | None:
    """W of cooling that a hall has when as many units stand still as its grade asks for; None when unknown.

    A unit of unknown capacity makes all of it unknown: what is left of the others is a lower bound, and no limit.
    """
    units = columns.cooling.get(hall)
    if units is None or not len(units) or np.isnan(units).any():
        return None
    return float(np.sort(units)[::-1][units_lost(columns.tiers[hall]) :].sum())


def halls_of(columns: Columns) -> list[Hall]:
    """Every hall with what its machines draw."""
    count = len(columns.halls)
    used = np.bincount(columns.racks.hall, weights=columns.loads.watts, minlength=count)
    budget = np.bincount(columns.racks.hall, weights=columns.racks.budget, minlength=count)
    rows = zip(columns.halls, used.tolist(), budget.tolist(), strict=True)
    return [Hall(name, draw, built, cooling_left(columns, name)) for name, draw, built in rows]
