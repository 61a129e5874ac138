"""``hosts rotate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from govhub.cli.approval import agreed
from govhub.cli.i18n import tr
from govhub.cli.options import HubName, Timeout, Yes
from govhub.cli.signals import Interrupts
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.ops.rotation import RotateResult

Certificates = Annotated[
    bool, typer.Option("--certificates", help="The authority, and keys and certificates of hosts.")
]
Passwords = Annotated[bool, typer.Option("--passwords", help="Passwords of the accounts in all databases.")]
Names = Annotated[
    list[str] | None,
    typer.Option("--database", metavar="NAME", help="Passwords of this database alone. May be repeated."),
]


def rotate(
    terminal: Terminal,
    hub: HubName,
    *,
    certificates: Certificates = False,
    passwords: Passwords = False,
    database: Names = None,
    yes: Yes = False,
    timeout: Timeout = 3600.0,
) -> int:
    """Renew certificates or passwords: raise their generation in the hub's files, run, and prove."""
    from govhub.ops.requests import RunRequest
    from govhub.ops.rotation import RotateRequest
    from govhub.ops.rotation import rotate as use_case

    view = view_of(terminal)

    def approve(diff: str) -> bool:
        console = terminal.err if terminal.json else terminal.out
        console.print(diff, markup=False, highlight=False, soft_wrap=True)
        return agreed(terminal, tr("Make these changes?"), yes=yes, look=f"plan {hub}")

    with view.watch() as progress, Interrupts(view.message) as interrupts:
        run = RunRequest(hub=hub, listener=progress, on_start=interrupts.attach, timeout=timeout)
        result = use_case(
            RotateRequest(
                certificates=certificates,
                passwords=passwords,
                databases=tuple(database or ()),
                run=run,
                approve_edit=approve,
            )
        )
    view.show(result.as_dict(), lambda console: _show(console, result, terminal))
    return result.run.exit if result.run else Exit.OK


def _show(console: Console, result: RotateResult, terminal: Terminal) -> None:
    from govhub.cli.views.run import show_run
    from govhub.cli.views.text import line

    if not result.run:
        line(console, tr("declined, nothing was changed"))
        return
    show_run(console, result.run, "up", terminal.program, verbose=terminal.verbose)
    if result.proven:
        text = tr("Proven: new certificates are served, new passwords accepted, former ones refused")
        line(console, f"{text}: {', '.join(result.proven)}", style="bold green")
    for host, why in result.unproven.items():
        line(console, f"{tr('Not proven')}: {host}: {why}", style="bold red")
