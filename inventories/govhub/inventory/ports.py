"""Which port of a device carries which link.

Hubs declare how many ports of which speed a device has, and links between devices, not the port of each cable. Whoever
needs one (a meter, a reading of it) takes it from here: ports are counted from 1 in the order of the device's type, and
links take the first free port of their speed in the order in which they are declared; the lower end one that looks
up, the upper end one that looks down.
"""

from __future__ import annotations

from dataclasses import dataclass

from govhub.inventory.loader import Hub
from govhub.inventory.model.fabric import PortUse
from govhub.inventory.patterns import PatternError, expand


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a device."""

    name: str
    """``p1`` and so on."""
    gbps: float
    use: str
    """``up``, ``down`` or ``any``."""
    link: str = ""
    """The declared link that it carries; empty when it is free."""
    peer: str = ""
    """The device or host at the other end."""


def ports_of(hub: Hub) -> dict[str, list[Port]]:
    """The ports of every device, in order; links for which a device has no free port are left out."""
    types = {kind.name: kind.ports for kind in reversed(hub.model.device_types)}
    ports: dict[str, list[Port]] = {}
    for device in hub.topology.devices.values():
        each = [(item.gbps, item.use.value) for item in types[device.type] for _ in range(item.count)]
        ports[device.name] = [Port(f"p{place}", gbps, use) for place, (gbps, use) in enumerate(each, 1)]
    for link in hub.model.links:
        try:
            lower, upper = expand(link.lower), expand(link.upper)
        except PatternError:
            continue
        for below in lower:
            for above in upper:
                for _ in range(link.count):
                    _plug(ports.get(below, []), link.gbps, PortUse.UP, link.name, above)
                    _plug(ports.get(above, []), link.gbps, PortUse.DOWN, link.name, below)
    return ports


def _plug(ports: list[Port], gbps: float, use: PortUse, link: str, peer: str) -> None:
    """Take the first free port that looks the right way; one that may look either way comes last."""
    for wanted in (use.value, PortUse.ANY.value):
        for place, port in enumerate(ports):
            if not port.link and port.gbps == gbps and port.use == wanted:
                ports[place] = Port(port.name, port.gbps, port.use, link, peer)
                return
