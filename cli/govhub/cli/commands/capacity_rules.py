"""``capacity rules``, ``capacity alerts`` and ``capacity dashboards``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Out = Annotated[
    Path, typer.Option(metavar="DIR", help="The folder; files of others in it stay, equal ones are not touched.")
]
Serve = Annotated[str, typer.Option(metavar="URL", help="Address of `govhub serve`, for the example.")]
Manager = Annotated[str, typer.Option(metavar="HOST:PORT", help="Address of Alertmanager, for the example.")]
Webhook = Annotated[
    str, typer.Option(metavar="URL", help="Address that receivers send to, their name appended; else they are empty.")
]
Runbook = Annotated[str, typer.Option(metavar="URL", help="Address of the runbook page; the project's when not given.")]
Room = Annotated[int, typer.Option(metavar="N", min=1, help="Servers that each hall should still have room for.")]
Near = Annotated[float, typer.Option(metavar="SHARE", min=0.1, max=1, help="Part of a limit that counts as near.")]
OrderDays = Annotated[int, typer.Option(metavar="DAYS", min=1, help="Days before the last day to order.")]

Folder = Annotated[str, typer.Option("--path", metavar="DIR", help="Where the dashboards will be on Grafana's host.")]
Source = Annotated[str, typer.Option(metavar="URL", help="Prometheus' address; writes a data source for Grafana, too.")]


def register(child: typer.Typer) -> None:
    """Add the commands to ``capacity``."""
    command(child, "rules")(rules)
    command(child, "alerts")(alerts)
    command(child, "dashboards")(dashboards)


def rules(
    terminal: Terminal,
    hub: HubName,
    *,
    out: Out,
    serve: Serve = "http://127.0.0.1:9840",
    alertmanager: Manager = "127.0.0.1:9093",
) -> int:
    """Write Prometheus' recording rules with their unit tests, and examples of its configuration."""
    from govhub.cli.views.capacity_rules import show_files
    from govhub.ops.capacity.rules import rules as run

    document = run(hub, out, serve=serve, alertmanager=alertmanager)
    view_of(terminal).show(document, lambda console: show_files(console, document))
    return Exit.OK


def alerts(
    terminal: Terminal,
    hub: HubName,
    *,
    out: Out,
    webhook: Webhook = "",
    runbook: Runbook = "",
    room: Room = 20,
    near: Near = 0.9,
    order_days: OrderDays = 30,
) -> int:
    """Write alerting rules with their unit tests, and Alertmanager's routes and inhibition for this hub."""
    from govhub.cli.i18n import language
    from govhub.cli.views.capacity_rules import show_files
    from govhub.monitoring.rules.limits import Limits
    from govhub.monitoring.rules.texts import Texts
    from govhub.ops.capacity.rules import alerts as run

    limits = Limits(room=room, near=near, order_days=order_days)
    document = run(hub, out, limits=limits, texts=Texts(language(), runbook), webhook=webhook)
    view_of(terminal).show(document, lambda console: show_files(console, document))
    return Exit.OK


def dashboards(
    terminal: Terminal,
    hub: HubName,
    *,
    out: Out,
    path: Folder = "/var/lib/grafana/dashboards/govhub",
    prometheus: Source = "",
) -> int:
    """Write Grafana's dashboards and the files that make Grafana read them."""
    from govhub.cli.i18n import language
    from govhub.cli.views.capacity_rules import show_files
    from govhub.ops.capacity.rules import dashboards as run

    document = run(hub, out, language=language(), path=path, prometheus=prometheus)
    view_of(terminal).show(document, lambda console: show_files(console, document))
    return Exit.OK
