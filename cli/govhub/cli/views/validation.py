"""The outcome of ``validate`` for people: as linters print it, so that editors can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import diagnostics, line, seconds, tally
from govhub.core.diagnostics import Severity

if TYPE_CHECKING:
    from govhub.ops.requests import ValidateResult


def show_validation(console: Console, result: ValidateResult, *, verbose: bool = False) -> None:
    """Diagnostics hub by hub, each hub's verdict, and the sum when there are several hubs."""
    for hub, items in result.hubs.items():
        diagnostics(console, items, verbose=verbose)
        bad = any(item.severity is Severity.ERROR for item in items)
        verdict = tr("not valid") if bad else tr("valid")
        counted = f" ({tally(items)})" if items else ""
        time = seconds(result.seconds.get(hub, 0.0))
        line(console, f"{hub}: {verdict}{counted}, {time}", style="bold red" if bad else "bold green")
    if len(result.hubs) > 1:
        items = [item for found in result.hubs.values() for item in found]
        hubs = trn("{count} hub", "{count} hubs", len(result.hubs))
        time = seconds(sum(result.seconds.values()))
        line(console, f"{hubs}: {tally(items) or tr('valid')}, {time}")
