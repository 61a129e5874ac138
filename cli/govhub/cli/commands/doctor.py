"""``doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Build = Annotated[bool, typer.Option("--build", help="Build what is missing (minutes, once).")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(terminal: Terminal, build: Build = False) -> int:
    """Show which tools are used, from where, and what is missing."""
    from govhub.cli.views.standing import show_doctor
    from govhub.ops.doctor import doctor as run

    view = view_of(terminal)
    document = run(build, view.message)
    view.show(document, lambda console: show_doctor(console, document, terminal.program))
    return Exit.OK if document["ok"] else Exit.MISSING_TOOL
