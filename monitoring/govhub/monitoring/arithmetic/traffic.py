"""Links: oversubscription and the 95th percentile."""

from __future__ import annotations

import numpy as np

from govhub.monitoring.arithmetic.figure import Figure, Floats


def oversubscription(down: Floats, up: Floats) -> Figure:
    """Gbit/s towards servers by Gbit/s towards the layer above, summed over switches; 3 is usually said as 3:1.

    The ratio of a Clos network (C. Clos, "A study of non-blocking switching networks", 1953): 1 does not block.

    Args:
        down: of each switch; NaN where unknown.
        up: of each switch; NaN where unknown.
    """
    known = ~(np.isnan(down) | np.isnan(up))
    count = int(known.sum())
    if not count:
        return Figure(unit="Gbit/s", numerator=None, denominator=None, known=0, parts=len(down))
    sums = float(down[known].sum()), float(up[known].sum())
    return Figure(unit="Gbit/s", numerator=sums[0], denominator=sums[1], known=count, parts=len(down))


def p95(samples: Floats) -> Floats:
    """The 95th percentile of each row by the nearest rank: the sample that 5 % of the known ones are above.

    This is the "burstable" rule that lines are billed by: sort, drop the highest 5 %, take the highest of the rest
    (nearest rank: place ⌈0.95 · n⌉, Hyndman and Fan 1996, definition 1). Missing samples (NaN) are not zeros: they
    are left out. NaN where no sample is known.

    Args:
        samples: shape ``(links, times)``, such as five-minute means in bit/s.
    """
    ordered = np.sort(samples, axis=1)  # NaN goes to the end
    count = (~np.isnan(samples)).sum(axis=1)
    rank = np.maximum((95 * count + 99) // 100 - 1, 0)
    picked = (
        ordered[np.arange(len(samples)), np.minimum(rank, samples.shape[1] - 1)] if samples.shape[1] else count * 1.0
    )
    return np.where(count > 0, picked, np.nan)


def busier_way(inward: Floats, outward: Floats) -> Floats:
    """p95 of the busier direction of each link: both have the link's speed for themselves."""
    return np.fmax(p95(inward), p95(outward))
