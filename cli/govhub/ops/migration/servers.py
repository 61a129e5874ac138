"""The databases of moves: which servers they are on, how those are reached, and which engine carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from govhub.core.files import private_folder
from govhub.core.settings import hub_home
from govhub.hosts.moving import mover_addresses
from govhub.hosts.reach import Reach, Reaches
from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.inventory.model.databases import Database, DatabaseEngine
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.inventory.moves import ipv4_of
from govhub.migration.moving.databases import DatabaseSteps
from govhub.migration.moving.engines.mariadb import MariadbMove
from govhub.migration.moving.engines.port import DatabaseMove
from govhub.migration.moving.engines.postgresql import PostgresMove
from govhub.migration.moving.part import Part, short_name
from govhub.migration.sql.dsn import Engine
from govhub.ops.migration.endpoints import FILE, given
from govhub.ops.migration.limiting import limits_of
from govhub.ops.migration.overssh import OverSsh, Side, Sides, Told
from govhub.ops.migration.overssh_mariadb import MariadbOverSsh
from govhub.ops.migration.places import FromMover, Place
from govhub.ops.migration.refusing import HERE, refused

ARCHIVES = "archives"
"""Under the hub's home: backups and archives of what moves, by system."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is particular to an engine."""

    engine: Engine
    port: int
    make: Callable[..., DatabaseMove]
    far: Callable[..., Side]


_KINDS: Mapping[MoveKind, _Kind] = {
    MoveKind.POSTGRESQL: _Kind(Engine.POSTGRESQL, DatabaseEngine.POSTGRESQL.port, PostgresMove, OverSsh),
    MoveKind.MARIADB: _Kind(Engine.MARIADB, DatabaseEngine.MARIADB.port, MariadbMove, MariadbOverSsh),
}


def archives_of(hub: str, system: str) -> Path:
    """The private folder of a system's archives."""
    return private_folder(hub_home(hub) / ARCHIVES / system)


def database_steps(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> DatabaseSteps:
    """The steps for a database; nothing is contacted yet.

    Raises:
        GovhubError: an end cannot be reached as the files are (RUN016).
        InvalidInput: the addresses that were given cannot be read (RUN019).
    """
    kind = _KINDS[move.kind]
    told = given(hub.name, migration.system, move.name, kind.engine)
    sides = Sides(
        Told(told["source"]) if "source" in told else _source(hub, reached, migration, move),
        Told(told["target"]) if "target" in told else _target(hub, reached, migration, move),
        kind.engine,
    )
    archives = archives_of(hub.name, migration.system)
    name = short_name(hub.name, migration.system, move.name)
    limits = limits_of(hub, move)
    make = partial(kind.make, limits=limits, **_options(move))
    place = Place(hub=hub, reached=reached, system=migration.system, move=move.name, archives=archives, access=sides)
    runner = place.runner()
    return DatabaseSteps(Part(move.name, name, FromMover(sides, runner), archives, runner, make, limits))


def _options(move: Move) -> dict[str, bool]:
    """What only PostgreSQL knows; the model allows it nowhere else."""
    if move.kind is not MoveKind.POSTGRESQL:
        return {}
    return {"offline": move.method == "dump", "full": move.replica_identity == "full"}


def engine_of(move: Move) -> Engine:
    """The engine of a database that moves."""
    return _KINDS[move.kind].engine


def _source(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> Side:
    reach = reached.sources.get(move.source)
    if reach is None or reach.address in HERE:
        raise refused(migration, move, f"give {move.source} an address, or the database's in {_file(hub)}")
    peer = _primary(hub, reached, move)
    return _far(hub, reached, migration, move, move.source, reach, peer, move.database, move.port)


def _target(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> Side:
    server = _server(hub, move)
    reach = _primary(hub, reached, move)
    if server is None or reach is None:
        hint = f"name a server of `databases` that can be reached in `to`, or give the target's address in {_file(hub)}"
        raise refused(migration, move, hint)
    peer = reached.sources.get(move.source)
    database = move.to_database or move.database
    return _far(hub, reached, migration, move, server.hosts[0], reach, peer, database, server.port)


def _server(hub: Hub, move: Move) -> Database | None:
    return next((item for item in hub.model.databases if item.name == move.to), None)


def _primary(hub: Hub, reached: Reaches, move: Move) -> Reach | None:
    server = _server(hub, move)
    return reached.hosts.get(server.hosts[0]) if server else None


def _far(
    hub: Hub,
    reached: Reaches,
    migration: Migration,
    move: Move,
    host: str,
    reach: Reach,
    peer: Reach | None,
    database: str | None,
    port: int | None,
) -> Side:
    assert database is not None
    kind = _KINDS[move.kind]
    port = port or kind.port
    tunnel = Tunnel(host, reach, port)
    return kind.far(
        hub=hub.name,
        move=f"{migration.system}/{move.name}",
        tunnel=tunnel,
        database=database,
        port=port,
        peer=ipv4_of(peer.address) if peer else None,
        movers=tuple(mover_addresses(hub, reached, migration.system)),
    )


def _file(hub: Hub) -> Path:
    return hub_home(hub.name) / FILE
