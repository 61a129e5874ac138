"""What a cutover that is ahead is expected to take, by the record, and until when it may begin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from govhub.migration.itinerary.phases import window_opens
from govhub.migration.itinerary.returning import needed, opening
from govhub.migration.itinerary.steps import Context
from govhub.migration.record.store import Record

Document = dict[str, Any]


def expected(context: Context, record: Record) -> Document:
    """What a cutover is expected to take, the opening it is in or waits for, and the latest moment to begin."""
    found = needed(record.unchecked(context.system))
    window = opening(context.migration.window, context.timezone, context.now)
    latest = None if found.total is None else window.ends - timedelta(seconds=found.total)
    return found.as_dict() | {
        "system": context.system,
        "write_pause_seconds": context.rules.write_pause_seconds,
        "window": {
            "begins": window.begins.isoformat(timespec="seconds"),
            "ends": window.ends.isoformat(timespec="seconds"),
            "open": not window_opens(context.migration.window, context.timezone, context.now),
        },
        # Before the window opens nothing may begin at all.
        "latest": latest.isoformat(timespec="seconds") if latest and latest >= window.begins else None,
    }
