"""Devices and hosts that another system knows: moved, corrected and added, run by run.

A run whose machines all change alike is changed where it stands; one whose machines part is written anew.
"""

from __future__ import annotations

from ast import literal_eval
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govhub.inventory.editing.hosts import HOSTS, bound
from govhub.inventory.editing.meaning import ItemEdit, ItemPath
from govhub.inventory.editing.tree import Layout
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import order_of, paired, pattern_of
from govhub.inventory.merging.observed import Change, MachineFacts, Observed
from govhub.inventory.model.compute import Hosts
from govhub.inventory.model.fabric import Devices
from govhub.inventory.patterns import expand
from govhub.inventory.topology import PlacedDevice, PlacedHost

DEVICES = Layout(
    section="devices",
    file="devices.yaml",
    order=order_of(Devices),
)
_PLACE = ("names", "racks", "addresses", "machines", "retired", "unit")
_SIZES = ("units", "watts", "kg", "cords")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One machine as it shall be: its rack, its unit, and what its run says of it."""

    name: str
    rack: str
    unit: int | None
    values: tuple[tuple[str, str], ...]
    """Key and ``repr`` of the value: runs are of equal machines."""
    address: str = ""


def merge_devices(
    hub: Hub, observed: Observed, types: set[str], racks: set[str]
) -> tuple[list[ItemEdit], list[Change]]:
    """The edits of ``devices``, and what they do; machines that are hosts of the hub are none of theirs."""
    machines = {
        name: facts
        for name, facts in observed.machines.items()
        if facts.type in types and name not in hub.topology.hosts and facts.host is None and facts.rack in racks
    }
    known = hub.topology.devices
    done: list[Change] = []
    touched: defaultdict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for name, facts in machines.items():
        said = {"rack": facts.rack, "type": facts.type} | ({} if facts.unit is None else {"unit": facts.unit})
        if name not in known:
            done.append(Change(op="add", what="devices", name=name, after=said))
        elif wrong := {key: value for key, value in said.items() if getattr(known[name], key) != value}:
            before = {key: getattr(known[name], key) for key in wrong}
            done.append(Change(op="change", what="devices", name=name, before=before, after=wrong))
            touched[known[name].entry][name] = wrong
    edits: list[ItemEdit] = []
    for entry, changed in touched.items():
        members = [device for device in known.values() if device.entry == entry]
        edits += _device_run(hub.model.devices[entry], entry, members, changed)
    edits += _new_devices((name, facts) for name, facts in machines.items() if name not in known)
    return edits, done


def _device_run(
    run: Devices, entry: int, members: list[PlacedDevice], changed: Mapping[str, Mapping[str, Any]]
) -> list[ItemEdit]:
    if same := _same_for_all(entry, members, changed):
        return same
    shared = run.model_dump(mode="json", exclude_unset=True, exclude=set(_PLACE))
    wanted = []
    for device in members:
        new = {"rack": device.rack, "unit": device.unit, "type": device.type} | dict(changed.get(device.name, {}))
        wanted.append(_wanted(device.name, new["rack"], new["unit"], shared | {"type": new["type"]}))
    return [ItemEdit(item=entry, drop=True), *_written(wanted)]


def _new_devices(machines: Iterable[tuple[str, MachineFacts]]) -> list[ItemEdit]:
    wanted = []
    for name, facts in machines:
        values = {"type": facts.type} | ({} if facts.role == "none" else {"role": facts.role})
        wanted.append(_wanted(name, facts.rack, facts.unit, values))
    return _written(wanted)


def merge_hosts(
    hub: Hub, observed: Observed, sizes: Mapping[str, Mapping[str, Any]], racks: set[str]
) -> tuple[list[ItemEdit], list[Change]]:
    """The edits of ``hosts``: places, sizes and serials of known ones; new ones where enough is said."""
    known = hub.topology.hosts
    done: list[Change] = []
    touched: defaultdict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    serials: dict[str, dict[str, str]] = {}
    for name, facts in observed.machines.items():
        if name not in known or facts.rack not in racks:
            continue
        wrong = _differing(known[name], facts, sizes.get(facts.type, {}))
        if wrong:
            before = {key: getattr(known[name], key) for key in wrong}
            done.append(Change(op="change", what="hosts", name=name, before=before, after=wrong))
            touched[known[name].entry][name] = wrong
        if facts.serial and facts.serial != known[name].serial:
            old = hub.model.hosts[known[name].entry].machines.get(name)
            serials[name] = ({"bmc": old.bmc} if old and old.bmc else {}) | {"serial": facts.serial}
            serials[name] |= {"model": facts.model[:80]} if facts.model else {}
            told = {"serial": known[name].serial or None}
            done.append(Change(op="change", what="hosts", name=name, before=told, after={"serial": facts.serial}))
    edits: list[ItemEdit] = []
    for entry, changed in touched.items():
        members = [host for host in known.values() if host.entry == entry]
        edits += _host_run(hub.model.hosts[entry], entry, members, changed, serials)
    edits = _with_serials(edits, bound(hub, {name: serials[name] for name in serials}))
    new, added = _new_hosts(hub, observed, sizes, racks)
    return [*edits, *new], [*done, *added]


def _differing(host: PlacedHost, facts: MachineFacts, sizes: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"rack": facts.rack, **{key: sizes[key] for key in _SIZES if key in sizes}}
    said |= {} if facts.unit is None else {"unit": facts.unit}
    # The model counts hosts' watts as whole ones.
    if "watts" in said:
        said["watts"] = round(said["watts"])
    return {key: value for key, value in said.items() if not _equal(getattr(host, key), value)}


def _equal(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, int | float):
        return abs(before - after) <= 0.005 * max(abs(before), 1)
    return bool(before == after)


def _host_run(
    run: Hosts,
    entry: int,
    members: list[PlacedHost],
    changed: Mapping[str, Mapping[str, Any]],
    serials: Mapping[str, Mapping[str, str]],
) -> list[ItemEdit]:
    if same := _same_for_all(entry, members, changed):
        return same
    shared = run.model_dump(mode="json", exclude_unset=True, exclude=set(_PLACE))
    wanted = []
    for host in members:
        new = {"rack": host.rack, "unit": host.unit} | dict(changed.get(host.name, {}))
        sizes = {key: value for key, value in new.items() if key in _SIZES}
        wanted.append(_wanted(host.name, new["rack"], new["unit"], shared | sizes, host.address))
    machines = {name: item.model_dump(mode="json", exclude_unset=True) for name, item in run.machines.items()}
    machines |= {name: dict(found) for name, found in serials.items() if name in {host.name for host in members}}
    return [ItemEdit(item=entry, drop=True), *_written(wanted, machines)]


def _same_for_all(
    entry: int, members: Sequence[PlacedHost | PlacedDevice], changed: Mapping[str, Mapping[str, Any]]
) -> list[ItemEdit]:
    """One change of the run where it stands, when all of it changes in the same way; else nothing."""
    alike = {repr(sorted(item.items())) for item in changed.values()}
    one = next(iter(changed.values()))
    if len(changed) == len(members) and len(alike) == 1 and "rack" not in one and _one_each(members):
        return [ItemEdit(item=entry, changes={(key,): value for key, value in one.items()})]
    return []


def _one_each(members: Iterable[PlacedHost | PlacedDevice]) -> bool:
    """Whether no rack has two of the run: only then one unit is the unit of all."""
    racks = [machine.rack for machine in members]
    return len(set(racks)) == len(racks)


def _with_serials(edits: list[ItemEdit], serials: list[ItemEdit]) -> list[ItemEdit]:
    """Serial numbers join the change of their run; a run that is written anew holds them already."""
    by_item = {edit.item: place for place, edit in enumerate(edits) if edit.item is not None}
    out = list(edits)
    for one in serials:
        place = None if one.item is None else by_item.get(one.item)
        if place is None:
            out.append(one)
        elif not out[place].drop:
            out[place] = ItemEdit(item=one.item, changes={**out[place].changes, **one.changes})
    return out


def _new_hosts(
    hub: Hub, observed: Observed, sizes: Mapping[str, Mapping[str, Any]], racks: set[str]
) -> tuple[list[ItemEdit], list[Change]]:
    taken = {*hub.topology.hosts, *hub.topology.devices}
    wanted: list[_Wanted] = []
    machines: dict[str, Any] = {}
    done: list[Change] = []
    for name, facts in observed.machines.items():
        if facts.host is None or name in taken or facts.rack not in racks:
            continue
        values = {**facts.host, **sizes.get(facts.type, {})}
        if "watts" in values:
            values["watts"] = round(values["watts"])
        wanted.append(_wanted(name, facts.rack, facts.unit, values))
        done.append(Change(op="add", what="hosts", name=name, after={"rack": facts.rack, **values}))
        if facts.serial:
            machines[name] = {"serial": facts.serial} | ({"model": facts.model[:80]} if facts.model else {})
    return _written(wanted, machines), done


def _wanted(name: str, rack: str, unit: int | None, values: Mapping[str, Any], address: str = "") -> _Wanted:
    return _Wanted(name, rack, unit, tuple((key, repr(value)) for key, value in values.items()), address)


def _written(wanted: Iterable[_Wanted], machines: Mapping[str, Any] | None = None) -> list[ItemEdit]:
    """Entries for equal machines, as few as are easily found."""
    groups: defaultdict[tuple[Any, ...], list[_Wanted]] = defaultdict(list)
    for one in wanted:
        groups[one.values, one.unit, bool(one.address)].append(one)
    edits: list[ItemEdit] = []
    for (values, unit, addressed), members in groups.items():
        addresses = {one.name: one.address for one in members}
        for names, racks in paired([(one.name, one.rack) for one in members]):
            changes: dict[ItemPath, Any] = {("names",): names, ("racks",): racks}
            changes |= {(key,): literal_eval(value) for key, value in values}
            changes |= {} if unit is None else {("unit",): unit}
            if addressed and (pattern := pattern_of([addresses[name] for name in expand(names)])):
                changes["addresses",] = pattern
            changes |= {("machines", name): machines[name] for name in expand(names) if machines and name in machines}
            edits.append(ItemEdit(changes=changes))
    return edits


__all__ = ["DEVICES", "HOSTS", "merge_devices", "merge_hosts"]
