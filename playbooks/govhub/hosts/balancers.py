"""What the role of load balancers is told: its listeners, who answers for them, and with whom it shares an address."""

from __future__ import annotations

import zlib
from typing import Any

from govhub.hosts.reach import Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.model.balancing import Listener, LoadBalancer
from govhub.inventory.topology import PlacedHost

GROUP = "load_balancer"
_ROUTERS = 255


def balancer_of(hub: Hub, host: str) -> LoadBalancer | None:
    """The load balancer that a host carries."""
    return next((item for item in hub.model.load_balancers if host in item.hosts), None)


def balancer_groups(hub: Hub, host: PlacedHost) -> list[str]:
    """Ansible's group of load balancers."""
    return [GROUP] if balancer_of(hub, host.name) else []


def balancer_variables(hub: Hub, reached: Reaches, host: PlacedHost) -> dict[str, Any]:
    """The options of the role ``load_balancer``."""
    found = balancer_of(hub, host.name)
    if not found:
        return {}
    return {
        "load_balancer_name": found.name,
        "load_balancer_listeners": [_listener(reached, item) for item in found.listeners],
        "load_balancer_shared": _shared(reached, host.name, found),
    }


def balancer_rules(hub: Hub, reached: Reaches, host: PlacedHost) -> list[dict[str, Any]]:
    """What may reach it: each listener from its zones, and its partner's signs of life."""
    found = balancer_of(hub, host.name)
    if not found:
        return []
    rules: list[dict[str, Any]] = [
        {"name": item.name, "protocol": "tcp", "ports": [item.port], "sources": _sources(hub, reached, item)}
        for item in found.listeners
    ]
    if shared := _shared(reached, host.name, found):
        rules.append({"name": "partner", "protocol": "vrrp", "ports": [], "sources": [f"{shared['partner']}/32"]})
    return rules


def _listener(reached: Reaches, item: Listener) -> dict[str, Any]:
    backends = [
        {"name": name, "address": reached.hosts[name].address} for name in item.backends if name in reached.hosts
    ]
    out = {"name": item.name, "port": item.port, "mode": item.mode.value, "target": item.target, "backends": backends}
    return out | ({"check": item.check} if item.check else {})


def _sources(hub: Hub, reached: Reaches, item: Listener) -> list[str]:
    declared = {str(prefix.cidr) for prefix in hub.model.prefixes if prefix.zone in item.zones}
    # The lab's network stands for the declared ones.
    return sorted({*declared, *reached.networks.get("nodes", [])})


def _shared(reached: Reaches, host: str, found: LoadBalancer) -> dict[str, Any]:
    """The shared address and the partner; nothing for one host, or while its partner cannot be reached."""
    partner = next((name for name in found.hosts if name != host and name in reached.hosts), None)
    if not partner or not found.address:
        return {}
    return {
        "address": str(found.address),
        "partner": reached.hosts[partner].address,
        "own": reached.hosts[host].address,
        "first": found.hosts[0] == host,
        "router": zlib.crc32(found.name.encode()) % _ROUTERS + 1,
    }
