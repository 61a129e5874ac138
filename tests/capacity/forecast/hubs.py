"""Histories of the small hub, made up: what each rack draws on each day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from govhub.monitoring.forecast.store import History, Row

from .conftest import days_back

RACKS = [f"site-a/h1/r0{row}/0{rack}" for row in (1, 2) for rack in (1, 2, 3, 4)]
Value = Callable[[str, int], float | None]


def history(
    folder: Path, value: Value, days: int, *, metric: str = "power", places: list[str] | None = None
) -> History:
    """A history in which ``value(place, days back)`` says what was measured; None is nothing."""
    rows = []
    for place in places or RACKS:
        for back in range(days, 0, -1):
            if (watts := value(place, back)) is not None:
                peak = {"p95": watts, "max": watts, "mean": watts}
                rows.append(Row(day=days_back(back), metric=metric, place=place, coverage=1.0, collected=1, **peak))
    History(folder).add(rows)
    return History(folder)
