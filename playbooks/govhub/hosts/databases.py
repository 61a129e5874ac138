"""What the roles of database servers are told: who leads and who follows, the tenants' accounts, who may connect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from govhub.core.canonical import digest
from govhub.hosts.expressions import secret
from govhub.hosts.moving import addresses, incoming
from govhub.hosts.reach import Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.model.databases import Database, DatabaseEngine
from govhub.inventory.model.network import Purpose
from govhub.inventory.topology import PlacedHost

FORMS = {DatabaseEngine.POSTGRESQL: "scram", DatabaseEngine.MARIADB: "mysql"}
"""What the servers keep of passwords; those themselves never reach them."""
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Served:
    """A database server on one of its hosts; ``hosts`` are those that can be reached, the primary first."""

    database: Database
    hosts: tuple[str, ...]

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.database.port or self.database.engine.port


def served_by(hub: Hub, reached: Reaches, host: str) -> Iterator[Served]:
    """The database servers of a host; none whose primary cannot be reached, for there is nothing to follow."""
    for database in hub.model.databases:
        if host in database.hosts and database.hosts[0] in reached.hosts:
            yield Served(database, tuple(name for name in database.hosts if name in reached.hosts))


def database_groups(hub: Hub, reached: Reaches, host: PlacedHost) -> list[str]:
    """Ansible's groups, such as ``postgresql_primary``; plays bring primaries up before standbys."""
    return [
        f"{item.database.engine.value}_{'primary' if item.hosts[0] == host.name else 'standby'}"
        for item in served_by(hub, reached, host.name)
    ]


def database_variables(hub: Hub, reached: Reaches, host: PlacedHost) -> dict[str, Any]:
    """The options of the roles ``postgresql`` and ``mariadb``."""
    items = list(served_by(hub, reached, host.name))
    out: dict[str, Any] = {}
    for item in items:
        memory = host.memory // _MIB // len(items)
        found = _variables(hub, reached, host.name, item) | {"memory": memory}
        found["moves"] = [move.as_dict() for move in incoming(hub, reached, item.database)]
        if item.database.engine is DatabaseEngine.MARIADB:
            found["number"] = item.database.hosts.index(host.name) + 1
            found["domain"] = domain_of(hub, item.database)
        out |= {f"{item.database.engine.value}_{key}": value for key, value in found.items()}
    return out


def database_rules(hub: Hub, reached: Reaches, host: PlacedHost) -> list[dict[str, Any]]:
    """What may reach the servers: where the clusters' pods and nodes are, its other hosts, and sources of moves."""
    rules = []
    for item in served_by(hub, reached, host.name):
        partners = [f"{partner['address']}/32" for partner in _partners(reached, host.name, item)]
        moves = addresses(hub, reached, item.database)
        clients = client_networks(hub, reached)
        for name, sources in (("", clients), (" replication", partners), (" moves", moves)):
            found = {"name": f"{item.database.engine.value}{name}", "protocol": "tcp", "ports": [item.port]}
            rules.append(found | {"sources": sources})
    return rules


def domain_of(hub: Hub, database: Database) -> int:
    """The domain of a MariaDB server's transaction numbers: not another server's, and never 0, as usual."""
    return 1 + int(digest([hub.name, "databases", database.name])[:7], 16)


def client_networks(hub: Hub, reached: Reaches) -> list[str]:
    """Where systems run: the nodes and pods of the clusters."""
    purposes = (Purpose.NODES, Purpose.PODS)
    declared = [str(prefix.cidr) for prefix in hub.model.prefixes if prefix.purpose in purposes]
    return sorted({*declared, *(net for purpose in purposes for net in reached.networks.get(purpose.value, []))})


def secret_address(database: str, account: str) -> str:
    """Where an account's password stands among the secrets of a hub."""
    return f"databases/{database}/{account}"


def _variables(hub: Hub, reached: Reaches, host: str, item: Served) -> dict[str, Any]:
    database, primary = item.database, item.hosts[0]
    accounts = [entry.database for entry in database.tenants]
    form = FORMS[database.engine]
    return {
        "server": database.name,
        "host": host,
        "port": item.port,
        "primary": {} if host == primary else {"name": primary, "address": reached.hosts[primary].address},
        "partners": _partners(reached, host, item),
        "networks": client_networks(hub, reached),
        "generation": database.generation,
        "tenants": [{"tenant": entry.tenant, "database": entry.database} for entry in database.tenants],
        "verifiers": {
            name: secret(hub.name, secret_address(database.name, name), database.generation, form=form)
            for name in accounts
        },
        "backup_at": database.backup_at,
        "backup_days": database.backup_days,
    }


def _partners(reached: Reaches, host: str, item: Served) -> list[dict[str, str]]:
    return [{"name": name, "address": reached.hosts[name].address} for name in item.hosts if name != host]
