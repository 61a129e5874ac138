"""What a hub's files tell NetBox: places, hardware and supply as objects, each with the key it is known by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import slug
from govhub.inventory.model.compute import Hosts
from govhub.inventory.model.fabric import DeviceType, Media, Ports
from govhub.inventory.model.power import Side
from govhub.inventory.powertree import PowerTree, power_tree
from govhub.inventory.topology import PlacedDevice, PlacedHost

Key = tuple[str, ...]
Reference = tuple[str, Key]
"""Endpoint and key of the object that is meant."""
MAKER = "govhub-unspecified"
"""A hub names no manufacturers, and NetBox has no type without one."""
_CAGES = {
    Media.SFP: "x-sfp",
    Media.SFP_PLUS: "x-sfpp",
    Media.SFP28: "x-sfp28",
    Media.SFP56: "x-sfp56",
    Media.QSFP_PLUS: "x-qsfpp",
    Media.QSFP28: "x-qsfp28",
    Media.QSFP56: "x-qsfp56",
    Media.QSFP_DD: "x-qsfpdd",
    Media.OSFP: "x-osfp",
}
_USUAL = {1: "x-sfp", 10: "x-sfpp", 25: "x-sfp28", 40: "x-qsfpp", 50: "x-sfp56", 100: "x-qsfp28", 200: "x-qsfp56"}
_LARGE = {400: "x-qsfpdd", 800: "x-osfp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One object as NetBox shall have it."""

    path: str
    key: Key
    values: Mapping[str, Any]
    refs: Mapping[str, Reference] = field(default_factory=dict)
    part_of: Reference | None = None
    """The object that it is a component of, which says whose it is; components carry no tags."""


def places(hub: Hub) -> Iterator[Wanted]:
    """Sites, halls and rows as locations, racks."""
    halls: dict[Key, None] = {}
    rows: dict[Key, None] = {}
    for site in hub.model.sites:
        yield Wanted(path="dcim/sites", key=(site.name,), values={"name": site.title.en, "slug": site.name})
    for rack in hub.topology.racks.values():
        halls.setdefault((rack.site, rack.hall))
        rows.setdefault((rack.site, rack.hall, rack.row))
    for key in (*halls, *rows):
        refs: dict[str, Reference] = {"site": ("dcim/sites", key[:1])}
        refs |= {"parent": ("dcim/locations", key[:-1])} if len(key) > 2 else {}
        yield Wanted(path="dcim/locations", key=key, values={"name": key[-1], "slug": slug(key[-1])}, refs=refs)
    for rack in hub.topology.racks.values():
        key = (rack.site, rack.hall, rack.row, rack.name)
        values = {"name": rack.name, "u_height": rack.units, "max_weight": round(rack.max_kg), "weight_unit": "kg"}
        refs = {"site": ("dcim/sites", key[:1]), "location": ("dcim/locations", key[:3])}
        yield Wanted(path="dcim/racks", key=key, values=values, refs=refs)


def hardware(hub: Hub) -> Iterator[Wanted]:
    """Manufacturer, roles, types with supplies and ports, and the devices of them."""
    if not (hub.topology.hosts or hub.topology.devices):
        return
    yield Wanted(path="dcim/manufacturers", key=(MAKER,), values={"name": "Unspecified (govhub)", "slug": MAKER})
    types = {kind.name: kind for kind in reversed(hub.model.device_types)}
    runs = {host.entry: hub.model.hosts[host.entry] for host in hub.topology.hosts.values()}
    roles = {role_of_host(host) for host in hub.topology.hosts.values()}
    roles |= {_role(device, types) for device in hub.topology.devices.values()}
    for name in sorted(roles):
        yield Wanted(path="dcim/device-roles", key=(name,), values={"name": name, "slug": name, "color": "607d8b"})
    for name in sorted({device.type for device in hub.topology.devices.values()}):
        kind = types[name]
        yield from _type(slug(name), kind.units, kind.watts, kind.kg, kind.cords, kind.ports)
    described = {type_of_host(run): run for run in runs.values()}
    for name, run in sorted(described.items()):
        yield from _type(name, run.units, run.watts, run.kg, run.cords, run.ports)
    for host in hub.topology.hosts.values():
        yield _device(host, type_of_host(runs[host.entry]), role_of_host(host), host.serial)
    for device in hub.topology.devices.values():
        yield _device(device, slug(device.type), _role(device, types), "")


def role_of_host(host: PlacedHost) -> str:
    """What NetBox calls the role of a host."""
    return f"host-{host.role.value}"


def type_of_host(run: Hosts) -> str:
    """A type for hosts of one size; hubs describe hosts without naming a model."""
    ports = "-".join(f"{port.count}x{port.gbps:g}g" for port in run.ports)
    return slug(f"host-{run.units}u-{run.watts}w-{run.kg:g}kg-{run.cords}c-{ports}", 100)


