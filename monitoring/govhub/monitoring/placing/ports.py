"""Network ports of racks: those that are cabled, and those of the switches that stand in them, by speed and media."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from govhub.inventory.loader import Hub
from govhub.inventory.model.fabric import DeviceRole, Media, PortUse
from govhub.inventory.patterns import expand
from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.placing.need import Need, ports_of

_FOR_SERVERS = (DeviceRole.LEAF.value, DeviceRole.MANAGEMENT.value)


def cabled(hub: Hub) -> tuple[Floats, Floats]:
    """Ports taken by hosts and ports cabled, of each rack; NaN where a host's ports or the rack's are unknown."""
    place = {address: number for number, address in enumerate(hub.topology.racks)}
    have = np.array([rack.ports for rack in hub.topology.racks.values()], dtype=np.float64)
    counts = [sum(port.count for port in entry.ports) or np.nan for entry in hub.model.hosts]
    taken = np.zeros(len(place))
    if not np.isnan(have).all():
        for host in hub.topology.hosts.values():
            taken[place[host.rack]] += counts[host.entry]
    return taken, have


def switched(hub: Hub, speed: float, media: str) -> tuple[Floats, Floats]:
    """Ports taken and ports there, of the switches for servers in each rack; NaN in racks without such a switch.

    Taken are those that links name, and those of the rack's hosts that no link names: they are cabled in their rack.
    A port or a host whose media is not declared goes with any.
    """
    racks = hub.topology.racks
    place = {address: number for number, address in enumerate(racks)}
    types = {kind.name: kind for kind in reversed(hub.model.device_types)}
    have, taken = np.full(len(place), np.nan), np.zeros(len(place))
    switches = {}
    for device in hub.topology.devices.values():
        if device.role in _FOR_SERVERS:
            at = place[device.rack]
            switches[device.name] = at
            fitting = [
                port.count
                for port in types[device.type].ports
                if port.gbps == speed and port.use is not PortUse.UP and _goes(port.media, media)
            ]
            have[at] = np.nan_to_num(have[at]) + sum(fitting)
    if not switches:
        return taken, have
    linked: set[str] = set()
    for link in hub.model.links:
        lower, upper = expand(link.lower), expand(link.upper)
        linked |= set(lower)
        if link.gbps == speed and _goes(link.media, media):
            for name in upper:
                if name in switches:
                    taken[switches[name]] += link.count * len(lower)
    for host in hub.topology.hosts.values():
        if host.name not in linked and not np.isnan(have[place[host.rack]]):
            wanted = ports_of(hub.model.hosts[host.entry].ports)
            taken[place[host.rack]] += sum(
                count for gbps, kind, count in wanted if gbps == speed and _goes(kind, media)
            )
    return taken, have


def room(hub: Hub, need: Need) -> dict[str, Floats]:
    """How many machines each rack has ports for, by what counts them; NaN where unknown.

    ``ports`` counts the cabled ones, ``switch`` those of the switches in the rack.
    """
    count = len(hub.topology.racks)
    out = {"ports": np.full(count, np.nan), "switch": np.full(count, np.nan)}
    if not need.ports:
        return out
    taken, have = cabled(hub)
    out["ports"] = np.floor((have - taken) / (need.port_count or 1))
    wanted: defaultdict[tuple[float, str], int] = defaultdict(int)
    for speed, media, ports in need.ports:
        wanted[speed, media] += ports
    for (speed, media), ports in wanted.items():
        taken, have = switched(hub, speed, media)
        out["switch"] = np.fmin(out["switch"], np.floor((have - taken) / ports))
    return {name: np.maximum(found, 0.0) for name, found in out.items()}


def _goes(one: Media | str | None, other: Media | str | None) -> bool:
    return not one or not other or Media(one).goes_with(Media(other))
