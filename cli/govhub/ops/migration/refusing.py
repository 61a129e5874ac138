"""What cannot be moved as the files are is refused before a run is begun."""

from __future__ import annotations

from govhub.core.errors import GovhubError
from govhub.inventory.model.migration import Migration, Move

HERE = ("localhost", "127.0.0.1", "::1")
"""Addresses of this machine."""


def refused(migration: Migration, move: Move, hint: str) -> GovhubError:
    """RUN016 for a move, with a way out."""
    summary = f'nothing moves "{move.name}" of {migration.system} ({move.kind} on {move.source}) yet'
    return GovhubError.one("RUN016", summary, hint=hint)
