"""What-ifs for the page: what may be asked, and the answer in the order in which people read it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from govhub.inventory.powertree import cooling_units
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.need import BUILT_IN, Need, of_device, of_host
from govhub.monitoring.web.source import Document

MAX_PLACES = 200
MAX_PARTS = {"power": 100, "cooling": 40, "circuit": 20, "device": 40}
"""Names of each kind that the form suggests; whoever wants another one types it."""
_OF_HALLS = ("budget", "cooling", "machines", "racks", "space", "weight")


def choices(columns: Columns) -> dict[str, Any]:
    """``types`` by group with the size of one machine, ``places`` and ``parts`` as far as they are few."""
    model, topology = columns.model, columns.hub.topology
    sites = [site.name for site in model.sites]
    rows = dict.fromkeys(address.rpartition("/")[0] for address in columns.racks.addresses)
    names = {
        "power": _from_above(columns),
        "cooling": [name for name, *_ in cooling_units(model)[0]],
        "circuit": [circuit.name for circuit in model.circuits],
        "device": list(topology.devices),
    }
    known = Counter(name for found in [*names.values(), sites, columns.halls] for name in found)
    places = [*sites, *columns.halls, *rows][:MAX_PLACES]
    parts = [*sites, *columns.halls]
    for kind, found in names.items():
        # As --lose wants it: a name that means two things says which.
        parts += [name if known[name] == 1 else f"{kind}:{name}" for name in found[: MAX_PARTS[kind]]]
    pools = {entry.pool: of_host(entry.pool, entry) for entry in reversed(model.hosts) if entry.pool}
    return {
        "types": {
            "usual": [_size(need) for need in BUILT_IN.values()],
            "device_types": [_size(of_device(kind)) for kind in model.device_types],
            "pools": [_size(pools[name]) for name in sorted(pools)],
        },
        "places": places,
        "parts": list(dict.fromkeys(parts)),
        "example": next(iter(names["power"]), columns.halls[0]),
    }


def _size(need: Need) -> dict[str, Any]:
    return {"name": need.name, "units": need.units, "watts": need.watts}


def _from_above(columns: Columns) -> list[str]:
    """Elements, those first on which most hangs."""
    elements = columns.elements
    depth = [0] * len(elements.names)
    for place in range(len(depth)):
        above = int(elements.parents[place])
        # A circle is refused with the files; no way up is longer than all elements.
        while above >= 0 and depth[place] <= len(depth):
            depth[place] += 1
            above = int(elements.parents[above])
    return [elements.names[place] for place in sorted(range(len(depth)), key=lambda place: depth[place])]


def answered(columns: Columns, document: Document) -> dict[str, Any]:
    """What the page adds to the document of a what-if.

    ``halls`` with their machines, rows and racks; ``changes``, the fullest first; ``layers`` and ``lines`` of the
    network that a loss touches; ``where``: the page that shows a part, as ``(path, query)``, by resource and address.
    """
    network = document["lost"]["network"] if document["lost"] else {"layers": [], "lines": []}
    changes = sorted(document["changes"], key=lambda item: -(item["ratio"] if item["ratio"] is not None else -1.0))
    return {
        "document": document,
        "changes": changes,
        "halls": _halls(document),
        "layers": [item for item in network["layers"] if _touched(item)],
        "lines": [item for item in network["lines"] if item["after_gbps"] != item["before_gbps"]],
        "where": _Where(columns),
    }


def _touched(layer: Document) -> bool:
    return bool(layer["left"] < layer["devices"] or layer["after"] != layer["oversubscription"])


def _halls(document: Document) -> list[dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for found in document["placements"]:
        for item in found["rows"]:
            name = item["row"].rpartition("/")[0]
            hall = out.setdefault(name, {"hall": name, "machines": 0, "rows": 0, "racks": 0})
            hall["machines"] += item["machines"]
            hall["rows"] += 1
        for item in found["racks"]:
            out[item["rack"].rsplit("/", 2)[0]]["racks"] += 1
    return list(out.values())


class _Where:
    """Links into the other pages."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._elements = {name: place for place, name in enumerate(columns.elements.names)}

    def __call__(self, resource: str, at: str | None) -> tuple[str, dict[str, str]] | None:
        """The page of ``at``; None when there is none."""
        if not at:
            return None
        if resource in _OF_HALLS and at in self._columns.halls:
            return "/map", {"hall": at}
        if at in self._columns.place:
            return f"/rack/{at}", {}
        if resource.startswith("quota."):
            return "/departments", {}
        # A phase is its element's with the phase behind it.
        place = self._elements.get(at.partition("/")[0])
        if resource not in ("element", "phase") or place is None:
            return None
        halls = np.flatnonzero(self._columns.halls_of_elements[place])
        return ("/power", {"hall": self._columns.halls[int(halls[0])]}) if len(halls) else None
