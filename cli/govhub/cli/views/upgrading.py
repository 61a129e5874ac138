"""Upgrades of hosts, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from govhub.cli.i18n import tr
from govhub.cli.views.text import diagnostics, line, row, safe, seconds, table
from govhub.core.text import and_more

if TYPE_CHECKING:
    from govhub.ops.upgrades import Upgrade, UpgradeResult


def show_waiting(console: Console, hosts: list[Upgrade]) -> None:
    """What waits on each host, and whose systems stand still meanwhile."""
    out = table(
        tr("Host"), tr("packages"), tr("restart"), tr("pods that go"), tr("stands still meanwhile"), numbers=(3,)
    )
    for item in hosts:
        packages = and_more([safe(name) for name in item.packages], 2) if item.packages else "–"
        restart = tr("waits for one") if item.reboot else "–"
        row(out, item.host, packages, restart, str(item.pods), and_more(item.interrupts, 2) if item.interrupts else "–")
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
    endings = {
        "current": tr("Nothing waits on any host."),
        "done": tr("All hosts are upgraded."),
        "paused": tr("Paused; the next call goes on."),
        "failed": tr("Stopped at a host that is not well; the next call goes on with it."),
        "declined": tr("Nothing was done."),
    }
    line(console, endings[result.status], style="bold")
    if result.status in ("paused", "failed"):
        line(console, f"{tr('Next')}: {program} hosts upgrade {result.hub}")
