"""Where images come from: the hub's own registry on one of its hosts, and how nodes find it."""

from __future__ import annotations

from typing import Any

from govhub.hosts.reach import Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.topology import PlacedHost

GROUP = "image_registry"


def keeps_images(hub: Hub, reached: Reaches, host: PlacedHost) -> bool:
    """Whether the hub's registry runs on this host."""
    registry = hub.model.baseline.registry
    return registry is not None and registry.host == host.name and host.name in reached.hosts


def registry_variables(hub: Hub, reached: Reaches, host: PlacedHost) -> dict[str, Any]:
    """The options of the role ``registry``; none for other hosts."""
    registry = hub.model.baseline.registry
    if registry is None or not keeps_images(hub, reached, host):
        return {}
    return {
        "registry_address": reached.hosts[host.name].address,
        "registry_port": registry.port,
        "registry_archives": registry.archives or "",
        "registry_images": [image.model_dump() for image in registry.images],
    }


def registry_rules(hub: Hub, reached: Reaches, host: PlacedHost, nodes: list[str]) -> list[dict[str, Any]]:
    """Nodes may reach it."""
    registry = hub.model.baseline.registry
    if registry is None or not keeps_images(hub, reached, host):
        return []
    return [{"name": "images", "protocol": "tcp", "ports": [registry.port], "sources": nodes}]


def mirrors(hub: Hub, reached: Reaches) -> list[dict[str, str]]:
    """For each registry that images may name, where nodes ask instead; none when the hub has no registry of its own."""
    registry = hub.model.baseline.registry
    if registry is None or registry.host not in reached.hosts:
        return []
    url = f"https://{reached.hosts[registry.host].address}:{registry.port}"
    names = sorted({prefix.partition("/")[0] for prefix in hub.model.hub.registries})
    return [{"name": name, "url": url} for name in names]
