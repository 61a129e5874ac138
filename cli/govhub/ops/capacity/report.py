"""``capacity report``: the morning page. What is full, when what runs out, what to order by when, what changed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.monitoring.forecast.outlook import Outlooks
from govhub.ops.capacity.changes import changes
from govhub.ops.capacity.days import today_of
from govhub.ops.capacity.forecast import ForecastRequest, document, outlooks_of
from govhub.ops.capacity.places import SCHEMA, columns_of
from govhub.ops.capacity.show import show

KIND = "capacity-report"
ORDERED = ("site", "hall", "tenant")
MAX_BYTES = 64 * 2**20
RACKS = 50


def report(request: ForecastRequest, against: Path | None = None) -> dict[str, Any]:
    """The review of a hub as a document; with ``against``, what changed since that one.

    Raises:
        InvalidInput: the hub is not valid, or ``against`` is no report of this hub.
    """
    columns = columns_of(request.hub)
    before = _earlier(against, columns.hub.name) if against else None
    figures = show(request.hub)
    outlooks = outlooks_of(columns, request)
    found = document(columns, outlooks, request)
    today = today_of(columns)
    out = {
        "schema": SCHEMA,
        "kind": KIND,
        "hub": columns.hub.name,
        "title": columns.model.hub.title.model_dump(),
        "today": today.isoformat(),
        "halls": [{key: hall[key] for key in ("hall", "tier", "binding")} for hall in figures["halls"]],
        "figures": figures["figures"],
        "orders": orders(outlooks, today),
        **{key: found[key] for key in ("as_of", "timezone", "horizon_days", "history_days")},
        "forecasts": [item for item in found["forecasts"] if item["level"] != "row"],
        "racks": found["racks"][:RACKS],
        "racks_by_status": found["racks_by_status"],
        "ramp": found["ramp"],
        "problems": found["problems"],
    }
    return out | {"against": _basis(before), "changes": changes(before, out) if before else None}


def orders(found: Outlooks, today: date) -> list[dict[str, Any]]:
    """What to order by when, the most urgent first: halls and departments that run out, and sites."""
    due = [item for item in found.places if item.level in ORDERED and item.order_by]
    return [
        {
            "order_by": item.order_by.isoformat(),
            "overdue": item.order_by < today,
            "resource": item.resource,
            "place": item.place,
            "level": item.level,
            "status": item.status.value,
            "lead_days": item.lead_days,
            "runs_out": item.exhaustion[1].isoformat() if item.exhaustion[1] else None,
            "history_days": item.days,
        }
        for item in sorted(due, key=lambda item: (item.order_by or date.max, item.place, item.resource))
        if item.order_by
    ]


def _earlier(path: Path, hub: str) -> dict[str, Any]:
    hint = "it is written by: govhub capacity report HUB --json > FILE"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput.one("FOR016", f"{path} is too large for a report", hint=hint)
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput.one("FOR016", f"{path} cannot be read as a report: {error}", hint=hint) from error
    if not isinstance(found, dict) or found.get("kind") != KIND or found.get("schema") != SCHEMA:
        raise InvalidInput.one("FOR016", f"{path} is no report of this form ({SCHEMA})", hint=hint)
    if found.get("hub") != hub:
        raise InvalidInput.one("FOR016", f"{path} is a report of another hub", hint=f"give one of {hub}")
    return found


def _basis(before: dict[str, Any] | None) -> dict[str, Any] | None:
    return {key: before.get(key) for key in ("today", "as_of")} if before else None