def _role(device: PlacedDevice, types: Mapping[str, DeviceType]) -> str:
    return types[device.type].kind.value if device.role == "none" else device.role


def _type(name: str, units: int, watts: float, kg: float, cords: int, ports: Sequence[Ports]) -> Iterator[Wanted]:
    own: Reference = ("dcim/device-types", (name,))
    values = {"model": name, "slug": name, "u_height": float(units), "weight": round(kg, 2), "weight_unit": "kg"}
    refs: dict[str, Reference] = {"manufacturer": ("dcim/manufacturers", (MAKER,))}
    yield Wanted(path=own[0], key=own[1], values=values, refs=refs)
    # A whole number is what NetBox takes; each of two supplies carries all of it.
    for number in range(cords if watts else 0):
        supply = {"name": f"PSU{number + 1}", "maximum_draw": max(round(watts), 1)}
        yield _component("dcim/power-port-templates", own, supply)
    for port_name, port in port_names(ports):
        yield _component("dcim/interface-templates", own, {"name": port_name, "type": interface_type(port)})


def _component(path: str, own: Reference, values: Mapping[str, Any]) -> Wanted:
    key = (*own[1], str(values["name"]))
    return Wanted(path=path, key=key, values=values, refs={"device_type": own}, part_of=own)


def port_names(ports: Iterable[Ports]) -> Iterator[tuple[str, Ports]]:
    """A name for each port: its speed, which way it looks, and a number."""
    counted: dict[str, int] = {}
    for group in ports:
        base = f"{group.gbps:g}g-{group.use.value}"
        for _ in range(group.count):
            counted[base] = counted.get(base, 0) + 1
            yield f"{base}-{counted[base]}", group


def interface_type(port: Ports) -> str:
    """The type that NetBox has for a port; without media the usual cage of its speed."""
    speed = f"{port.gbps * 1000:g}base" if port.gbps <= 1 else f"{port.gbps:g}gbase"
    if port.media is Media.RJ45:
        return f"{speed}-t"
    if port.media in _CAGES:
        return f"{speed}-{_CAGES[port.media]}"
    usual = (_USUAL | _LARGE).get(int(port.gbps), "") if port.gbps == int(port.gbps) else ""
    return f"{speed}-{usual}" if usual else "other"


def _device(machine: PlacedHost | PlacedDevice, kind: str, role: str, serial: str) -> Wanted:
    key = tuple(machine.rack.split("/"))
    values: dict[str, Any] = {"name": machine.name, "position": machine.unit and float(machine.unit)}
    values |= {"face": "front" if machine.unit else None} | ({"serial": serial} if serial else {})
    refs: dict[str, Reference] = {
        "device_type": ("dcim/device-types", (kind,)),
        "role": ("dcim/device-roles", (role,)),
        "site": ("dcim/sites", key[:1]),
        "location": ("dcim/locations", key[:3]),
        "rack": ("dcim/racks", key),
    }
    return Wanted(path="dcim/devices", key=(machine.name,), values=values, refs=refs)


def supply(hub: Hub) -> Iterator[Wanted]:
    """Elements that feed racks as power panels, and the feeds; what is above them NetBox has no place for."""
    tree = power_tree(hub.model, hub.topology.racks)
    fed: dict[int, list[str]] = {}
    for side in Side:
        for rack, at in tree.feeds[side].items():
            fed.setdefault(at[0], []).append(rack)
    sites = {element: racks[0].split("/")[0] for element, racks in fed.items()}
    for element, racks in sorted(fed.items()):
        halls = {tuple(rack.split("/")[:2]) for rack in racks}
        refs: dict[str, Reference] = {"site": ("dcim/sites", (sites[element],))}
        refs |= {"location": ("dcim/locations", halls.pop())} if len(halls) == 1 else {}
        name = tree.names[element]
        yield Wanted(path="dcim/power-panels", key=(sites[element], name), values={"name": name}, refs=refs)
    for side in Side:
        yield from _feeds(hub, tree, side, sites)


def _feeds(hub: Hub, tree: PowerTree, side: Side, sites: Mapping[int, str]) -> Iterator[Wanted]:
    for rack, (element, entry, _) in tree.feeds[side].items():
        feed = hub.model.feeds[entry]
        if feed.breaker_amps is None:
            # NetBox would fill in 20 A.
            continue
        panel: Key = (sites[element], tree.names[element])
        name = f"{rack} {side.value}"
        values = {
            "name": name,
            "type": "primary" if side is Side.A else "redundant",
            "supply": "ac",
            "phase": "three-phase" if feed.phases == 3 else "single-phase",
            "voltage": round(feed.volts),
            "amperage": round(feed.breaker_amps),
            "max_utilization": round(feed.derating * 100),
        }
        refs: dict[str, Reference] = {
            "power_panel": ("dcim/power-panels", panel),
            "rack": ("dcim/racks", tuple(rack.split("/"))),
        }
        yield Wanted(path="dcim/power-feeds", key=(*panel, name), values=values, refs=refs)
