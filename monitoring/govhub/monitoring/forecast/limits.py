"""The parts of each resource, what limits them, and the places they are summed to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from govhub.inventory import sizing
from govhub.monitoring.arithmetic.cooling import after_losses
from govhub.monitoring.arithmetic.figure import Floats, summed
from govhub.monitoring.arithmetic.grades import units_lost
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.resources import Part, Resource
from govhub.monitoring.forecast.rollups import Place

LEVELS = ("hub", "site", "hall", "row")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a resource, each with two limits."""

    addresses: list[str]
    own: Floats
    """Of the part alone: what a rack's cabinet is rated for."""
    shared: Floats
    """What it adds to a place's limit: of a rack's power its part of the hall's budget."""
    places: list[Place]


def parts_of(columns: Columns, resource: Resource, place: str = "") -> Parts:
    """The parts of a resource at or below a place, in the order of the hub's files.

    Departments stand nowhere: they are parts of the hub as a whole only.
    """
    if resource.part is Part.TENANT:
        return _tenants(columns) if not place else Parts([], np.zeros(0), np.zeros(0), [])
    if resource.part is Part.HALL:
        addresses, limits = list(columns.halls), _hall_limits(columns, resource.name)
        own, shared = limits, limits
    else:
        racks = columns.racks
        addresses = racks.addresses
        units = racks.units.astype(np.float64)
        own = units if resource.name == "space" else racks.rated
        shared = units if resource.name == "space" else racks.budget
    at = np.flatnonzero(np.array([_inside(address, place) for address in addresses], dtype=bool))
    kept = [addresses[number] for number in at]
    return Parts(kept, own[at], shared[at], _places(kept, place))


def _tenants(columns: Columns) -> Parts:
    model = columns.model
    names = [tenant.name for tenant in model.tenants]
    quotas = np.array([sizing.quota_of(model, tenant).millicores / 1000 for tenant in model.tenants], dtype=np.float64)
    return Parts(names, quotas, quotas, [Place("tenant", name, (number,)) for number, name in enumerate(names)])


def _hall_limits(columns: Columns, resource: str) -> Floats:
    if resource == "racks":
        return summed(columns.racks.hall, columns.racks.standard, len(columns.halls))
    out = np.full(len(columns.halls), np.nan)
    for number, name in enumerate(columns.halls):
        units = columns.cooling.get(name)
        if units is not None:
            left = after_losses(0.0, units, units_lost(columns.tiers[name])).denominator
            out[number] = np.nan if left is None else left
    return out


def _places(addresses: Sequence[str], place: str) -> list[Place]:
    """The places that the parts are in, the largest first; none above ``place``, and no part by itself."""
    deepest = max((address.count("/") + 1 for address in addresses), default=0)
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for number, address in enumerate(addresses):
        names = address.split("/")
        for depth in range(place.count("/") + 1 if place else 0, deepest):
            found[depth, "/".join(names[:depth])].append(number)
    out = [Place(LEVELS[depth], name, numbers) for (depth, name), numbers in found.items()]
    # Halls have no parts of their own where a resource is counted by halls.
    if deepest and deepest < len(LEVELS):
        out += [Place(LEVELS[deepest], address, (number,)) for number, address in enumerate(addresses)]
    return sorted(out, key=lambda item: (LEVELS.index(item.level), item.address))


def _inside(address: str, place: str) -> bool:
    return not place or f"{address}/".startswith(f"{place}/")
