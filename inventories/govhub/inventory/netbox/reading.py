"""From NetBox's objects to what they say of a hub, by the names that the hub's files use."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.core.text import and_more, plural
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import natural, slug
from govhub.inventory.merging.observed import FeedFacts, MachineFacts, Observed, RackFacts, SiteFacts
from govhub.inventory.netbox import hardware
from govhub.inventory.netbox.circuits import read_circuits
from govhub.inventory.netbox.client import Object
from govhub.inventory.netbox.snapshot import Snapshot

SOURCE = "NetBox"
GONE = ("decommissioning", "inventory")
"""States of devices that stand in no rack any more, or not yet."""
_ROW = re.compile(r"(.*?[a-z0-9])-?(\d+)")
_ORDER = {"none": 0, "management": 1, "leaf": 2, "spine": 3, "border": 4}
_HOST_FIELDS = ("cores", "memory_gib", "arch")


def observe(hub: Hub, snapshot: Snapshot, found: Diagnostics) -> Observed:
    """What NetBox says, item by item; what cannot be said in a hub's words goes to ``found``."""
    observed = Observed(source=SOURCE)
    for site in snapshot.sites:
        region = site.get("region") or {}
        name = slug(str(site["slug"]))
        observed.sites[name] = SiteFacts(title=str(site["name"]), region=slug(str(region.get("slug", ""))))
    addresses = _racks(hub, snapshot, observed, found)
    _devices(snapshot, observed, addresses, found)
    _feeds(snapshot, observed, addresses, found)
    _links(snapshot, observed)
    read_circuits(hub, snapshot, observed, found)
    return observed


def _racks(hub: Hub, snapshot: Snapshot, observed: Observed, found: Diagnostics) -> dict[int, str]:
    """Racks with what is said of them; returns their addresses by NetBox's id."""
    locations = {int(item["id"]): item for item in snapshot.of("dcim/locations")}
    halls = {f"{site.name}/{hall.name}" for site in hub.model.sites for hall in site.halls}
    outlets = _outlets(snapshot)
    addresses: dict[int, str] = {}
    homeless: list[str] = []
    for rack in snapshot.of("dcim/racks"):
        address = _address(rack, locations, halls)
        if address is None:
            homeless.append(str(rack["name"]))
            continue
        if address in observed.racks:
            hint = "give one of them another name, or a location of its own"
            found.error("NBX011", f"NetBox has two racks that would be {address}", hint=hint)
            continue
        addresses[int(rack["id"])] = address
        observed.racks[address] = RackFacts(
            units=rack.get("u_height"),
            max_kg=hardware.kilograms(rack.get("max_weight"), rack.get("weight_unit")),
            rated_kw=_number(rack.get("custom_fields") or {}, "rated_kw"),
            outlets=outlets.get(int(rack["id"])),
        )
    if homeless:
        summary = f"{plural(len(homeless), 'rack')} without a location are left out: {and_more(homeless)}"
        found.warning("NBX014", summary, hint="put them into the location of their hall, or of their row")
    return addresses


def _address(rack: Object, locations: Mapping[int, Object], halls: set[str]) -> str | None:
    """``site/hall/row/rack``: the last of nested locations is the row, unless the hub knows it as a hall."""
    if not rack.get("location"):
        return None
    path: list[str] = []
    at: Object | None = locations.get(int(rack["location"]["id"]))
    while at is not None:
        path.insert(0, slug(str(at["name"])) or slug(str(at["slug"])))
        at = locations.get(int(at["parent"]["id"])) if at.get("parent") else None
    site, name = slug(str(rack["site"]["slug"])), slug(str(rack["name"]), 63)
    whole = slug("-".join(path))
    if not path or not name:
        return None
    if len(path) > 1 and f"{site}/{whole}" not in halls:
        row = path.pop()
        return f"{site}/{slug('-'.join(path))}/{row}/{name}"
    if group := slug(str((rack.get("group") or {}).get("name", ""))):
        return f"{site}/{whole}/{group}/{name}"
    match = _ROW.fullmatch(name)
    return f"{site}/{whole}/{match[1]}/{match[2]}" if match else f"{site}/{whole}/row/{name}"


def _outlets(snapshot: Snapshot) -> dict[int, int]:
    """Outlets of each side by rack: those of its smallest rack PDU."""
    found: dict[int, int] = {}
    for device in snapshot.of("dcim/devices"):
        if _is_pdu(device) and device.get("rack"):
            rack, count = int(device["rack"]["id"]), int(device["power_outlet_count"])
            found[rack] = min(count, found.get(rack, count))
    return found


def _is_pdu(device: Object) -> bool:
    return (
        bool(device.get("power_outlet_count")) and "pdu" in f"{device['role']['slug']} {device['role']['name']}".lower()
    )


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _devices(snapshot: Snapshot, observed: Observed, addresses: Mapping[int, str], found: Diagnostics) -> None:
    left: defaultdict[str, list[str]] = defaultdict(list)
    used: dict[int, Object] = {}
    for device in snapshot.of("dcim/devices"):
        name = slug(str(device.get("name") or ""), 63)
        if reason := _not_counted(device, name, addresses):
            if reason != "pdu":
                left[reason].append(name or f"#{device['id']}")
            continue
        if name in observed.machines:
            hint = "names of devices have to differ within a hub, also without case and signs"
            found.error("NBX011", f'NetBox has two devices that would be "{name}"', hint=hint)
            continue
        used.setdefault(int(device["device_type"]["id"]), device)
        observed.machines[name] = _machine(device, addresses)
    for reason, names in left.items():
        found.warning("NBX014", f"{plural(len(names), 'device')} {reason}: {and_more(names)}", hint=_LEFT[reason])
    _types(snapshot, observed, used)


