"""A forecast as curves: what was, and the fan of what may come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from govhub.monitoring.web.source import Document

MAX_FANS = 40
_STEP = 7
"""Days between two points of the fan: its edges are straight."""
_DAY = 86_400


def fans(forecast: Document) -> list[dict[str, Any]]:
    """One chart a place and resource that has a history; halls and above.

    W become kW. Each has ``data`` as uPlot takes it: seconds since 1970, then what was, p10, p50, p90 and the limit,
    with None where there is nothing; and ``full`` and ``order_by`` in seconds, None where they are not foreseen.
    """
    if not forecast.get("as_of"):
        return []
    end = date.fromisoformat(forecast["as_of"])
    horizon = int(forecast.get("horizon_days") or 365)
    wanted = [item for item in forecast["forecasts"] if item.get("history") and item["value"] is not None]
    return [_fan(item, end, horizon) for item in wanted[:MAX_FANS]]


def _fan(item: Document, end: date, horizon: int) -> dict[str, Any]:
    size, unit = (1000, "kW") if item["unit"] == "W" else (1, item["unit"])
    was = [None if value is None else value / size for value in item["history"]]
    first = end - timedelta(days=len(was) - 1)
    last = date.fromisoformat(item["until"]) if item.get("until") else end + timedelta(days=min(horizon, len(was)))
    ahead = [*range(_STEP, max((last - end).days, 1), _STEP), max((last - end).days, 1)]
    days = [first + timedelta(days=place) for place in range(len(was))] + [end + timedelta(days=far) for far in ahead]
    nothing: list[float | None] = [None] * (len(was) - 1)
    slopes = {name: None if slope is None else slope / size for name, slope in item["slope_per_day"].items()}
    start = item["value"] / size

    def edge(name: str) -> list[float | None]:
        slope = slopes[name]
        return [*nothing, start, *(None if slope is None else round(start + slope * far, 3) for far in ahead)]

    low, high = sorted(("p10", "p90"), key=lambda name: slopes[name] or 0.0)
    limit = [None if item["limit"] is None else item["limit"] / size] * len(days)
    return {
        "place": item["place"],
        "resource": item["resource"],
        "unit": unit,
        "full": _seconds(item["exhaustion"]["p50"]),
        "order_by": _seconds(item["order_by"]),
        "data": [
            [_stamp(day) for day in days],
            [*was, *([None] * len(ahead))],
            edge(low),
            edge("p50"),
            edge(high),
            limit,
        ],
    }


def _stamp(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _seconds(day: str | None) -> int | None:
    return None if day is None else _stamp(date.fromisoformat(day))
