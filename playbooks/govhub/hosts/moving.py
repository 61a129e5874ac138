"""What declared migrations open on a database server: for its moves' sources, their accounts, and nobody else.

As long as a move is declared it is open; `up` closes it again once the entry is gone from the hub's files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from govhub.hosts.reach import Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.model.databases import Database
from govhub.inventory.moves import account_of, ipv4_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One move that ends on a database server."""

    system: str
    source: str
    address: str
    """The source's network: one address."""
    account: str
    database: str
    movers: tuple[str, ...] = ()
    """Networks of the mover hosts and nodes from which the move's tools connect."""

    def as_dict(self) -> dict[str, Any]:
        """The form for roles."""
        return {
            "system": self.system,
            "source": self.source,
            "address": self.address,
            "account": self.account,
            "database": self.database,
            "movers": list(self.movers),
        }


def incoming(hub: Hub, reached: Reaches, database: Database) -> Iterator[Incoming]:
    """The declared moves to a server, as far as their sources are reached at an IPv4 address; others get no opening."""
    for migration in hub.model.migrations:
        for move in migration.moves:
            reach = reached.sources.get(move.source)
            address = ipv4_of(reach.address) if reach else None
            if move.kind.is_database and move.to == database.name and move.database and address:
                yield Incoming(
                    system=migration.system,
                    source=move.source,
                    address=f"{address}/32",
                    account=account_of(hub.name, migration.system, move.name),
                    database=move.to_database or move.database,
                    movers=tuple(f"{item}/32" for item in mover_addresses(hub, reached, migration.system)),
                )


def mover_addresses(hub: Hub, reached: Reaches, system: str) -> list[str]:
    """Whence the tools of a system's moves may come; what pods send beyond their cluster carries the node's address."""
    found = set()
    for mover in hub.model.migration.movers:
        for host in hub.topology.hosts.values():
            on = host.name == mover.host if mover.host else host.cluster == mover.cluster
            reach = reached.hosts.get(host.name)
            address = ipv4_of(reach.address) if reach else None
            if on and mover.pool in (None, host.pool) and address and (not mover.systems or system in mover.systems):
                found.add(address)
    return sorted(found)


def addresses(hub: Hub, reached: Reaches, database: Database) -> list[str]:
    """From where the moves to a server come."""
    found = incoming(hub, reached, database)
    return sorted({address for item in found for address in (item.address, *item.movers)})


def forwarded_ports(hub: Hub, reached: Reaches, host: str) -> list[int]:
    """Ports of a host that govhub has led to itself over SSH: those of database servers that something moves to."""
    return sorted(
        {
            item.port or item.engine.port
            for item in hub.model.databases
            if host in item.hosts and addresses(hub, reached, item)
        }
    )
