"""Which steps move a system: the one place where movers, verification and switching are joined to the engine."""

from __future__ import annotations

from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.migration.itinerary.folders import FolderMove, FolderSteps
from govhub.migration.itinerary.steps import Steps
from govhub.ops.migration.records import migration_of

HERE = ("localhost", "127.0.0.1", "::1")


def steps_of(hub: Hub, system: str) -> Steps:
    """The steps for a system.

    Raises:
        GovhubError: a part of it cannot be moved yet (RUN016).
    """
    migration = migration_of(hub, system)
    return FolderSteps([_folder(hub, migration, move) for move in migration.moves])


def _folder(hub: Hub, migration: Migration, move: Move) -> FolderMove:
    sources = {item.name: item for item in hub.model.sources}
    if move.kind is not MoveKind.FILES or sources[move.source].address not in HERE or move.to is not None:
        raise GovhubError.one(
            "RUN016",
            f'nothing moves "{move.name}" of {migration.system} ({move.kind} on {move.source}) yet',
            hint="what is moved so far: folders of this machine (a source at localhost, no `to`)",
        )
    assert move.path is not None
    return FolderMove(move.name, Path(move.path), Path(move.to_path or f"{move.path}.moved"))
