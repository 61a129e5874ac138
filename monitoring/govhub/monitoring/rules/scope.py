"""What of a hub its rules depend on: names of sites and halls, and what hangs on what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from govhub.inventory.patterns import expand
from govhub.monitoring.columns import Columns
from govhub.monitoring.rules.promql import Query


@dataclass(frozen=True, slots=True)
class Scope:
    """A hub as its rules and routes see it."""

    hub: str
    halls: tuple[tuple[str, str], ...]
    """``(site, hall)`` by their last names."""
    below: dict[str, tuple[str, ...]]
    """All that each element of the power tree feeds; elements that feed racks alone have nothing here."""
    feeding: dict[tuple[str, str], tuple[str, ...]]
    """The elements that feed each hall."""
    depth: int
    """The longest way from an element that feeds racks to the top, in elements."""
    behind: dict[str, tuple[str, ...]]
    """The devices that are reached over one device alone."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of sites, in the order of the files."""
        return tuple(dict.fromkeys(site for site, _ in self.halls))

    @property
    def query(self) -> Query:
        """Queries about this hub."""
        return Query(self.hub)


def scope_of(columns: Columns) -> Scope:
    """Read it off the columns of a valid hub."""
    names, parents = columns.elements.names, [int(parent) for parent in columns.elements.parents]
    below: defaultdict[str, list[str]] = defaultdict(list)
    depth = 1
    for place, name in enumerate(names):
        above = list(columns.tree.above(place))
        depth = max(depth, len(above))
        for parent in above[1:]:
            below[names[parent]].append(name)
    assert len(parents) == len(names)
    halls = tuple((site, hall) for site, _, hall in (name.partition("/") for name in columns.halls))
    fed = columns.halls_of_elements
    return Scope(
        hub=columns.hub.name,
        halls=halls,
        below={name: tuple(found) for name, found in below.items()},
        feeding={
            hall: tuple(name for name, feeds in zip(names, fed[:, place], strict=True) if feeds)
            for place, hall in enumerate(halls)
        },
        depth=depth,
        behind=_behind(columns),
    )


def _behind(columns: Columns) -> dict[str, tuple[str, ...]]:
    """What is cut off with a device: all whose only way up leads over it, and what hangs on these."""
    ways: defaultdict[str, set[str]] = defaultdict(set)
    devices = {device.name for device in columns.hub.topology.devices.values()}
    for link in columns.model.links:
        for lower in expand(link.lower):
            ways[lower].update(expand(link.upper))
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(devices):
        at, seen = name, {name}
        while len(ways[at]) == 1 and (at := next(iter(ways[at]))) not in seen:
            seen.add(at)
            found[at].append(name)
    return {name: tuple(others) for name, others in sorted(found.items())}
