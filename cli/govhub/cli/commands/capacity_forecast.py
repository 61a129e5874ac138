"""``capacity forecast`` and ``capacity history``: when what runs out, and the days that it stands on."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command, group
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.tables import Csv, one_form, show_rows
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Place = Annotated[str, typer.Option(metavar="PLACE", help="A site, site/hall, site/hall/row or rack; all of it.")]
Resource = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="power, allocated, space, racks, cooling or cores. May be repeated."),
]
Horizon = Annotated[int, typer.Option(metavar="DAYS", min=1, max=3650, help="How far ahead to look.")]
Folder = Annotated[Path | None, typer.Option("--history", metavar="DIR", help="Where the history is kept.")]
Seasonal = Annotated[
    bool, typer.Option("--seasonal", help="Weekly pattern and intervals by statsforecast (govhub[forecast]).")
]
Address = Annotated[str, typer.Option("--prometheus", metavar="URL", help="The Prometheus to ask.")]
Since = Annotated[
    datetime | None, typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="First day; else 30 days back, or more.")
]
Until = Annotated[datetime | None, typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="Last day; else yesterday.")]
Again = Annotated[bool, typer.Option("--again", help="Also days that are kept already.")]
Seconds = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Give a question up after that.")]
Keep = Annotated[int, typer.Option(metavar="DAYS", min=1, help="Months older than this keep one row a place.")]
Months = Annotated[bool, typer.Option("--months", help="The months of years whose days are not kept any more.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV: day, metric, place, p95, max, mean, coverage.")]


def register(child: typer.Typer) -> None:
    """Add the commands to ``capacity``."""
    command(child, "forecast")(forecast)
    history = group(child, "history", "Daily values that forecasts stand on: collect, list, bring in and out.")
    command(history, "collect")(collect)
    command(history, "show")(show)
    command(history, "import")(import_)
    command(history, "export")(export)
    command(history, "compact")(compact)


def forecast(
    terminal: Terminal,
    hub: HubName,
    *,
    place: Place = "",
    resource: Resource = None,
    horizon: Horizon = 540,
    history: Folder = None,
    seasonal: Seasonal = False,
    csv: Csv = False,
) -> int:
    """Show when each resource runs out, how sure that is, and by when to order. Contacts nobody."""
    from govhub.cli.views.capacity_forecast import show_forecast
    from govhub.ops.capacity.csvs import forecast_lines
    from govhub.ops.capacity.forecast import ForecastRequest, forecast_hub

    one_form(terminal, csv=csv)
    request = ForecastRequest(
        hub=hub,
        place=place.strip("/"),
        resources=tuple(resource or ()),
        horizon=horizon,
        folder=history,
        seasonal=seasonal,
    )
    document = forecast_hub(request)
    show_rows(
        terminal,
        document,
        lambda console: show_forecast(console, document, verbose=terminal.verbose),
        forecast_lines,
        csv=csv,
    )
    return Exit.OK


def collect(
    terminal: Terminal,
    hub: HubName,
    *,
    prometheus: Address,
    since: Since = None,
    until: Until = None,
    resource: Resource = None,
    history: Folder = None,
    again: Again = False,
    timeout: Seconds = 120.0,
) -> int:
    """Ask a Prometheus for the days that are missing and keep them; run it every day, from a timer."""
    from govhub.cli.views.capacity_forecast import show_collected
    from govhub.ops.capacity.forecast import known_resources
    from govhub.ops.capacity.history import CollectRequest, collect_history

    request = CollectRequest(
        hub=hub,
        prometheus=prometheus,
        folder=history,
        first=_day(since),
        last=_day(until),
        resources=known_resources(resource or ()),
        again=again,
        timeout=timeout,
    )
    document = collect_history(request)
    view_of(terminal).show(document, lambda console: show_collected(console, document))
    return Exit.FAILED if document["failed"] else Exit.OK


def show(terminal: Terminal, hub: HubName, *, history: Folder = None) -> int:
    """List what the history holds: metrics, places, days, gaps."""
    from govhub.cli.views.capacity_forecast import show_history
    from govhub.ops.capacity.history import show_history as run

    document = run(hub, history)
    view_of(terminal).show(document, lambda console: show_history(console, document))
    return Exit.OK


def import_(terminal: Terminal, hub: HubName, file: File, *, history: Folder = None) -> int:
    """Bring days in from CSV; rows that are wrong are told and left out."""
    from govhub.cli.views.capacity_forecast import show_imported
    from govhub.ops.capacity.history import import_history

    document = import_history(hub, file, history)
    view_of(terminal).show(document, lambda console: show_imported(console, document))
    return Exit.INVALID if document["refused"] else Exit.OK


def export(terminal: Terminal, hub: HubName, *, months: Months = False, history: Folder = None) -> int:
    """Write the history as CSV to stdout; --json says the same as a document."""
    from govhub.ops.capacity.history import export_history, exported

    text = export_history(hub, history, months=months)
    if terminal.json:
        view_of(terminal).show(exported(hub, text), lambda _: None)
    else:
        sys.stdout.write(text)
    return Exit.OK


def compact(terminal: Terminal, hub: HubName, *, keep: Keep = 1100, history: Folder = None) -> int:
    """Make one file of each month's; months older than --keep days become one row a place."""
    from govhub.cli.views.capacity_forecast import show_compacted
    from govhub.ops.capacity.history import compact_history

    document = compact_history(hub, history, keep_days=keep)
    view_of(terminal).show(document, lambda console: show_compacted(console, document))
    return Exit.OK


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
