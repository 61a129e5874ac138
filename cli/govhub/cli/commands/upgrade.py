"""``hosts upgrade``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from govhub.cli.approval import agreed
from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.options import DrainTimeout, HubName, Limit, Yes
from govhub.cli.signals import Interrupts
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

if TYPE_CHECKING:
    from govhub.ops.upgrading.requests import Upgrade


class Reboot(StrEnum):
    """When a host is started anew."""

    WHEN_REQUIRED = "when-required"
    ALWAYS = "always"
    NEVER = "never"


Restart = Annotated[Reboot, typer.Option("--reboot", help="When hosts are started anew.")]
AtOnce = Annotated[
    int, typer.Option("--at-once", metavar="N", min=1, max=64, help="Hosts at the same time, as far as budgets allow.")
]
Confirmed = Annotated[
    list[str] | None,
    typer.Option(
        "--confirm",
        metavar="TENANT",
        help="A department that may lose more than its budget, to one host at a time. May be repeated.",
    ),
]
PauseAfter = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Stop after this many hosts; the next call goes on.")
]
Wait = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="For a node and its workloads to be well again.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what waits.")]


def register(child: typer.Typer) -> None:
    """Add the command to the group `hosts`."""
    command(child, "upgrade")(upgrade)


def upgrade(
    terminal: Terminal,
    hub: HubName,
    *,
    limit: Limit = None,
    reboot: Restart = Reboot.WHEN_REQUIRED,
    at_once: AtOnce = 1,
    confirm: Confirmed = None,
    pause_after: PauseAfter = None,
    drain_timeout: DrainTimeout = 600.0,
    wait: Wait = 300.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Bring newer packages to hosts within every department's budget; nodes are emptied first."""
    from govhub.cli.views.upgrading import show_upgraded, show_waiting
    from govhub.ops.upgrading.requests import UpgradeRequest
    from govhub.ops.upgrading.upgrade import upgrade as run

    view = view_of(terminal)

    def approve(hosts: list[Upgrade]) -> bool:
        if dry_run:
            return False
        show_waiting(terminal.err if terminal.json else terminal.out, hosts)
        return agreed(terminal, tr("Upgrade these hosts?"), yes=yes, look=f"hosts upgrade {hub} --dry-run")

    with view.watch() as progress, Interrupts(view.message) as interrupts:
        result = run(
            UpgradeRequest(
                hub=hub,
                limit=tuple(limit or ()),
                reboot=reboot.value,
                at_once=at_once,
                confirmed=tuple(confirm or ()),
                pause_after=pause_after,
                drain_seconds=drain_timeout,
                wait=wait,
                approve=approve,
                listener=progress,
                on_start=interrupts.attach,
            )
        )
    view.show(
        result.as_dict(),
        lambda console: show_upgraded(console, result, terminal.program, looked=dry_run, verbose=terminal.verbose),
    )
    return result.exit
