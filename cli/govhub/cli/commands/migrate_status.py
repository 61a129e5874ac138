"""``migrate status``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from govhub.cli.commands.migrate_go import PlanFile
from govhub.cli.grammar import command
from govhub.cli.options import HubName, Markdown
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import write_side_file
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Which = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SYSTEM|WAVE]...", help="One system's run, or the board of these; of all when none."),
]
Timeline = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the phases with their times as SVG.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "status")(status)


def status(
    terminal: Terminal,
    hub: HubName,
    systems: Which = None,
    *,
    plan: PlanFile = None,
    timeline: Timeline = None,
    markdown: Markdown = None,
) -> int:
    """Show which system is at which stage, or one system's run and what it waits for. From the record alone."""
    words = tuple(systems or ())
    if timeline:
        from govhub.cli.views.timeline import timeline_svg
        from govhub.ops.migration.timeline import timeline as steps

        write_side_file(timeline, timeline_svg(steps(hub, words, plan)))
    if len(words) == 1 and not _is_wave(hub, words[0], plan):
        return _system(terminal, hub, words[0], markdown)
    return _board(terminal, hub, words, plan, markdown)


def _is_wave(hub: str, word: str, plan: Path | None) -> bool:
    from govhub.ops.migration.selecting import means_wave

    return means_wave(hub, word, plan)


def _system(terminal: Terminal, hub: str, system: str, markdown: Path | None) -> int:
    from govhub.cli.views.migration import show_system
    from govhub.ops.migration.status import one_system

    document = one_system(hub, system)
    if markdown:
        from govhub.cli.views.migration_page import system_page

        write_side_file(markdown, system_page(document, terminal.program))
    view_of(terminal).show(document, lambda console: show_system(console, document))
    return Exit.OK


def _board(terminal: Terminal, hub: str, words: tuple[str, ...], plan: Path | None, markdown: Path | None) -> int:
    from govhub.cli.views.migration import show_board
    from govhub.ops.migration.status import board

    document: dict[str, Any] = board(hub, words, plan)
    if markdown:
        from govhub.cli.views.migration_page import board_page

        write_side_file(markdown, board_page(document, terminal.program))
    view_of(terminal).show(document, lambda console: show_board(console, document))
    return Exit.FAILED if any(row["problem"] for row in document["systems"]) else Exit.OK
