"""Sums up a tree that is given by each element's parent."""

from __future__ import annotations

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats, Ints


def depths(parents: Ints) -> Ints:
    """How far each element is from its top, 0 for tops.

    Raises:
        ValueError: the parents form a circle.
    """
    depth = np.zeros(len(parents), dtype=np.int64)
    at = parents.copy()
    for _ in range(len(parents) + 1):
        climbing = at >= 0
        if not climbing.any():
            return depth
        depth[climbing] += 1
        at[climbing] = parents[at[climbing]]
    raise ValueError("the elements feed each other in a circle")


def lineage(parents: Ints) -> Ints:
    """Each element with all above it: shape ``(n, 1 + depth of the deepest)``, -1 where there is none.

    Raises:
        ValueError: the parents form a circle.
    """
    deepest = int(depths(parents).max(initial=0))
    columns = [np.arange(len(parents))]
    for _ in range(deepest):
        below = columns[-1]
        columns.append(np.where(below >= 0, parents[np.maximum(below, 0)], -1))
    return np.stack(columns, axis=1) if len(parents) else np.zeros((0, 1), dtype=np.int64)


def rolled_up(values: Floats, parents: Ints) -> Floats:
    """Each element's value and all below it, summed; ``values`` of shape ``(n,)`` or ``(n, k)``.

    Raises:
        ValueError: the parents form a circle.
    """
    out = values.astype(np.float64, copy=True)
    depth = depths(parents)
    for level in range(int(depth.max(initial=0)), 0, -1):
        members = np.flatnonzero(depth == level)
        np.add.at(out, parents[members], out[members])
    return out
