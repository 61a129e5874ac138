"""``init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

Name = Annotated[str, typer.Argument(metavar="NAME", help="The new hub's name.")]
Folder = Annotated[
    Path | None, typer.Option("--dir", metavar="DIR", help="Where to write it, instead of under inventories/.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "init")(init)


def init(terminal: Terminal, name: Name, folder: Folder = None) -> int:
    """Write a small hub that validates, to start from."""
    from govhub.cli.views.documents import show_written
    from govhub.ops.scaffold import init_hub

    written = init_hub(name, folder)
    document = {"schema": "govhub.init/1", "hub": name, "files": [str(path) for path in written]}
    following = f"{terminal.program} validate {folder or name}"
    view_of(terminal).show(document, lambda console: show_written(console, tr("Written"), document["files"], following))
    return 0
