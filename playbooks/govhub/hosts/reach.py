"""How hosts are reached: in the lab as the lab says, elsewhere by the address in the hub file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.core.settings import connections_file
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Join


@dataclass(frozen=True, slots=True)
class Reach:
    """One host's address and login; ``key`` and ``known_hosts`` are paths, empty for the user's own SSH settings."""

    address: str
    user: str
    key: str = ""
    known_hosts: str = ""


@dataclass(frozen=True, slots=True)
class Reaches:
    """All hosts that can be reached, and what the lab puts in the place of declared surroundings."""

    hosts: dict[str, Reach] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    """Variables of every host: the lab's mirror."""
    networks: dict[str, list[str]] = field(default_factory=dict)
    """Networks by purpose (``management``, ``nodes``) beside those that the hub declares."""
    joins: dict[str, Join] = field(default_factory=dict)
    """How hosts become nodes, by cluster."""
    sources: dict[str, Reach] = field(default_factory=dict)
    """The departments' servers that systems run on today; they are read, never configured."""


def reaches(hub: Hub) -> Reaches:
    """Who can be reached: the lab's hosts while it has any, else every host with an address.

    Raises:
        InvalidInput: the lab's file is damaged.
    """
    path = connections_file(hub.name)
    if path.is_file():
        return _of_lab(path, hub)
    login = hub.model.baseline.login
    found = {host.name: Reach(host.address, login) for host in hub.topology.hosts.values() if host.address}
    sources = {item.name: Reach(item.address, item.login) for item in hub.model.sources if item.address}
    return Reaches(found, joins={item.name: item.join for item in hub.model.clusters if item.join}, sources=sources)


def _of_lab(path: Path, hub: Hub) -> Reaches:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        hosts = {name: Reach(**entry) for name, entry in document["hosts"].items()}
        variables, networks = dict(document["variables"]), dict(document["networks"])
        joins = {name: Join.model_validate(entry) for name, entry in document.get("clusters", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput.one(
            "HST001",
            f"{path} does not say how the lab's hosts are reached",
            hint=f"govhub lab down {hub.name} && govhub lab up {hub.name} --hosts",
        ) from error
    return Reaches(
        {name: reach for name, reach in hosts.items() if name in hub.topology.hosts},
        variables,
        networks,
        joins,
        {item.name: hosts[item.name] for item in hub.model.sources if item.name in hosts},
    )
