"""What hosts that leave give back: rack units, power and weight of racks, cores and memory of clusters."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from govhub.core.quantities import GIB
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Source
from govhub.inventory.sizing import capacity_of
from govhub.inventory.topology import PlacedHost


def freed(hub: Hub, names: Collection[str]) -> dict[str, Any]:
    """Racks and clusters that ``names`` (hosts, or sources of migrations) are taken from, and their room then."""
    hosts: list[PlacedHost] = list(hub.topology.hosts.values())
    inside: list[PlacedHost | Source] = [*hosts, *(source for source in hub.model.sources if source.rack)]
    stay = [item for item in inside if item.name not in names]
    left = [host for host in hosts if host.name not in names]
    gone = [host for host in hosts if host.name in names]
    racks = dict.fromkeys(str(item.rack) for item in inside if item.name in names)
    clusters = dict.fromkeys(host.cluster for host in gone if host.cluster)
    return {
        "racks": [
            {"rack": rack, "before": _room(hub, rack, inside), "after": _room(hub, rack, stay)} for rack in racks
        ],
        "clusters": [
            {"cluster": name, "before": _offer(name, hub, hosts), "after": _offer(name, hub, left)} for name in clusters
        ],
    }


def _room(hub: Hub, address: str, machines: list[PlacedHost | Source]) -> dict[str, float]:
    """Free units, kW and kg of a rack with these machines."""
    rack = hub.topology.racks[address]
    inside = [item for item in machines if item.rack == address]
    return {
        "units": rack.units - sum(host.units for host in inside),
        "kw": round(rack.rated_kw - sum(host.watts for host in inside) / 1000, 3),
        "kg": round(rack.max_kg - sum(host.kg for host in inside), 3),
    }


def _offer(cluster: str, hub: Hub, hosts: list[PlacedHost]) -> dict[str, float]:
    """Cores, GiB and nodes that the workers of a cluster offer."""
    names = {host.name for host in hosts}
    nodes = [host for host in hub.topology.nodes(cluster) if host.name in names]
    offer = capacity_of(nodes)
    return {"nodes": len(nodes), "cores": offer.millicores / 1000, "gib": offer.memory / GIB}
