"""All of what another system says, merged into a hub: tried on a copy, told change by change, written as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import Layout
from govhub.inventory.editing.trial import Trial, attempt
from govhub.inventory.loader import Hub
from govhub.inventory.merging.cabling import CIRCUITS, LINKS, merge_circuits, merge_links
from govhub.inventory.merging.kinds import TYPES, Assumptions, merge_types, sizes
from govhub.inventory.merging.machines import DEVICES, HOSTS, merge_devices, merge_hosts
from govhub.inventory.merging.observed import Change, Observed
from govhub.inventory.merging.places import SITES, merge_places
from govhub.inventory.merging.supply import FEEDS, POWER, merge_feeds, merge_power


@dataclass(slots=True, kw_only=True)
class Merged:
    """What would change, and what the files would be."""

    changes: list[Change]
    trial: Trial
    problems: list[Diagnostic] = field(default_factory=list)
    """Also the errors that the hub would have and has not now."""

    def counts(self) -> dict[str, dict[str, int]]:
        """How many additions and changes of each kind of thing."""
        found: dict[str, dict[str, int]] = {}
        for change in self.changes:
            counted = found.setdefault(change.what, {"add": 0, "change": 0})
            counted[change.op] += 1
        return found

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "counts": self.counts(),
            "changes": [change.as_dict() for change in self.changes],
            "diff": self.trial.diff,
            "files": sorted(self.trial.after),
            "diagnostics": [item.as_dict() for item in self.problems],
        }


def merge(hub: Hub, observed: Observed, today: date, assume: Assumptions | None = None) -> Merged:
    """Merge into a copy of the hub; nothing is written. What only the hub knows stays as it is.

    Raises:
        InvalidInput: a file cannot be edited (IMP034), or somebody is changing the files (IMP032).
    """
    found = Diagnostics()
    edits: dict[Layout, list[ItemEdit]] = {}
    changes: list[Change] = []

    def take(layout: Layout, part: tuple[list[ItemEdit], list[Change]]) -> None:
        edits[layout] = part[0]
        changes.extend(part[1])

    take(SITES, merge_places(hub, observed, found))
    typed, told, types = merge_types(hub, observed, assume or Assumptions(), found)
    take(TYPES, (typed, told))
    racks = {*hub.topology.racks, *observed.racks}
    known = {kind.name: kind for kind in hub.model.device_types}
    heights = {name: sizes(known.get(name), facts) for name, facts in observed.types.items()}
    take(HOSTS, merge_hosts(hub, observed, heights, racks))
    take(DEVICES, merge_devices(hub, observed, types, racks))
    take(POWER, merge_power(hub, observed))
    take(FEEDS, merge_feeds(hub, observed, racks))
    machines = {*hub.topology.hosts, *hub.topology.devices} | {
        name for name, facts in observed.machines.items() if facts.type in types or facts.host is not None
    }
    take(LINKS, merge_links(hub, observed, machines, found))
    take(CIRCUITS, merge_circuits(hub, observed))
    trial = attempt(hub, edits, today)
    found.extend(trial.errors)
    return Merged(changes=changes, trial=trial, problems=found.sorted())
