"""Which steps move a system: the one place where movers, verification and switching are joined to the engine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder
from govhub.core.settings import hub_home
from govhub.hosts.reach import Reaches, reaches
from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.inventory.model.databases import DatabaseEngine
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.inventory.moves import led_by
from govhub.migration.itinerary.folders import FolderMove, FolderSteps
from govhub.migration.itinerary.steps import Steps
from govhub.migration.moving.application import ApplicationSteps
from govhub.migration.moving.databases import DatabaseSteps
from govhub.migration.moving.part import Part, short_name
from govhub.migration.moving.together import Together
from govhub.ops.migration.endpoints import FILE, given
from govhub.ops.migration.leading import RemoteSettings
from govhub.ops.migration.overssh import OverSsh, Side, Sides, Told
from govhub.ops.migration.places import FromMover, Place
from govhub.ops.migration.records import migration_of
from govhub.ops.migration.units import RemoteUnit

HERE = ("localhost", "127.0.0.1", "::1")
ARCHIVES = "archives"
"""Under the hub's home: backups and archives of what moves, by system."""
_PORT = DatabaseEngine.POSTGRESQL.port


def steps_of(hub: Hub, system: str) -> Steps:
    """The steps for a system; nothing is contacted yet.

    Raises:
        GovhubError: a part of it cannot be moved yet (RUN016).
        InvalidInput: the addresses of a database cannot be read (RUN019).
    """
    migration = migration_of(hub, system)
    kinds = {kind: [move for move in migration.moves if move.kind is kind] for kind in MoveKind}
    for move in kinds[MoveKind.MARIADB]:
        raise _refused(migration, move, "MariaDB has a mover, but no run drives it yet; see the page on movers")
    reached = reaches(hub)
    folders = [_folder(hub, migration, move) for move in kinds[MoveKind.FILES]]
    databases = [_database(hub, reached, migration, move) for move in kinds[MoveKind.POSTGRESQL]]
    units = [_unit(hub, reached, migration, move) for move in kinds[MoveKind.APPLICATION]]
    if not databases and not units:
        return FolderSteps(folders)
    parts: list[Steps] = [*units, *databases, *([FolderSteps(folders)] if folders else [])]
    return Together(parts, lambda: _earliest(databases))


def _earliest(databases: list[DatabaseSteps]) -> datetime | None:
    return min((at for item in databases if (at := item.part.stopped_since())), default=None)


def _database(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> DatabaseSteps:
    told = given(hub.name, migration.system, move.name)
    sides = Sides(
        Told(told["source"]) if "source" in told else _source(hub, reached, migration, move),
        Told(told["target"]) if "target" in told else _target(hub, reached, migration, move),
    )
    archives = private_folder(hub_home(hub.name) / ARCHIVES / migration.system)
    name = short_name(hub.name, migration.system, move.name)
    runner = Place(
        hub=hub, reached=reached, system=migration.system, move=move.name, archives=archives, access=sides
    ).runner()
    return DatabaseSteps(Part(move.name, name, FromMover(sides, runner), archives, runner))


def _source(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> Side:
    reach = reached.sources.get(move.source)
    if reach is None or reach.address in HERE:
        raise _refused(migration, move, f"give {move.source} an address, or the database's in {_file(hub)}")
    assert move.database is not None
    port = move.port or _PORT
    tunnel = Tunnel(move.source, reach, port)
    return OverSsh(
        hub=hub.name, move=f"{migration.system}/{move.name}", tunnel=tunnel, database=move.database, port=port
    )


def _target(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> Side:
    server = next((item for item in hub.model.databases if item.name == move.to), None)
    reach = reached.hosts.get(server.hosts[0]) if server else None
    if server is None or reach is None:
        hint = f"name a server of `databases` that can be reached in `to`, or give the target's address in {_file(hub)}"
        raise _refused(migration, move, hint)
    database = move.to_database or move.database
    assert database is not None
    port = server.port or _PORT
    tunnel = Tunnel(server.hosts[0], reach, port)
    return OverSsh(hub=hub.name, move=f"{migration.system}/{move.name}", tunnel=tunnel, database=database, port=port)


def _file(hub: Hub) -> Path:
    return hub_home(hub.name) / FILE


def _unit(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> ApplicationSteps:
    reach = reached.sources.get(move.source)
    if move.to is not None:
        hint = "leave out `to` for an application that stays where it is and finds the server that takes writes"
        raise _refused(migration, move, hint)
    if reach is None or reach.address in HERE:
        raise _refused(migration, move, f"give {move.source} an address at which SSH answers")
    assert move.unit is not None
    tunnel = Tunnel(move.source, reach)
    leading = _leading(hub, reached, migration, move, tunnel) if move.settings else None
    return ApplicationSteps(move.name, RemoteUnit(move.unit, tunnel), leading)


def _leading(hub: Hub, reached: Reaches, migration: Migration, move: Move, tunnel: Tunnel) -> RemoteSettings:
    database, settings = led_by(migration, move), move.settings
    assert database is not None
    assert settings is not None
    told = given(hub.name, migration.system, database.name)
    if "target" in told:
        host, port = told["target"].link()
    else:
        server = next((item for item in hub.model.databases if item.name == database.to), None)
        reach = reached.hosts.get(server.hosts[0]) if server else None
        if server is None or reach is None:
            hint = f"`to` of {database.name} has to name a server of `databases` that is reached, or {_file(hub)} it"
            raise _refused(migration, move, hint)
        host, port = reach.address, server.port or server.engine.port
    keys = {name: key for name, key in (("host", settings.host), ("port", settings.port)) if key}
    target = {"host": host, "port": str(port)}
    return RemoteSettings(file=settings.file, keys=keys, target=target, tunnel=tunnel)


def _folder(hub: Hub, migration: Migration, move: Move) -> FolderMove:
    sources = {item.name: item for item in hub.model.sources}
    if sources[move.source].address not in HERE or move.to is not None:
        hint = "files are moved so far between folders of this machine (a source at localhost, no `to`)"
        raise _refused(migration, move, hint)
    assert move.path is not None
    return FolderMove(move.name, Path(move.path), Path(move.to_path or f"{move.path}.moved"))


def _refused(migration: Migration, move: Move, hint: str) -> GovhubError:
    summary = f'nothing moves "{move.name}" of {migration.system} ({move.kind} on {move.source}) yet'
    return GovhubError.one("RUN016", summary, hint=hint)
