"""``migrate``, whose commands have modules of their own."""

from __future__ import annotations

import typer

from govhub.cli.commands import migrate_verify
from govhub.cli.grammar import group


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "migrate", "Departmental systems move onto the cloud with data, proof and a way back.")
    migrate_verify.register(child)
