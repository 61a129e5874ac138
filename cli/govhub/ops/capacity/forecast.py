"""``capacity forecast``: what runs out when, and what to order by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.errors import UsageError
from govhub.core.text import did_you_mean
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.outlook import HORIZON, Outlooks, forecast
from govhub.monitoring.forecast.ramp import ramps
from govhub.monitoring.forecast.resources import RESOURCES
from govhub.ops.capacity.days import today_of
from govhub.ops.capacity.history import history_of
from govhub.ops.capacity.places import SCHEMA, columns_of, racks_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """What to forecast; ``horizon`` in days."""

    hub: str
    place: str = ""
    resources: tuple[str, ...] = ()
    horizon: int = HORIZON
    folder: Path | None = None
    seasonal: bool = False


def forecast_hub(request: ForecastRequest) -> dict[str, Any]:
    """The forecast of a hub or a place as a document.

    Raises:
        InvalidInput: the hub is not valid, or has no such place.
        UsageError: there is no such resource.
    """
    known_resources(request.resources)
    columns = columns_of(request.hub)
    racks_of(columns, request.place)
    return document(columns, outlooks_of(columns, request), request)


def known_resources(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once.

    Raises:
        UsageError: there is no such resource.
    """
    for name in names:
        if name not in RESOURCES:
            hint = did_you_mean(name, RESOURCES) or f"known: {', '.join(RESOURCES)}"
            raise UsageError.one("FOR008", f'there is no resource "{name[:40]}" to forecast', hint=hint)
    return tuple(dict.fromkeys(names))


def outlooks_of(columns: Columns, request: ForecastRequest) -> Outlooks:
    """The forecast itself, for documents and for metrics."""
    found = forecast(
        columns,
        history_of(columns, request.folder),
        today_of(columns),
        place=request.place,
        resources=request.resources,
        horizon=request.horizon,
    )
    if request.seasonal:
        from govhub.monitoring.forecast.seasonal import seasonal

        return seasonal(found)
    return found


def document(columns: Columns, found: Outlooks, request: ForecastRequest) -> dict[str, Any]:
    """A forecast as a document; what is not known is null."""
    return {
        "schema": SCHEMA,
        "hub": columns.hub.name,
        "place": request.place,
        "as_of": found.as_of.isoformat() if found.as_of else None,
        "timezone": columns.model.baseline.timezone,
        "horizon_days": found.horizon,
        "history_days": max((item.days for item in found.places), default=0),
        "forecasts": [item.as_dict() for item in found.places],
        "racks": [item.as_dict() for item in found.racks],
        "racks_by_status": found.counts,
        "ramp": [
            item
            for item in ramps(columns.model, found.places, found.as_of)
            if not request.place or item["site"] == request.place
        ],
        "problems": [item.as_dict() for item in found.problems.sorted()],
    }
