"""Which steps move a system: the one place where movers, verification and switching are joined to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from govhub.core.settings import hub_home
from govhub.hosts.reach import Reaches, reaches
from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.inventory.moves import led_by
from govhub.migration.itinerary.folders import FolderSteps
from govhub.migration.itinerary.steps import Steps
from govhub.migration.moving.application import ApplicationSteps
from govhub.migration.moving.databases import DatabaseSteps
from govhub.migration.moving.together import Together
from govhub.migration.moving.trees import TreeSteps
from govhub.migration.moving.workload import WorkloadSteps
from govhub.ops.migration.endpoints import FILE, given
from govhub.ops.migration.leading import RemoteSettings
from govhub.ops.migration.records import migration_of
from govhub.ops.migration.refusing import HERE, refused
from govhub.ops.migration.servers import database_steps, engine_of
from govhub.ops.migration.trees import folder_of, is_folder, tree_steps
from govhub.ops.migration.units import RemoteUnit


def steps_of(hub: Hub, system: str) -> Steps:
    """The steps for a system; nothing is contacted yet.

    Raises:
        GovhubError: a part of it cannot be moved yet (RUN016).
        InvalidInput: the addresses of a database cannot be read (RUN019).
    """
    migration = migration_of(hub, system)
    kinds = {kind: [move for move in migration.moves if move.kind is kind] for kind in MoveKind}
    reached = reaches(hub)
    folders = [folder_of(move) for move in kinds[MoveKind.FILES] if is_folder(hub, move)]
    trees = [tree_steps(hub, reached, migration, move) for move in kinds[MoveKind.FILES] if not is_folder(hub, move)]
    databases = [database_steps(hub, reached, migration, move) for move in migration.moves if move.kind.is_database]
    units = [_unit(hub, reached, migration, move) for move in kinds[MoveKind.APPLICATION]]
    if not databases and not units and not trees:
        return FolderSteps(folders)
    parts: list[Steps] = [*units, *databases, *trees, *([FolderSteps(folders)] if folders else [])]
    return Together(parts, lambda: _earliest([*databases, *trees]))


def _earliest(parts: Sequence[DatabaseSteps | TreeSteps]) -> datetime | None:
    return min((at for item in parts if (at := item.part.stopped_since())), default=None)


def _unit(hub: Hub, reached: Reaches, migration: Migration, move: Move) -> ApplicationSteps | WorkloadSteps:
    reach = reached.sources.get(move.source)
    if reach is None or reach.address in HERE:
        raise refused(migration, move, f"give {move.source} an address at which SSH answers")
    assert move.unit is not None
    tunnel = Tunnel(move.source, reach)
    unit = RemoteUnit(move.unit, tunnel)
    if move.to is not None:
        # It brings the engine with it, which takes a second that each worker without workloads would wait for.
        from govhub.ops.migration.workloads import ClusterWorkload

        return WorkloadSteps(move.name, unit, ClusterWorkload(hub, migration.system, move.to))
    return ApplicationSteps(move.name, unit, _leading(hub, reached, migration, move, tunnel) if move.settings else None)


def _leading(hub: Hub, reached: Reaches, migration: Migration, move: Move, tunnel: Tunnel) -> RemoteSettings:
    database, settings = led_by(migration, move), move.settings
    assert database is not None
    assert settings is not None
    told = given(hub.name, migration.system, database.name, engine_of(database))
    if "target" in told:
        host, port = told["target"].link()
    else:
        server = next((item for item in hub.model.databases if item.name == database.to), None)
        reach = reached.hosts.get(server.hosts[0]) if server else None
        if server is None or reach is None:
            file = hub_home(hub.name) / FILE
            hint = f"`to` of {database.name} has to name a server of `databases` that is reached, or {file} it"
            raise refused(migration, move, hint)
        host, port = reach.address, server.port or server.engine.port
    keys = {name: key for name, key in (("host", settings.host), ("port", settings.port)) if key}
    target = {"host": host, "port": str(port)}
    return RemoteSettings(file=settings.file, keys=keys, target=target, tunnel=tunnel)
