"""``migrate plan``: systems into waves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName, Markdown
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import write_side_file
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

WhatIf = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Compare with other limits, such as teams=+1. May be repeated."),
]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan as YAML, for people to edit.")]
Check = Annotated[Path | None, typer.Option(metavar="FILE", help="Check an edited plan instead of making one.")]
Gantt = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the plan as SVG, in the language of --lang.")]
Sizes = Annotated[Path | None, typer.Option(metavar="FILE", help="Measured sizes: YAML of system, or system/move.")]
Greedy = Annotated[bool, typer.Option("--greedy", help="By simple rules, without the solver.")]
Seconds = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Stop the solver after that long.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "plan")(plan)


def plan(
    terminal: Terminal,
    hub: HubName,
    *,
    out: Out = None,
    check: Check = None,
    gantt: Gantt = None,
    what_if: WhatIf = None,
    sizes: Sizes = None,
    greedy: Greedy = False,
    seconds: Seconds = 45.0,
    markdown: Markdown = None,
) -> int:
    """Plan which system moves in which wave, or check an edited plan. Teams, line, capacity and calendar bound it."""
    from govhub.cli.i18n import language
    from govhub.cli.views.gantt import gantt as draw
    from govhub.cli.views.waves import show_waves
    from govhub.ops.migration.waves import WavesRequest, plan_waves

    view = view_of(terminal)
    result = plan_waves(
        WavesRequest(hub=hub, what_if=tuple(what_if or ()), check=check, sizes=sizes, greedy=greedy, seconds=seconds)
    )
    document, found = result.document, result.diagnostics
    if out:
        write_side_file(out, result.file(language()))
    # A plan that people keep, or one of theirs that holds; what is only looked at decides nothing.
    if not what_if and (out or (check and not result.broken)):
        # Only here: the record's libraries take as long to import as the hub does to load.
        from govhub.ops.migration.noting import note, planned

        document["recorded"] = note(document["hub"], planned(document))
    if markdown:
        from govhub.cli.views.migration_page import plan_page

        write_side_file(markdown, plan_page(document, terminal.program))
    if gantt:
        write_side_file(gantt, draw(document))
    view.show(
        document,
        lambda console: show_waves(console, document, found, terminal.program, verbose=terminal.verbose),
    )
    return Exit.POLICY if result.broken else Exit.OK
