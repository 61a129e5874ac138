"""The first screen's table: each hall with what binds it, when it is full, and by when to order."""

from __future__ import annotations

from typing import Any

from govhub.monitoring.web.source import Document

_NEVER = "9999-12-31"


def attention(document: Document, forecast: Document) -> list[dict[str, Any]]:
    """One row a hall, the most urgent first: by the date to order by, then by the servers that still fit.

    Args:
        document: of the overview.
        forecast: of the forecast; the resource of a hall that has to be ordered first stands for it.
    """
    soonest: dict[str, dict[str, Any]] = {}
    for series in forecast["forecasts"]:
        known = soonest.get(series["place"])
        if known is None or _date(series) < _date(known):
            soonest[series["place"]] = series
    rows = [_row(hall, soonest.get(hall["hall"])) for hall in document["halls"]]
    return sorted(rows, key=lambda row: (row["order_by"] or _NEVER, _room(row), row["hall"]))


def _row(hall: dict[str, Any], series: dict[str, Any] | None) -> dict[str, Any]:
    figures = hall["figures"]
    trees = {name: item for name, item in figures.items() if name.startswith("failover")}
    known = {name: item for name, item in trees.items() if item["ratio"] is not None}
    worst = max(known, key=lambda name: known[name]["ratio"], default=next(iter(trees), None))
    fits = hall["binding"]["fits"] if hall["binding"] else {}
    exhaustion = (series or {}).get("exhaustion") or {}
    return {
        "hall": hall["hall"],
        "tier": hall["tier"],
        "survives": hall["survives"],
        "binding": hall["binding"],
        "unknown": sorted(name for name, servers in fits.items() if servers is None),
        "allocated": figures["power.allocated"],
        "measured": figures["power.measured"],
        "cooling": figures["cooling"],
        "racks": figures["racks"],
        "failover": trees[worst] | {"name": worst} if worst else None,
        "resource": (series or {}).get("resource"),
        "full": {name: exhaustion.get(name) for name in ("p10", "p50", "p90")},
        "order_by": (series or {}).get("order_by"),
    }


def _date(series: dict[str, Any]) -> str:
    return series["order_by"] or _NEVER


def _room(row: dict[str, Any]) -> float:
    return row["binding"]["servers"] if row["binding"] else -1.0
