"""A hub with the parts of a file added: what it would be, with racks found for hosts that name none."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import InvalidInput
from govhub.core.settings import today
from govhub.inventory.checks import check_hub
from govhub.inventory.loader import Hub, load
from govhub.inventory.located import LocatedList, LocatedMap, read_yaml
from govhub.inventory.model.compute import Hosts
from govhub.inventory.patterns import expand
from govhub.inventory.topology import PlacedHost, Topology
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.derive import with_loads
from govhub.monitoring.placing.loss import Lost, degraded, fallout
from govhub.monitoring.placing.need import of_host
from govhub.monitoring.placing.place import Order, Placement, Placer
from govhub.monitoring.placing.telling import placement_document
from govhub.ops.capacity.gate import gate


@dataclass(slots=True)
class Addition:
    """A hub with more in it."""

    hub: Hub
    placements: list[dict[str, Any]]
    """One document for each entry of hosts that named no racks."""
    findings: list[Diagnostic]
    """What the hub would have wrong or above a limit."""


def with_file(hub: Hub, file: Path, place: str, order: Order, lost: Lost | None) -> Addition:
    """The hub with the sections of ``file``; its hosts without ``racks`` are placed, in the order of the file.

    Raises:
        InvalidInput: the file cannot be read, or the hub with it has not the right form.
    """
    problems = Diagnostics()
    tree = read_yaml(file, file.name, problems) if file.is_file() else None
    if tree is None and not problems.items:
        raise InvalidInput.one("FIT012", f"cannot read {file}", hint="name a YAML file with sections of a hub")
    if tree is None or problems.errors:
        raise InvalidInput(problems.sorted())
    loose = _set_aside(tree, next(iter(hub.topology.racks), ""))
    loaded = load(hub.folder, [tree])
    if loaded.hub is None or loaded.problems.errors:
        raise InvalidInput(loaded.problems.sorted())
    whole = loaded.hub
    first = len(whole.model.hosts) - loose
    # Set aside, they stand at the end: positions and entries of all others stay what they are.
    base = dataclasses.replace(whole, model=whole.model.model_copy(update={"hosts": whole.model.hosts[:first]}))
    base._topology = Topology(base.model)  # noqa: SLF001 -- expanded anew: without them
    return _placed(whole, base, first, (place, order, lost))


def _set_aside(tree: LocatedMap, rack: str) -> int:
    """Move hosts that name no racks to the end of their section, with a rack that only stands in; how many they are."""
    hosts = tree.get("hosts")
    if not isinstance(hosts, LocatedList):
        return 0
    items = list(zip(hosts, hosts.marks, strict=True))
    loose = [item for item in items if isinstance(item[0], LocatedMap) and "racks" not in item[0]]
    for entry, mark in loose:
        entry["racks"] = rack
        entry.marks["racks"] = mark
    ordered = [item for item in items if item not in loose] + loose
    hosts[:] = [entry for entry, _ in ordered]
    hosts.marks[:] = [mark for _, mark in ordered]
    return len(loose)


def _placed(whole: Hub, base: Hub, first: int, how: tuple[str, Order, Lost | None]) -> Addition:
    place, order, lost = how
    columns = Columns(base)
    found: dict[str, PlacedHost] = dict(base.topology.hosts)
    placements, findings = [], []
    sites = {cluster.name: cluster.site for cluster in whole.model.clusters}
    for index in range(first, len(whole.model.hosts)):
        entry = whole.model.hosts[index]
        names = expand(entry.names)
        need = of_host(entry.names, entry)
        after = degraded(columns, fallout(columns, lost), need.cords) if lost else None
        # A node stands where its cluster is, unless somebody says where.
        inside = columns.inside(place or sites.get(entry.cluster or "", ""))
        placement = Placer(columns, need, inside, after).run(len(names), order)
        document = placement_document(columns, need, placement, order.value)
        placements.append(document)
        if placement.placed < len(names):
            findings.append(_refused(whole, index, document))
        found |= _hosts(whole, index, names, columns, placement)
        base.topology.__dict__["hosts"] = found
        columns = _again(columns, base)
    topology = Topology(whole.model)
    topology.__dict__["hosts"] = found
    whole._topology = topology  # noqa: SLF001 -- with the racks that were found
    return Addition(whole, placements, [*findings, *_findings(whole)])


def _again(columns: Columns, base: Hub) -> Columns:
    """Columns after hosts were added to the topology of ``base``."""
    return with_loads(columns, Columns(base).loads)


def _hosts(whole: Hub, index: int, names: list[str], columns: Columns, placement: Placement) -> dict[str, PlacedHost]:
    """The hosts of an entry, each in a rack that was found; those without one are left out."""
    model = whole.model.model_copy(update={"hosts": [whole.model.hosts[index]]})
    racks = [columns.racks.addresses[rack] for rack, count in enumerate(placement.counts) for _ in range(count)]
    alone = list(Topology(model).hosts.values())
    assert len(alone) <= len(names)
    return {
        host.name: dataclasses.replace(host, rack=rack, entry=index, unit=None)
        for host, rack in zip(alone, racks, strict=False)
    }


def _findings(hub: Hub) -> list[Diagnostic]:
    found = check_hub(hub, today())
    if any(item.severity is Severity.ERROR and item.code.startswith(("PLC00", "PWR")) for item in found):
        # Where things stand is wrong: how much stands there says nothing then.
        return found
    return [*found, *gate(hub, today())]


def _refused(hub: Hub, index: int, document: dict[str, Any]) -> Diagnostic:
    entry: Hosts = hub.model.hosts[index]
    binding = document["binding"]
    at = binding["at"] or binding["first_rack"]
    where = f" ({binding['source']['file']}:{binding['source']['line']})" if binding["source"] else ""
    return Diagnostic(
        code="FIT013",
        severity=Severity.ERROR,
        summary=f"{document['placed']:,} of {document['wanted']:,} hosts {entry.names} find a rack",
        detail=f"the next one is kept out by {binding['resource']} of {at}{where}",
        address=at,
        source=hub.at("hosts", index),
        hint="look at kept_out of the placement; make room there, or place them elsewhere",
    )
