"""``validate``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import Events, Junit, Markdown, Sarif
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import SideFiles
from govhub.cli.views.view import view_of

Hubs = Annotated[list[str] | None, typer.Argument(metavar="[HUB]...", help="Names or folders; none for all hubs.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "validate")(validate)


def validate(
    terminal: Terminal,
    hubs: Hubs = None,
    junit: Junit = None,
    sarif: Sarif = None,
    markdown: Markdown = None,
    events: Events = None,
) -> int:
    """Check hubs: files, meaning, capacity and policies. Needs no engine and no cluster."""
    names = tuple(hubs or ())
    with SideFiles(command="validate", hubs=names, junit=junit, sarif=sarif, markdown=markdown, events=events) as files:
        from govhub.cli.views.validation import show_validation
        from govhub.ops.validate import validate as run

        result = run(names)
        files.validated(result)
    view_of(terminal).show(result.as_dict(), lambda console: show_validation(console, result, verbose=terminal.verbose))
    return result.exit
