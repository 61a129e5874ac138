"""The network of the hub: ports and oversubscription of each layer's switches."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from govhub.inventory.loader import Hub
from govhub.inventory.model.fabric import PortUse
from govhub.inventory.patterns import expand
from govhub.monitoring.arithmetic.figure import Figure, total
from govhub.monitoring.arithmetic.traffic import oversubscription


def layers(hub: Hub) -> list[dict[str, object]]:
    """Each role of devices: how many, taken ports by speed, and oversubscription (ports down against links up).

    Links up are those that are declared; a device without any has an unknown way up, not none.
    """
    types = {kind.name: kind for kind in reversed(hub.model.device_types)}
    up: defaultdict[str, float] = defaultdict(float)
    taken: defaultdict[tuple[str, float], int] = defaultdict(int)
    for link in hub.model.links:
        lower, upper = expand(link.lower), expand(link.upper)
        for names, others in ((lower, upper), (upper, lower)):
            for name in names:
                taken[name, link.gbps] += link.count * len(others)
        for name in lower:
            up[name] += link.gbps * link.count * len(upper)
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for device in hub.topology.devices.values():
        roles[device.role].append(device.name)
    out: list[dict[str, object]] = []
    for role, names in sorted(roles.items()):
        kinds = [types[hub.topology.devices[name].type] for name in names]
        down = [sum(p.count * p.gbps for p in kind.ports if p.use is PortUse.DOWN) or np.nan for kind in kinds]
        ways = [up.get(name, np.nan) for name in names]
        speeds = sorted({port.gbps for kind in kinds for port in kind.ports})
        ports: dict[str, Figure] = {}
        for speed in speeds:
            have = [sum(port.count for port in kind.ports if port.gbps == speed) or np.nan for kind in kinds]
            used = np.array([float(taken[name, speed]) for name in names])
            ports[f"{speed:g}"] = total(used, np.array(have, dtype=np.float64), "ports")
        ratio = oversubscription(np.array(down, dtype=np.float64), np.array(ways, dtype=np.float64))
        out.append({"role": role, "devices": len(names), "ports_gbps": ports, "oversubscription": ratio})
    return out
