"""``capacity racks``: one row a rack, the fullest first."""

from __future__ import annotations

from typing import Any

from govhub.monitoring.halls import Halls, Server
from govhub.monitoring.rows import rack_rows
from govhub.ops.capacity.live import Sources, live_of
from govhub.ops.capacity.places import SCHEMA, columns_of, racks_of


def racks(
    hub: str, place: str = "", sort: str = "power", server: Server | None = None, sources: Sources | None = None
) -> dict[str, Any]:
    """The racks of a place, sorted; what is not known is None. Without ``sources`` nobody is asked.

    Raises:
        InvalidInput: the hub is not valid, or has no such place.
        PolicyViolation: its quotas do not fit.
    """
    columns = columns_of(hub)
    inside = racks_of(columns, place)
    live = live_of(columns, sources or Sources())
    halls = Halls(columns, server, live.readings.measured)
    document = {
        "schema": SCHEMA,
        "hub": columns.hub.name,
        "place": place,
        "sort": sort,
        "racks": rack_rows(halls, inside, sort),
    }
    return document | ({"live": live.document} if live.document else {})
