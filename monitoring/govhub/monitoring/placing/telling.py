"""Placements and losses as JSON documents, with the lines of the files that limits stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from govhub.inventory.model.power import Side
from govhub.monitoring.placing import reach
from govhub.monitoring.placing.levels import feed_path, hall_paths, rack_path
from govhub.monitoring.placing.slots import positions

if TYPE_CHECKING:
    from govhub.inventory.topology import Path
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.loss import Fallout
    from govhub.monitoring.placing.need import Need
    from govhub.monitoring.placing.place import Placement, Refusal


def placement_document(columns: Columns, need: Need, found: Placement, order: str) -> dict[str, Any]:
    """Racks with their new machines, what stopped the next one, what ran full on the way, and what nobody knows."""
    taken = np.flatnonzero(found.counts)
    names = columns.racks.addresses
    rows = Counter({names[rack].rpartition("/")[0]: 0 for rack in taken})
    for rack in taken:
        rows[names[rack].rpartition("/")[0]] += int(found.counts[rack])
    kept = [
        refusal_document(columns, item.refusal, item.first)
        | {"racks": item.racks, "row": names[item.first].rpartition("/")[0]}
        for item in found.kept
    ]
    return {
        "machine": {
            "type": need.name,
            "units": need.units,
            "watts": need.watts,
            "kg": need.kg,
            "cords": need.cords,
            "ports": need.port_count,
        },
        "order": order,
        "wanted": found.wanted,
        "placed": found.placed,
        "binding": kept[0] if kept else None,
        "kept_out": kept,
        "ran_full": [refusal_document(columns, item, None) | {"placed_before": count} for item, count in found.full],
        "unknown": unknown_parts(columns, found),
        "rows": [{"row": row, "machines": count} for row, count in rows.items()],
        "racks": [
            {
                "rack": names[rack],
                "machines": int(found.counts[rack]),
                "units": _units(columns, need, int(rack), int(found.counts[rack])),
            }
            for rack in taken
        ],
    }


def unknown_parts(columns: Columns, found: Placement) -> dict[str, int]:
    """Racks that do not tell a resource; racks of one side have no other, and those without any count as ``feeds``."""
    feeds = columns.feeds
    out: dict[str, int] = {}
    for name, limit in found.room.limit.items():
        asked = {"feed.a": feeds.a >= 0, "feed.b": feeds.b >= 0}.get(name, np.ones(len(limit), dtype=bool))
        if count := int((np.isnan(limit) & asked & found.inside).sum()):
            out[name] = count
    if count := int(((feeds.a < 0) & (feeds.b < 0) & found.inside).sum()):
        out["feeds"] = count
    return out


def refusal_document(columns: Columns, refusal: Refusal, rack: int | None) -> dict[str, Any]:
    """What keeps machines out, where it is declared, and the first rack that it keeps."""
    path = _path(columns, refusal, rack)
    source = columns.hub.at(*path) if path else None
    out: dict[str, Any] = {"resource": refusal.resource, "at": refusal.at or None}
    out |= {"used": refusal.used, "limit": refusal.limit, "after_loss_of": refusal.lost or None}
    out["phase"] = f"L{refusal.phase}" if refusal.phase else None
    out["first_rack"] = None if rack is None else columns.racks.addresses[rack]
    out["source"] = {"file": source.file, "line": source.line, "column": source.column} if source else None
    return out


def _path(columns: Columns, refusal: Refusal, rack: int | None) -> Path | None:
    if refusal.resource in ("element", "phase"):
        return "power", columns.tree.entries[columns.elements.names.index(refusal.at)]
    if refusal.resource in ("budget", "cooling"):
        return hall_paths(columns)[refusal.at]
    if rack is None or refusal.resource == "lost":
        return None
    if refusal.resource.startswith("feed."):
        return feed_path(columns, Side(refusal.resource[-1]))(rack)
    return rack_path(columns)(rack)


def _units(columns: Columns, need: Need, rack: int, count: int) -> list[int] | None:
    """The lowest rack unit of each new machine; None where positions are not known."""
    loads = columns.loads
    if not loads.positioned[rack] or not need.units:
        return None
    return positions(int(loads.occupied[rack]), int(columns.racks.units[rack]), need.units, count)


def fallout_document(columns: Columns, found: Fallout, addresses: Sequence[str]) -> dict[str, Any]:
    """What a loss takes away, overloads and leaves without a second side; who is reached by it."""
    names = columns.racks.addresses
    hub = columns.hub
    tenants = reach.systems(hub, found)
    return {
        "addresses": list(addresses),
        "elements_dead": [columns.elements.names[place] for place in np.flatnonzero(found.dead)],
        "racks": {
            "dark": [names[rack] for rack in np.flatnonzero(found.dark)],
            "partly_dark": [names[rack] for rack in np.flatnonzero(found.dimmed & (columns.loads.single > 0))],
            "one_side_left": int(found.one_side.sum()),
        },
        "hosts_dark": sorted(found.hosts),
        "devices_lost": sorted(found.devices),
        "watts_dark": _watts_dark(columns, found),
        "overloads": [
            {
                "resource": item.resource,
                "at": item.at,
                "before": round(item.before, 3),
                "after": round(item.used, 3),
                "limit": round(item.limit, 3),
                "source": _overload_source(columns, item.resource, item.at),
            }
            for item in found.overloads
        ],
        "cooling": found.cooling,
        "pools": reach.pool_rows(hub, found),
        "reached": tenants,
        "tenants": sorted({name for item in tenants for name in item["tenant"].split(", ") if name}),
        "network": reach.network(hub, found),
    }


def _watts_dark(columns: Columns, found: Fallout) -> float:
    loads = columns.loads
    return float(loads.watts[found.dark].sum() + loads.single[found.dimmed].sum())


def _overload_source(columns: Columns, resource: str, at: str) -> dict[str, Any] | None:
    if resource.startswith("feed."):
        path = feed_path(columns, Side(resource[-1]))(columns.place[at])
    else:
        path = ("power", columns.tree.entries[columns.elements.names.index(at.partition("/")[0])])
    source = columns.hub.at(*path)
    return {"file": source.file, "line": source.line, "column": source.column} if source else None
