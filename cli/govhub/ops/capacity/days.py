"""Which day it is in a hub, and where its history of days is kept; for those too who never read it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from govhub.core.errors import InvalidInput
from govhub.core.settings import Env, hub_home, value_of
from govhub.core.settings import today as rehearsed
from govhub.monitoring.columns import Columns


def zone_of(columns: Columns) -> ZoneInfo:
    """The hub's time zone.

    Raises:
        InvalidInput: this machine knows no such zone.
    """
    name = columns.model.baseline.timezone
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        hint = "set baseline.timezone to a zone such as Asia/Shanghai"
        raise InvalidInput.one("FOR011", f'there is no time zone "{name}" on this machine', hint=hint) from error


def today_of(columns: Columns) -> date:
    """Today in the hub's time zone, or the day that is rehearsed.

    Raises:
        InvalidInput: this machine knows no such zone.
    """
    return rehearsed() if value_of(Env.TODAY) else datetime.now(zone_of(columns)).date()


def history_folder(columns: Columns) -> Path:
    """Where this user's history of the hub is."""
    return hub_home(columns.hub.name) / "capacity" / "history"
