"""``migrate``: the group; its commands have modules of their own."""

from __future__ import annotations

import typer

from govhub.cli.commands import migrate_approve, migrate_dossier, migrate_run, migrate_status
from govhub.cli.grammar import group

# A new command is a module with `register(child)` and a name here.
_COMMANDS = (migrate_run, migrate_status, migrate_approve, migrate_dossier)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "migrate", "Departmental systems on their way onto the cloud.")
    for module in _COMMANDS:
        module.register(child)
