"""``migrate hold``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="The system whose migration is open.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")]
Release = Annotated[bool, typer.Option("--release", help="Let it go back by itself again.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "hold")(hold)


def hold(terminal: Terminal, hub: HubName, system: System, *, reason: Reason = "", release: Release = False) -> int:
    """Keep a migration from going back to its source by itself."""
    from govhub.cli.views.migration import show_held
    from govhub.ops.migration.holding import Hold
    from govhub.ops.migration.holding import hold as enter

    document = enter(Hold(hub=hub, system=system, held=not release, reason=reason))
    view_of(terminal).show(document, lambda console: show_held(console, document))
    return Exit.OK
