"""``migrate``: departmental systems onto the cloud; each part of it has a module of its own."""

from __future__ import annotations

import typer

from govhub.cli.commands import migrate_plan
from govhub.cli.grammar import group

# Each module has `register(child)`.
_PARTS = (migrate_plan,)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "migrate", "Move departmental systems onto the cloud.")
    for part in _PARTS:
        part.register(child)
