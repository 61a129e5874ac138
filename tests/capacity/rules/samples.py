"""Samples of a hub's racks as an exporter and meters give them; what racks draw is the test's choice."""

from __future__ import annotations

from collections.abc import Mapping

from govhub.monitoring.columns import Columns
from govhub.monitoring.rules.promql import quoted

Samples = dict[str, float]


def selector(metric: str, **labels: str) -> str:
    return f"{metric}{{{', '.join(f'{name}={quoted(value)}' for name, value in labels.items())}}}"


def inventory(columns: Columns, place: str) -> Samples:
    """What is declared about the racks of a place, and the whole power tree."""
    hub = columns.hub.name
    found: Samples = {}
    names, parents = columns.elements.names, columns.elements.parents
    for at, rack in enumerate(columns.racks.addresses):
        if not rack.startswith(place):
            continue
        labels = labels_of(hub, rack)
        feeds = {side: names[leaf[at]] for side, leaf in (("a", columns.feeds.a), ("b", columns.feeds.b))}
        found[selector("govhub_rack_info", **labels, feed_a=feeds["a"], feed_b=feeds["b"])] = 1
        found[selector("govhub_rack_rated_watts", **labels)] = float(columns.racks.rated[at])
        for side, breaker in zip("ab", columns.breakers, strict=True):
            found[selector("govhub_rack_feed_limit_watts", **labels, side=side)] = float(breaker[at])
            found[selector("govhub_rack_feed_failover_watts", **labels, side=side)] = 2000.0
    for at, name in enumerate(names):
        parent = names[parents[at]] if parents[at] >= 0 else ""
        site = columns.halls[0].partition("/")[0]
        kind = columns.elements.kind_names[columns.elements.kind[at]]
        labels = {"hub": hub, "site": site, "element": name, "kind": kind}
        found[selector("govhub_power_info", **labels, parent=parent)] = 1
        found[selector("govhub_power_capacity_watts", **labels)] = float(columns.elements.capacity[at])
    return found


def meters(columns: Columns, place: str, watts: Mapping[str, float]) -> Samples:
    """Each side of each rack of a place draws ``watts[side]``."""
    found: Samples = {}
    for rack in columns.racks.addresses:
        if rack.startswith(place):
            for side, value in watts.items():
                found[meter(columns.hub.name, rack, side)] = value
    return found


def meter(hub: str, rack: str, side: str) -> str:
    return selector("govhub_meter_rack_power_watts", **labels_of(hub, rack), side=side)


def labels_of(hub: str, rack: str) -> dict[str, str]:
    site, hall, row, name = rack.split("/")
    return {"hub": hub, "site": site, "hall": hall, "row": row, "rack": name}
