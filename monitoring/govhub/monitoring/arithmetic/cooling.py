"""Cooling of halls, with units lost."""

from __future__ import annotations

import numpy as np

from govhub.monitoring.arithmetic.figure import Figure, Floats


def after_losses(heat: float | None, units: Floats, lost: int = 1) -> Figure:
    """Heat against the cooling that is left when the ``lost`` largest units stand still, in W.

    All power that IT draws becomes heat (ASHRAE TC 9.9, Datacom Equipment Power Trends). GB 50174-2017 asks for N+X of
    grade A and N+1 of grade B; grade C is N. Units of unknown capacity give nothing and are told by the coverage.

    Args:
        heat: W of all machines; None when unknown.
        units: net sensible capacity of each unit in W; NaN where unknown.
        lost: units that stand still.
    """
    known = np.sort(units[~np.isnan(units)])[::-1]
    if heat is None or not len(known):
        return Figure(unit="W", numerator=heat, denominator=None, known=0, parts=len(units))
    return Figure(unit="W", numerator=heat, denominator=float(known[lost:].sum()), known=len(known), parts=len(units))
