"""From pods on nodes to watts of departments."""

from __future__ import annotations

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats, Ints, summed


def watts_of_owners(owner: Ints, node: Ints, requested: Floats, offered: Floats, watts: Floats, owners: int) -> Floats:
    """W of each owner: every node's draw in proportion to what is requested on it; the rest is nobody's.

    The apportionment of the Green Software Foundation's Software Carbon Intensity (ISO/IEC 21031:2024): the share of a
    machine is what is reserved of it. The last entry is what is drawn for nobody: sums of all entries and of ``watts``
    are equal. A node on which more is requested than it offers is shared out whole.

    Args:
        owner: place of each pod's owner.
        node: place of each pod's node, -1 while it has none.
        requested: what each pod requests, in one unit.
        offered: what each node offers, in the same unit.
        watts: draw of each node; NaN where unknown counts for nobody and is left to the coverage.
        owners: how many owners there are.

    Returns:
        Shape ``(owners + 1,)``.
    """
    known = np.nan_to_num(watts)
    placed = node >= 0
    sums = summed(node[placed], requested[placed], len(offered))
    whole = np.maximum(offered, sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(whole > 0, known / whole, 0.0)
    out = summed(owner[placed], requested[placed] * each[node[placed]], owners + 1)
    out[owners] = known.sum() - out[:owners].sum()
    return out


def waterfall(owner: Ints, requested: Floats, used: Floats, owners: int) -> tuple[Floats, Floats, Ints, Ints]:
    """Requests and usage summed by owner, and how many of its pods tell their usage of how many.

    Args:
        owner: place of each pod's owner.
        requested: of each pod.
        used: of each pod; NaN where unknown.
        owners: how many owners there are.
    """
    told = ~np.isnan(used)
    usage = summed(owner[told], used[told], owners)
    known = np.bincount(owner[told], minlength=owners)
    return (
        summed(owner, requested, owners),
        np.where(known > 0, usage, np.nan),
        known.astype(np.int64),
        np.bincount(owner, minlength=owners).astype(np.int64),
    )
