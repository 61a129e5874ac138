"""Network ports of racks: those that are cabled, and those of the switches that stand in them, by speed and media."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from govhub.inventory.loader import Hub
from govhub.inventory.model.fabric import DeviceRole, Media, Ports, PortUse, meets, takes
from govhub.inventory.patterns import expand
from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.placing.need import Need

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

    There are those that a port of ``media`` can be joined with. Taken are those that links name, and those of the
    rack's hosts that no link names: they are cabled in their rack. What is not declared is taken to need one of them.
    """
    racks = hub.topology.racks
    place = {address: number for number, address in enumerate(racks)}
    have, taken = np.full(len(place), np.nan), np.zeros(len(place))
    inside: defaultdict[int, list[Ports]] = defaultdict(list)
    switches = _fitting(hub, speed, _known(media))
    for name, fitting in switches.items():
        at = place[hub.topology.devices[name].rack]
        have[at] = np.nan_to_num(have[at]) + sum(port.count for port in fitting)
        inside[at] += fitting
    if not switches:
        return taken, have
    linked: set[str] = set()
    for link in hub.model.links:
        lower, upper = expand(link.lower), expand(link.upper)
        linked |= set(lower)
        if link.gbps == speed:
            for name in upper:
                if any(takes(port.media, link.media) for port in switches.get(name, ())):
                    taken[place[hub.topology.devices[name].rack]] += link.count * len(lower)
    for host in hub.topology.hosts.values():
        at = place[host.rack]
        if host.name not in linked and at in inside:
            taken[at] += sum(
                port.count
                for port in hub.model.hosts[host.entry].ports
                if port.gbps == speed and any(meets(own.media, port.media) for own in inside[at])
            )
    return taken, have


def _fitting(hub: Hub, speed: float, media: Media | None) -> dict[str, list[Ports]]:
    """The ports of each switch for servers that a server's of this speed and media can be joined with."""
    types = {kind.name: kind for kind in reversed(hub.model.device_types)}
    return {
        device.name: [
            port
            for port in types[device.type].ports
            if port.gbps == speed and port.use is not PortUse.UP and meets(port.media, media)
        ]
        for device in hub.topology.devices.values()
        if device.role in _FOR_SERVERS
    }


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


def _known(media: str) -> Media | None:
    return Media(media) if media else None