_LEFT = {
    "without a name are left out": "name them; a hub knows its devices by name",
    "without a rack are left out": "put them into their rack",
    "in bays are counted with their chassis": "draw and weight are those of the chassis; nothing is to be done",
}


def _not_counted(device: Object, name: str, addresses: Mapping[int, str]) -> str:
    if device.get("status") in GONE or _is_pdu(device):
        return "pdu"
    if device.get("parent_device"):
        return "in bays are counted with their chassis"
    if not name:
        return "without a name are left out"
    rack = device.get("rack")
    return "" if rack and int(rack["id"]) in addresses else "without a rack are left out"


def _machine(device: Object, addresses: Mapping[int, str]) -> MachineFacts:
    kind, words = device["device_type"], f"{device['role']['slug']} {device['role']['name']}"
    position = device.get("position")
    return MachineFacts(
        rack=addresses[int(device["rack"]["id"])],
        type=_type_name(kind),
        role=hardware.role_of(words),
        unit=int(float(position)) if position else None,
        serial=str(device.get("serial") or ""),
        model=f"{kind['manufacturer']['name']} {kind['model']}",
        host=_host(device.get("custom_fields") or {}),
    )


def _host(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """What makes a device a host of the hub; NetBox knows it only where somebody made fields for it."""
    cores, memory, arch = (fields.get(name) for name in _HOST_FIELDS)
    if not (isinstance(cores, int) and isinstance(memory, int | float) and arch in ("amd64", "arm64")):
        return None
    found: dict[str, Any] = {"role": str(fields.get("host_role") or "storage"), "arch": arch, "cores": cores}
    if fields.get("cluster"):
        found |= {"role": "worker", "cluster": str(fields["cluster"])}
        found |= {"pool": str(fields["pool"])} if fields.get("pool") else {}
    return found | {"memory": f"{int(memory)}Gi"}


def _type_name(kind: Object) -> str:
    return slug(str(kind["slug"]))


def _types(snapshot: Snapshot, observed: Observed, used: Mapping[int, Object]) -> None:
    supplies, interfaces = (
        _templates(snapshot.of(path)) for path in ("dcim/power-port-templates", "dcim/interface-templates")
    )
    for item in snapshot.of("dcim/device-types"):
        device = used.get(int(item["id"]))
        if device is None:
            continue
        words = f"{device['role']['slug']} {device['role']['name']}"
        own = (supplies.get(int(item["id"]), []), interfaces.get(int(item["id"]), []))
        observed.types[_type_name(item)] = hardware.type_of(item, *own, kind=hardware.kind_of(words))


def _templates(items: Iterable[Object]) -> dict[int, list[Object]]:
    found: defaultdict[int, list[Object]] = defaultdict(list)
    for item in items:
        if item.get("device_type"):
            found[int(item["device_type"]["id"])].append(item)
    return dict(found)


def _feeds(snapshot: Snapshot, observed: Observed, addresses: Mapping[int, str], found: Diagnostics) -> None:
    """Feeds of racks; the panel that they come from is the element."""
    strange: list[str] = []
    for feed in snapshot.of("dcim/power-feeds"):
        if not feed.get("rack") or int(feed["rack"]["id"]) not in addresses:
            continue
        if feed.get("supply") == "dc":
            strange.append(str(feed["name"]))
            continue
        element = slug(str(feed["power_panel"]["name"]))
        side = "b" if feed.get("type") == "redundant" else "a"
        key = (addresses[int(feed["rack"]["id"])], side)
        if key in observed.feeds or not element:
            strange.append(str(feed["name"]))
            continue
        # Which kind of board it is, NetBox does not say.
        observed.elements[element] = "pdu"
        observed.feeds[key] = FeedFacts(
            element=element,
            breaker_amps=float(feed["amperage"]) if feed.get("amperage") else None,
            volts=abs(float(feed["voltage"])),
            phases=3 if feed.get("phase") == "three-phase" else 1,
            derating=float(feed.get("max_utilization") or 100) / 100,
        )
    if strange:
        summary = f"{plural(len(strange), 'feed')} cannot be said in a hub: {and_more(strange)}"
        hint = "a rack has one AC feed of type primary (side A) and one of type redundant (side B)"
        found.warning("NBX015", summary, hint=hint)


def _links(snapshot: Snapshot, observed: Observed) -> None:
    """Pairs of devices whose ports are connected, also through patch panels; each pair is seen from both ends."""
    seen: set[frozenset[int]] = set()
    for interface in snapshot.of("dcim/interfaces"):
        if interface.get("connected_endpoints_type") != "dcim.interface":
            continue
        for other in interface.get("connected_endpoints") or ():
            pair = frozenset((int(interface["id"]), int(other["id"])))
            ends = [slug(str(end["device"].get("name") or ""), 63) for end in (interface, other)]
            if pair in seen or not all(end in observed.machines for end in ends) or ends[0] == ends[1]:
                continue
            seen.add(pair)
            _count_link(observed, interface, ends)


def _count_link(observed: Observed, interface: Object, ends: list[str]) -> None:
    port = hardware.port_of(str(interface.get("type", "")))
    if port is None or interface.get("mgmt_only"):
        return
    gbps = float(interface["speed"]) / 1e6 if interface.get("speed") else port[0]
    lower, upper = sorted(ends, key=lambda name: (_ORDER[observed.machines[name].role], natural(name)))
    # A cage takes copper and glass; only what is in it would tell, and NetBox does not.
    key = (lower, upper, gbps, "rj45" if port[1] == "rj45" else "")
    observed.links[key] = observed.links.get(key, 0) + 1
