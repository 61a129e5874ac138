"""Drift for people: what was deleted, edited or left by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import diagnostics, field, heading, line, more, safe, seconds

if TYPE_CHECKING:
    from govhub.engine.drift import Drifted
    from govhub.hosts.outcome import HostOutcome
    from govhub.ops.requests import DriftResult

FIELDS = 6
FEW = 50
SIGNS = {"edited": ("~", "yellow"), "deleted": ("-", "red"), "unknown": ("?", "magenta")}


def show_drift(console: Console, result: DriftResult, program: str, *, verbose: bool = False) -> None:
    """Objects that are not as recorded, field by field; clusters that could not be read are said first."""
    if result.unreachable:
        diagnostics(console, result.unreachable, verbose=verbose)
    compared = trn("{count} object compared", "{count} objects compared", result.compared)
    time = seconds(result.seconds)
    hosts = [item for item in result.hosts if item.changed]
    if not result.drifted and not hosts:
        # Only of what was read: silence about a cluster is no proof.
        verdict = tr("no drift where it could be read") if result.unreachable else tr("no drift")
        line(console, f"{result.hub}: {verdict}; {compared}; {time}", style="bold")
        return
    count = trn("{count} object drifted", "{count} objects drifted", len(result.drifted) + len(hosts))
    line(console, f"{result.hub}: {count}; {compared}; {time}", style="bold")
    heading(console, tr("Drift"))
    limit = len(result.drifted) if verbose else FEW
    for item in result.drifted[:limit]:
        _item(console, item, verbose)
    more(console, len(result.drifted) - limit, "  ")
    for host in hosts:
        _host(console, host)
    line(console, f"{tr('To put it right')}: {program} up {result.hub}")


def _host(console: Console, item: HostOutcome) -> None:
    head = Text("  ")
    head.append(f"~ {tr('edited')}", style="yellow")
    head.append(f"  hosts/{safe(item.host)}")
    line(console, head)
    for task in item.changed:
        line(console, f"      {safe(task)}")
        for text in item.diffs.get(task, "").splitlines()[:FIELDS]:
            line(console, f"        {safe(text)}")


def _item(console: Console, item: Drifted, verbose: bool) -> None:
    sign, style = SIGNS[item.kind.value]
    words = {"edited": tr("edited"), "deleted": tr("deleted"), "unknown": tr("unknown to the state")}
    head = Text("  ")
    head.append(f"{sign} {words[item.kind.value]}", style=style)
    head.append(f"  {safe(item.address)}")
    line(console, head)
    limit = len(item.diff) if verbose else FIELDS
    for one in item.diff[:limit]:
        line(console, f"      {field(one)}")
    more(console, len(item.diff) - limit, "      ")
