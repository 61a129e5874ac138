"""What nodes still take when the worst rack is lost."""

from __future__ import annotations

import numpy as np

from govhub.monitoring.arithmetic.figure import Figure, Floats, Ints


def after_rack_loss(capacity: Floats, racks: Ints, requested: float | None, unit: str, names: list[str]) -> Figure:
    """Requests against what the nodes offer without the rack that holds most of it (N−1).

    The form of kubernetes-mixin's KubeCPUOvercommit (requests against allocatable without the largest node), with the
    rack as the domain that fails.

    Args:
        capacity: what each node offers.
        racks: place of each node's rack in ``names``.
        requested: sum of requests; None when unknown.
        unit: of both.
        names: racks' addresses.
    """
    if not len(capacity):
        return Figure(unit=unit, numerator=requested, denominator=None, known=0, parts=1)
    sums = np.bincount(racks, weights=capacity, minlength=len(names))
    lost = int(np.argmax(sums))
    left = float(sums.sum() - sums[lost])
    known = int(requested is not None)
    return Figure(unit=unit, numerator=requested, denominator=left, known=known, parts=1, at=names[lost])
