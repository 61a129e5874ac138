"""``capacity show``: what binds each hall first, and the figures of a place."""

from __future__ import annotations

from typing import Any

from govhub.monitoring.arithmetic.figure import Figure
from govhub.monitoring.arithmetic.grades import survives
from govhub.monitoring.columns import Columns
from govhub.monitoring.compute import departments, pool_headroom, powers
from govhub.monitoring.halls import Halls, Server
from govhub.monitoring.network import layers
from govhub.ops.capacity.live import Live, Sources, live_of
from govhub.ops.capacity.places import SCHEMA, columns_of, racks_of


def show(hub: str, place: str = "", server: Server | None = None, sources: Sources | None = None) -> dict[str, Any]:
    """The figures of a place (all of the hub for the empty string), and of each hall in it.

    Pools, departments and powers are of the hub as a whole, and left out for a place. ``sources`` are asked for what is
    measured; without any, nobody is.

    Raises:
        InvalidInput: the hub is not valid, or has no such place.
        PolicyViolation: its quotas do not fit.
    """
    columns = columns_of(hub)
    racks_of(columns, place)
    live = live_of(columns, sources or Sources())
    document = document_of(columns, Halls(columns, server, live.readings.measured), place, live)
    return document | ({"live": live.document} if live.document else {})


def document_of(columns: Columns, halls: Halls, place: str = "", live: Live | None = None) -> dict[str, Any]:
    """The same of what is loaded and was measured.

    Raises:
        InvalidInput: there is no such place.
    """
    inside = racks_of(columns, place)
    wanted = sorted({int(hall) for hall in columns.racks.hall[inside]})
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "hub": columns.hub.name,
        "place": place,
        "server": {"units": halls.server.units, "watts": halls.server.watts, "kg": halls.server.kg},
        "halls": [_hall(columns, halls, columns.halls[hall]) for hall in wanted],
        "figures": _plain(halls.figures(inside)),
        "stranded_by": halls.stranded_by_cause(inside),
        "ledger": [
            entry.model_dump(exclude={"reason"})
            for entry in sorted(columns.model.ledger, key=lambda entry: (entry.site, entry.month))
            if not place or place.split("/", maxsplit=1)[0] == entry.site
        ],
    }
    if not place:
        document |= {
            "pools": _plain(pool_headroom(columns.hub)),
            "departments": _plain(departments(columns.hub, live.pods if live else None)),
            "powers": powers(columns.hub),
            "network": _plain(layers(columns.hub)),
            "links": _plain(live.links) if live else {},
        }
    return document


def _hall(columns: Columns, halls: Halls, name: str) -> dict[str, Any]:
    binds = halls.binds(name)
    inside = columns.racks.hall == columns.halls.index(name)
    return {
        "hall": name,
        "tier": columns.tiers[name],
        "survives": survives(columns.tiers[name]).value,
        "binding": {"resource": binds.resource, "servers": binds.servers, "fits": binds.fits} if binds else None,
        "figures": _plain(halls.figures(inside) | halls.hall(name)),
    }


def _plain(value: Any) -> Any:
    """Figures within ``value`` in their JSON form."""
    if isinstance(value, Figure):
        return value.as_dict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
