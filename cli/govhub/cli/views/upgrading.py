"""Upgrades of hosts, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from govhub.cli.i18n import tr
from govhub.cli.views.text import diagnostics, line, row, safe, seconds, table
from govhub.core.text import and_more

if TYPE_CHECKING:
    from govhub.ops.upgrading.requests import Upgrade, UpgradeResult


def show_waiting(console: Console, hosts: list[Upgrade]) -> None:
    """What waits on each host, who goes together, what departments lose, and whose systems stand still meanwhile."""
    out = table(
        tr("Round"),
        tr("Host"),
        tr("packages"),
        tr("restart"),
        tr("pods that go"),
        tr("stands still meanwhile"),
        numbers=(0, 4),
    )
    ordered = sorted(hosts, key=lambda item: item.round or len(hosts) + 1)
    for item in ordered:
        packages = and_more([safe(name) for name in item.packages], 2) if item.packages else "–"
        restart = tr("waits for one") if item.reboot else "–"
        stands = and_more(item.interrupts, 2) if item.interrupts else "–"
        row(out, str(item.round or "–"), item.host, packages, restart, str(item.pods), stands)
    console.print(out)
    _show_losses(console, ordered)
    for item in ordered:
        if item.only_opened:
            line(console, f"{safe(item.host)}: {tr('was left closed, and is opened again')}")
        elif item.status == "over budget":
            line(console, f"{safe(item.host)}: {tr('left out')}: {safe(item.why)}")


def _show_losses(console: Console, hosts: list[Upgrade]) -> None:
    if not any(item.losses for item in hosts):
        return
    out = table(
        tr("Round"),
        tr("Host"),
        tr("Department"),
        tr("pods that go"),
        tr("of"),
        tr("not ready"),
        tr("may be away"),
        numbers=(0, 3, 4, 5, 6),
    )
    for item in hosts:
        for loss in item.losses:
            counts = (str(count) for count in (loss.pods, loss.of, loss.gone, loss.allowed))
            row(out, str(item.round or "–"), item.host, loss.tenant, *counts)
    line(console)
    console.print(out)


def show_upgraded(console: Console, result: UpgradeResult, program: str, *, looked: bool, verbose: bool) -> None:
    """What became of each host, what is wrong, and how to go on."""
    if looked and result.hosts:
        show_waiting(console, result.hosts)
    words = {
        "current": tr("nothing waits"),
        "planned": tr("waits"),
        "done": tr("done"),
        "failed": tr("failed"),
        "frozen": tr("frozen"),
        "over budget": tr("over budget"),
        "not tried": tr("not tried"),
    }
    out = table(tr("Host"), tr("state"), tr("packages"), tr("time"), numbers=(2, 3))
    for item in result.hosts:
        time = seconds(item.seconds) if item.seconds else ""
        row(out, item.host, words[item.status], str(len(item.packages)), time)
    console.print(out)
    if result.problems:
        line(console)
        diagnostics(console, result.problems, verbose=verbose)
    line(console)
    left = any(item.status in ("frozen", "over budget") for item in result.hosts)
    endings = {
        "current": tr("Nothing waits on any host.") if not left else tr("Nothing was done."),
        "done": tr("All hosts are upgraded.") if not left else tr("All other hosts are upgraded."),
        "paused": tr("Paused; the next call goes on."),
        "failed": tr("Stopped at a host that is not well; the next call goes on with it."),
        "declined": tr("Nothing was done."),
    }
    line(console, endings[result.status], style="bold")
    if result.status in ("paused", "failed"):
        line(console, f"{tr('Next')}: {program} hosts upgrade {result.hub}")
