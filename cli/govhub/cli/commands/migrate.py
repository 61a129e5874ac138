"""``migrate``: departmental systems onto the cloud; its commands have modules of their own."""

from __future__ import annotations

import typer

from govhub.cli.commands import (
    migrate_approve,
    migrate_dossier,
    migrate_go,
    migrate_hold,
    migrate_metrics,
    migrate_movers,
    migrate_plan,
    migrate_portfolio,
    migrate_run,
    migrate_status,
    migrate_verify,
)
from govhub.cli.grammar import group

# Each module has `register(child)`.
_COMMANDS = (
    migrate_portfolio,
    migrate_plan,
    migrate_run,
    migrate_go,
    migrate_status,
    migrate_movers,
    migrate_approve,
    migrate_hold,
    migrate_verify,
    migrate_dossier,
    migrate_metrics,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "migrate", "Move departmental systems onto the cloud, with proof and a way back.")
    for module in _COMMANDS:
        module.register(child)
