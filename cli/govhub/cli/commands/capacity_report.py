"""``capacity report``: the morning page as text, Markdown, JSON or one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.commands.capacity_forecast import Folder, Horizon, Seasonal
from govhub.cli.grammar import command
from govhub.cli.options import HubName, Markdown
from govhub.cli.terminal import Terminal
from govhub.cli.views.tables import Csv, one_form, show_rows
from govhub.core.exits import Exit

Against = Annotated[
    Path | None, typer.Option(metavar="FILE", help="An earlier report (--json): also say what changed since.")
]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Write one HTML file that needs no network.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``capacity``."""
    command(child, "report")(report)


def report(
    terminal: Terminal,
    hub: HubName,
    *,
    against: Against = None,
    markdown: Markdown = None,
    html: Html = None,
    horizon: Horizon = 540,
    history: Folder = None,
    seasonal: Seasonal = False,
    csv: Csv = False,
) -> int:
    """Show the morning page: what is full, what runs out when, what to order by when, what changed."""
    from govhub.cli.views.capacity_report import report_page, show_report
    from govhub.cli.views.files import write_side_file
    from govhub.ops.capacity.csvs import forecast_lines
    from govhub.ops.capacity.forecast import ForecastRequest
    from govhub.ops.capacity.report import report as run

    one_form(terminal, csv=csv)
    document = run(ForecastRequest(hub=hub, horizon=horizon, folder=history, seasonal=seasonal), against)
    if markdown:
        write_side_file(markdown, report_page(document, terminal.program))
    if html:
        from govhub.cli.views.capacity_html import report_html

        write_side_file(html, report_html(document))
    show_rows(
        terminal,
        document,
        lambda console: show_report(console, document, verbose=terminal.verbose),
        forecast_lines,
        csv=csv,
    )
    return Exit.OK
