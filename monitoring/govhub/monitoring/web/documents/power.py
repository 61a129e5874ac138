"""The power tree of a hall: each element's load as it is and after the worst single loss, against its capacity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from govhub.monitoring.arithmetic.figure import Figure, unknown
from govhub.monitoring.arithmetic.grades import Survives, survives
from govhub.monitoring.columns import Columns
from govhub.monitoring.web.source import Document


def power_tree_of(columns: Columns, hall: str, measured: Sequence[Figure] = ()) -> Document | None:
    """The elements that feed ``hall``, parents before children; None when there is no such hall.

    ``load``, ``after_loss`` and ``measured`` are figures in W, the first two of what is declared; ``lost`` is the
    element whose loss puts most on this one, and ``dark_watts`` go dark with it. An element may feed other halls too;
    its load is all of it.

    Args:
        columns: of the hub.
        hall: as ``site/hall``.
        measured: a figure of each element of the hub; empty when nobody measures.
    """
    if hall not in columns.halls:
        return None
    place = columns.halls.index(hall)
    tier = columns.tiers[hall]
    feeding = columns.halls_of_elements[:, place] if len(columns.elements.names) else np.zeros(0, dtype=bool)
    members = [int(item) for item in np.flatnonzero(feeding)]
    children: dict[int, list[int]] = {}
    for item in members:
        children.setdefault(int(columns.elements.parents[item]), []).append(item)
    # A parent outside of the hall's elements cannot be: what feeds a child feeds the hall.
    order: list[tuple[int, int]] = []
    waiting = [(item, 0) for item in reversed(children.get(-1, []))]
    while waiting:
        item, depth = waiting.pop()
        order.append((item, depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(item, []))]
    return {
        "hall": hall,
        "tier": tier,
        "survives": survives(tier).value,
        "elements": [
            _element(columns, item, depth) | {"measured": (measured[item] if measured else unknown("W")).as_dict()}
            for item, depth in order
        ],
        "holds": survives(tier) is Survives.PATH,
    }


def _element(columns: Columns, item: int, depth: int) -> dict[str, Any]:
    elements, load = columns.elements, columns.tree_load
    lost = int(load.lost[item])
    capacity = None if np.isnan(elements.capacity[item]) else float(elements.capacity[item])
    parts, known = int(load.racks[item]), int(load.known[item])

    def figure(watts: float) -> dict[str, Any]:
        both = parts == known and capacity is not None
        # With a rack below whose draw is not known, the sum is a lower bound and no figure.
        figure = Figure(
            unit="W", numerator=watts if parts == known else None, denominator=capacity, known=known, parts=parts
        )
        return figure.as_dict() | {"certain": both}

    return {
        "name": elements.names[item],
        "kind": elements.kind_names[int(elements.kind[item])],
        "depth": depth,
        "load": figure(float(load.normal[item].sum())),
        "after_loss": figure(float(load.failover[item].sum())),
        "lost": elements.names[lost] if lost >= 0 else None,
        "dark_watts": round(float(load.dark[item]), 1),
        "phase_watts": [round(float(watts), 1) for watts in load.normal[item]],
        "racks": parts,
    }
