"""Stranded power: watts that are there and cannot be used, because something else is full."""

from __future__ import annotations

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats, Ints


def stranded_watts(free: Floats, servers: Floats, watts: float) -> Floats:
    """W of each rack that stay unused when it is filled with servers of one size.

    Free power less what the servers draw for which everything else has room; the term is that of the Open Compute
    Project and of Uptime Institute's "stranded capacity". What is less than one server's draw is rest, not stranded.

    Args:
        free: unallocated W of each rack; NaN where unknown.
        servers: how many servers fit by all resources together.
        watts: draw of one server.
    """
    usable = np.floor(np.maximum(free, 0.0) / watts + 1e-9) * watts
    return np.maximum(usable - servers * watts, 0.0)


def by_cause(stranded: Floats, causes: Ints, names: list[str]) -> dict[str, float]:
    """Stranded W summed by the resource that binds; causes without any are left out."""
    known = ~np.isnan(stranded) & (causes >= 0)
    sums = np.bincount(causes[known], weights=stranded[known], minlength=len(names))
    return {name: float(watts) for name, watts in zip(names, sums, strict=True) if watts > 0}
