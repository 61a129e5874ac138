"""Hosts on which the tools of migrations run."""

from __future__ import annotations

from typing import Any

from govhub.inventory.loader import Hub
from govhub.inventory.topology import PlacedHost

GROUP = "mover"
FOLDER = "/var/lib/govhub-mover"
"""Where dumps lie, below a folder for each hub, system and move; the login's alone."""


def is_mover(hub: Hub, host: PlacedHost) -> bool:
    """Whether it is declared to carry movers."""
    return any(item.host == host.name for item in hub.model.migration.movers)


def mover_groups(hub: Hub, host: PlacedHost) -> list[str]:
    """Ansible's group of mover hosts."""
    return [GROUP] if is_mover(hub, host) else []


def mover_variables(hub: Hub, host: PlacedHost) -> dict[str, Any]:
    """The options of the role ``mover``; none for other hosts."""
    return {"mover_folder": FOLDER, "mover_login": hub.model.baseline.login} if is_mover(hub, host) else {}
