"""Which steps move a system: the one place where movers, verification and switching are joined to the engine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder
from govhub.core.settings import hub_home
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.migration.itinerary.folders import FolderMove, FolderSteps
from govhub.migration.itinerary.steps import Steps
from govhub.migration.movers.runner import LocalRunner
from govhub.migration.moving.databases import DatabaseSteps
from govhub.migration.moving.ends import Given
from govhub.migration.moving.part import Part, short_name
from govhub.migration.moving.together import Together
from govhub.ops.migration.endpoints import FILE, given
from govhub.ops.migration.records import migration_of

HERE = ("localhost", "127.0.0.1", "::1")
ARCHIVES = "archives"
"""Under the hub's home: backups and archives of what moves, by system."""


def steps_of(hub: Hub, system: str) -> Steps:
    """The steps for a system; nothing is contacted yet.

    Raises:
        GovhubError: a part of it cannot be moved yet (RUN016).
        InvalidInput: the addresses of a database cannot be read (RUN019).
    """
    migration = migration_of(hub, system)
    databases = [_database(hub, migration, move) for move in migration.moves if move.kind is MoveKind.POSTGRESQL]
    others = [move for move in migration.moves if move.kind is not MoveKind.POSTGRESQL]
    folders = [_folder(hub, migration, move) for move in others]
    if not databases:
        return FolderSteps(folders)
    parts: list[Steps] = [*databases, *([FolderSteps(folders)] if folders else [])]
    return Together(parts, lambda: _earliest(databases))


def _earliest(databases: list[DatabaseSteps]) -> datetime | None:
    return min((at for item in databases if (at := item.part.stopped_since())), default=None)


def _database(hub: Hub, migration: Migration, move: Move) -> DatabaseSteps:
    ends = given(hub.name, migration.system, move.name)
    if ends is None:
        place = hub_home(hub.name) / FILE
        raise _refused(migration, move, f"give the addresses of both databases in {place}")
    archives = private_folder(hub_home(hub.name) / ARCHIVES / migration.system)
    name = short_name(hub.name, migration.system, move.name)
    return DatabaseSteps(Part(move.name, name, Given(ends), archives, LocalRunner(archives / "work")))


def _folder(hub: Hub, migration: Migration, move: Move) -> FolderMove:
    sources = {item.name: item for item in hub.model.sources}
    if move.kind is not MoveKind.FILES or sources[move.source].address not in HERE or move.to is not None:
        hint = (
            "what is moved so far: PostgreSQL databases, and folders of this machine (a source at localhost, no `to`)"
        )
        raise _refused(migration, move, hint)
    assert move.path is not None
    return FolderMove(move.name, Path(move.path), Path(move.to_path or f"{move.path}.moved"))


def _refused(migration: Migration, move: Move, hint: str) -> GovhubError:
    summary = f'nothing moves "{move.name}" of {migration.system} ({move.kind} on {move.source}) yet'
    return GovhubError.one("RUN016", summary, hint=hint)
