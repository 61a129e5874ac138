"""``migrate metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import write_side_file
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write them there, such as DIR/govhub.prom; whole or not at all."),
]
Offline = Annotated[bool, typer.Option("--offline", help="From the record alone; contact no server of a move.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "metrics")(metrics)


def metrics(terminal: Terminal, hub: HubName, *, out: Out = None, offline: Offline = False) -> int:
    """Figures of migrations for Prometheus' textfile collector: stages, runs, lag, bytes."""
    from govhub.cli.views.metrics import exposition
    from govhub.cli.views.text import line
    from govhub.ops.migration.figures import figures_of

    figures = figures_of(hub, ask=not offline)
    text = exposition(figures)
    if out:
        write_side_file(out, text)
    document = {
        "schema": "govhub.migrate-metrics/1",
        "hub": figures.hub,
        "file": str(out) if out else None,
        "text": text,
    }
    if terminal.json or not out:
        view_of(terminal).show(document, lambda console: line(console, text.rstrip("\n")))
    return Exit.OK
