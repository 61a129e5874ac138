"""What cannot be moved as the files are is refused before a run is begun."""

from __future__ import annotations

from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, Move, Strategy
from govhub.migration.record.standing import RunStanding
from govhub.ops.migration.records import migration_of

HERE = ("localhost", "127.0.0.1", "::1")
"""Addresses of this machine."""
_THERE = ("rehearse", "migrate")
_STAYS = {
    Strategy.RETAIN: "stays where it is (strategy: retain)",
    Strategy.RETIRE: "is switched off instead of moved (strategy: retire)",
}

_DECLARE = (
    "declare its databases, files and application under `moves`, such as {name: db, kind: postgresql, "
    "source: OLD-SERVER, database: NAME, to: NEW-SERVER}; a system that stays has `strategy: retain`"
)


def refused(migration: Migration, move: Move, hint: str) -> GovhubError:
    """RUN016 for a move, with a way out."""
    summary = f'nothing moves "{move.name}" of {migration.system} ({move.kind} on {move.source}) yet'
    return GovhubError.one("RUN016", summary, hint=hint)


def hold_against_files(hub: Hub, system: str, itinerary: str, run: RunStanding | None) -> None:
    """Refuse what the files say is not to move, or not what; nothing was entered yet.

    Args:
        hub: With the files as they are.
        system: That of a migration.
        itinerary: The one that is to begin; empty to go on.
        run: The open one.

    Raises:
        PolicyViolation: people decided that the system does not move (RUN034).
        InvalidInput: no part of it is declared to move (RUN033).
    """
    migration = migration_of(hub, system)
    if run is None and itinerary in _THERE and migration.staying:
        raise PolicyViolation.one(
            "RUN034",
            f"{system} {_STAYS[migration.staying]}",
            source=hub.at("migrations", hub.model.migrations.index(migration), "strategy"),
            hint="when it is to move after all, set `strategy: rehost` or `replatform` there, or remove the line",
            address=system,
        )
    # Runs that earlier versions began with nothing to move can still be given up.
    if migration.moves or "cancel" in (itinerary, run.itinerary if run else "") or not (run or itinerary in _THERE):
        return
    give_up = f"; `migrate cancel {hub.name} {system}` gives up the run that is open"
    raise InvalidInput.one(
        "RUN033",
        f"nothing of {system} is declared to move",
        source=hub.at("migrations", hub.model.migrations.index(migration)),
        address=system,
        hint=_DECLARE + (give_up if run and not run.committed else ""),
    )
