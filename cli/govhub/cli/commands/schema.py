"""``schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write the schemas into a folder.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "schema")(schema)


def schema(terminal: Terminal, out: Out = None) -> int:
    """Print the JSON Schema of a hub's files, for editors."""
    from govhub.cli.views.documents import show_json, show_written
    from govhub.inventory.schema import hub_schema, write_schemas

    if out is None:
        text = hub_schema()
        view_of(terminal).show(text, lambda console: show_json(console, text))
        return 0
    files = [str(path) for path in write_schemas(out)]
    document = {"schema": "govhub.written/1", "files": files}
    view_of(terminal).show(document, lambda console: show_written(console, tr("Written"), files))
    return 0
