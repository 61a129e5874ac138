"""The gate: what of a hub is above a limit, and what nobody could look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from govhub.inventory.topology import Path
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.levels import Level, levels

EPS = 1e-6
CHECKED_ELSEWHERE = ("power", "space", "weight")
"""Racks themselves are checked with the files (PLC010 to PLC012)."""


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that is exceeded by one part or by several alike; ``at`` is the worst of them."""

    resource: str
    unit: str
    at: str
    used: float
    limit: float
    lost: str
    """The loss after which ``used`` is the load; empty for the load as it is."""
    path: Path
    """Where the limit is declared."""
    others: tuple[str, ...]
    """Further parts that the same entry declares and that are above it, too."""
    waiver: str
    """The exception that covers it; empty for none."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A resource of which some parts, not all, do not tell what they use or have."""

    resource: str
    parts: int
    of: int
    first: str


Waived = Callable[[str, str], str]
"""From resource and address to the name of the exception that covers it, or an empty string."""


def excesses(columns: Columns, waived: Waived) -> tuple[list[Excess], list[Unknown]]:
    """Everything above its limit, one for each resource, entry of the files and exception; and what is not known."""
    found: list[Excess] = []
    unknown: list[Unknown] = []
    for level in levels(columns):
        if level.resource in CHECKED_ELSEWHERE:
            continue
        blind = np.isnan(level.used) | np.isnan(level.limit)
        if blind.any():
            unknown.append(Unknown(level.resource, int(blind.sum()), len(blind), level.at[int(np.argmax(blind))]))
        with np.errstate(invalid="ignore"):
            over = np.flatnonzero(level.used > level.limit * (1 + EPS) + EPS)
        entries: dict[tuple[Path, str], list[int]] = {}
        for place in over.tolist():
            entries.setdefault((level.path(place), waived(level.resource, level.at[place])), []).append(place)
        found += [_excess(level, path, waiver, places) for (path, waiver), places in entries.items()]
    return found, unknown


def _excess(level: Level, path: Path, waiver: str, places: list[int]) -> Excess:
    worst = max(places, key=lambda place: (float(level.used[place]) / max(float(level.limit[place]), EPS), -place))
    return Excess(
        resource=level.resource,
        unit=level.unit,
        at=level.at[worst],
        used=float(level.used[worst]),
        limit=float(level.limit[worst]),
        lost=level.lost(worst),
        path=path,
        others=tuple(level.at[place] for place in places if place != worst),
        waiver=waiver,
    )
