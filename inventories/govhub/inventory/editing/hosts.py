"""Hosts in a hub's files: declared anew, bound to their machines, retired; the others keep their names and racks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from govhub.inventory.editing.meaning import ItemEdit, ItemPath
from govhub.inventory.editing.tree import REMOVE, Layout
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Hosts
from govhub.inventory.patterns import compress, expand

# Assumptions come behind what is assumed, and the machines last: they may be many.
_LAST = ("assumed", "reason", "machines", "retired")
ORDER = (*(key for key in Hosts.model_fields if key not in _LAST), *_LAST)
HOSTS = Layout(section="hosts", file="clusters.yaml", order=ORDER, one_line=("accelerators",), opened=_LAST[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHost:
    """A host that the hub does not declare yet."""

    name: str
    rack: str
    address: str = ""
    spec: Mapping[str, Any]
    """What equal hosts have in common, by key of a ``hosts`` entry; in the order of the model."""
    machine: Mapping[str, str]


def bound(hub: Hub, machines: Mapping[str, Mapping[str, str]]) -> list[ItemEdit]:
    """Write down which machines declared hosts are."""
    changes: dict[int, dict[ItemPath, Any]] = {}
    for name, machine in machines.items():
        changes.setdefault(hub.topology.hosts[name].entry, {})["machines", name] = dict(machine)
    return [ItemEdit(item=entry, changes=found) for entry, found in changes.items()]


def added(hosts: Iterable[NewHost]) -> list[ItemEdit]:
    """New entries: equal hosts in a row become one run."""
    groups: dict[str, list[NewHost]] = {}
    for host in hosts:
        groups.setdefault(repr(dict(host.spec)), []).append(host)
    return [edit for group in groups.values() for edit in _runs(group)]


def retired(hub: Hub, names: Iterable[str]) -> list[ItemEdit]:
    """Take hosts out: a run remembers which of its names are gone, and one that has no other goes away as a whole."""
    by_entry: dict[int, list[str]] = {}
    for name in names:
        by_entry.setdefault(hub.topology.hosts[name].entry, []).append(name)
    return [_without(hub.model.hosts[index], index, set(gone)) for index, gone in by_entry.items()]


def _without(entry: Hosts, index: int, gone: set[str]) -> ItemEdit:
    gone |= set(entry.retired)
    names = expand(entry.names)
    if not set(names) - gone:
        return ItemEdit(item=index, drop=True)
    changes: dict[ItemPath, Any] = {("retired",): [name for name in names if name in gone]}
    lost = [name for name in entry.machines if name in gone]
    if lost and len(lost) == len(entry.machines):
        changes["machines",] = REMOVE
    else:
        changes |= {("machines", name): REMOVE for name in lost}
    return ItemEdit(item=index, changes=changes)


def _runs(hosts: list[NewHost]) -> list[ItemEdit]:
    if len(hosts) > 1 and (whole := _run(hosts)):
        return [whole]
    return [one for host in hosts if (one := _run([host]))]


def _run(hosts: list[NewHost]) -> ItemEdit | None:
    """One entry for all, or None when their names, racks or addresses do not follow each other."""
    names = compress([host.name for host in hosts])
    racks = {host.rack for host in hosts}
    rack = racks.pop() if len(racks) == 1 else compress([host.rack for host in hosts])
    addresses = [host.address for host in hosts]
    address = compress(addresses) if all(addresses) else ""
    if not names or not rack or address is None or (any(addresses) and not address):
        return None
    changes: dict[ItemPath, Any] = {("names",): names, ("racks",): rack}
    changes |= {(key,): value for key, value in hosts[0].spec.items()}
    if address:
        changes["addresses",] = address
    changes |= {("machines", host.name): dict(host.machine) for host in hosts}
    return ItemEdit(changes=changes)
