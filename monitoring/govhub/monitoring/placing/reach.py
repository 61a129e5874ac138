"""What a loss means for those who work on the hub: pools, systems, databases, the network, the ways out."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.model.fabric import CircuitKind, DeviceRole, PortUse
from govhub.inventory.model.tenancy import System
from govhub.inventory.patterns import expand
from govhub.monitoring.placing import pools
from govhub.monitoring.placing.loss import Fallout


def systems(hub: Hub, found: Fallout) -> list[dict[str, Any]]:
    """Systems, services and databases that a loss reaches, the worse first.

    ``down``: no node of a pool that it needs is left, or no host of its database. ``short``: the nodes that are left
    offer less than is requested of them, so some of its pods may wait. ``reduced``: a database lost a standby or its
    primary. Which pods run where only the cluster knows; a system whose pool has room is not among them.
    """
    index = Index(hub.model)
    state = _pool_states(hub, found)
    out: list[dict[str, Any]] = []
    for _, owner in index.owners():
        cluster = index.cluster_of(owner)
        worst = [state.get((cluster or "", workload.pool or ""), "") for workload in owner.workloads]
        kind = "system" if isinstance(owner, System) else "service"
        for told in ("down", "short"):
            if told in worst:
                tenant = owner.tenant if isinstance(owner, System) else ""
                out.append({"kind": kind, "name": owner.name, "tenant": tenant, "state": told, "by": cluster or ""})
                break
    for base in hub.model.databases:
        away = [name for name in base.hosts if name in found.hosts]
        if away:
            told = "down" if len(away) == len(base.hosts) else "reduced"
            tenants = ", ".join(sorted({item.tenant for item in base.tenants}))
            out.append({"kind": "database", "name": base.name, "tenant": tenants, "state": told, "by": ", ".join(away)})
    place = found.columns.place
    out += [
        {"kind": "source", "name": source.name, "tenant": source.tenant, "state": "down", "by": source.rack}
        for source in hub.model.sources
        if source.rack in place and found.dark[place[source.rack]]
    ]
    order = ("down", "short", "reduced")
    return sorted(out, key=lambda item: (order.index(item["state"]), item["kind"], item["name"]))


def _pool_states(hub: Hub, found: Fallout) -> dict[tuple[str, str], str]:
    out: dict[tuple[str, str], str] = {}
    for row in pools.without(hub, found.hosts):
        key = row.cluster, row.pool
        if row.left < row.whole:
            if row.left == 0:
                out[key] = "down"
            elif row.left < row.requested:
                out.setdefault(key, "short")
    return out


def pool_rows(hub: Hub, found: Fallout) -> list[dict[str, Any]]:
    """Every pool that lost nodes: what is requested, and what its nodes offered and offer."""
    return [
        {
            "cluster": row.cluster,
            "pool": row.pool,
            "resource": row.resource,
            "unit": pools.RESOURCES[row.resource],
            "requested": round(row.requested, 3),
            "before": round(row.whole, 3),
            "after": round(row.left, 3),
            "below": row.left < row.requested,
        }
        for row in pools.without(hub, found.hosts)
        if row.left < row.whole
    ]


def network(hub: Hub, found: Fallout) -> dict[str, Any]:
    """Layers of switches after the loss, what lost its last way up, and lines to the outside."""
    away = found.devices | found.hosts
    ways = (_ways_up(hub, set()), _ways_up(hub, away))
    cut = sorted(name for name, gbps in ways[0].items() if gbps and name not in away and not ways[1].get(name))
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for device in hub.topology.devices.values():
        roles[device.role].append(device.name)
    down = _ports_down(hub)
    layers = []
    for role, names in sorted(roles.items()):
        left = [name for name in names if name not in away]
        sides = [_ratio(names, down, ways[0]), _ratio(left, down, ways[1])]
        layers.append(
            {"role": role, "devices": len(names), "left": len(left), "oversubscription": sides[0], "after": sides[1]}
        )
    return {"layers": layers, "cut_off": cut, "hosts_cut_off": _unreached(hub, found), "lines": _lines(hub, found)}


def _ways_up(hub: Hub, away: set[str]) -> dict[str, float]:
    """Gbit/s up of every machine below a link, to machines that are not ``away``."""
    out: defaultdict[str, float] = defaultdict(float)
    for link in hub.model.links:
        upper = sum(name not in away for name in expand(link.upper))
        for name in expand(link.lower):
            out[name] += link.gbps * link.count * upper if name not in away else 0.0
    return dict(out)


def _ports_down(hub: Hub) -> dict[str, float]:
    types = {kind.name: kind for kind in reversed(hub.model.device_types)}
    return {
        device.name: sum(port.count * port.gbps for port in types[device.type].ports if port.use is PortUse.DOWN)
        for device in hub.topology.devices.values()
    }


def _ratio(names: list[str], down: dict[str, float], up: dict[str, float]) -> float | None:
    """Gbit/s down by Gbit/s up of switches of which both are known; None when there are none, or no way up."""
    told = [name for name in names if down[name] and name in up]
    above = sum(up[name] for name in told)
    return round(sum(down[name] for name in told) / above, 3) if above else None


def _unreached(hub: Hub, found: Fallout) -> int:
    """Hosts with power whose switches are all gone: those that links name, else those in their rack."""
    ways = _ways_up(hub, found.devices | found.hosts)
    racks: defaultdict[str, list[bool]] = defaultdict(list)
    for device in hub.topology.devices.values():
        if device.role == DeviceRole.LEAF.value:
            racks[device.rack].append(device.name in found.devices)
    count = 0
    for host in hub.topology.hosts.values():
        if host.name not in found.hosts:
            gone = ways[host.name] == 0 if host.name in ways else bool(racks[host.rack]) and all(racks[host.rack])
            count += gone
    return count


def _lines(hub: Hub, found: Fallout) -> list[dict[str, Any]]:
    """Gbit/s by kind of line before and after; a line goes with its site, and with the last border device of it."""
    borders: defaultdict[str, list[bool]] = defaultdict(list)
    for device in hub.topology.devices.values():
        if device.role == DeviceRole.BORDER.value:
            borders[device.rack.partition("/")[0]].append(device.name in found.devices)
    dark = Counter(address.partition("/")[0] for address in found.columns.racks.addresses)
    sites = np.array([address.partition("/")[0] for address in found.columns.racks.addresses])
    gone = {site for site in dark if found.dark[sites == site].all()}
    gone |= {site for site, states in borders.items() if all(states)}
    out = []
    for kind in CircuitKind:
        mine = [line for line in hub.model.circuits if line.kind is kind]
        if mine:
            left = [line for line in mine if line.site not in gone and line.name not in found.lost.circuits]
            sums = [sum(line.gbps * line.count for line in lines) for lines in (mine, left)]
            out.append({"kind": kind.value, "before_gbps": sums[0], "after_gbps": sums[1]})
    return out
