"""``hosts retire``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import DrainTimeout, HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

Hosts = Annotated[list[str], typer.Argument(metavar="HOST…", help="The hosts that leave.")]
Wipe = Annotated[bool, typer.Option("--wipe", help="Overwrite data, keys and disks first, and record what was done.")]
Confirm = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST", help="Each host again, to do it; without, it is only shown. May be repeated."),
]
NoDrainCheck = Annotated[
    bool, typer.Option("--no-drain-check", help="Neither empty nodes nor ask their cluster: it is gone.")
]


def register(child: typer.Typer) -> None:
    """Add the command to the group `hosts`."""
    command(child, "retire")(retire)


def retire(
    terminal: Terminal,
    hub: HubName,
    hosts: Hosts,
    *,
    wipe: Wipe = False,
    confirm: Confirm = None,
    drain_timeout: DrainTimeout = 600.0,
    no_drain_check: NoDrainCheck = False,
) -> int:
    """Take hosts out of a hub: nodes emptied, wiped with evidence, out of the files, and forgotten."""
    from govhub.cli.views.machines import show_retired
    from govhub.ops.retire import RetireRequest
    from govhub.ops.retire import retire as run

    view = view_of(terminal)
    with view.watch() as progress:
        result = run(
            RetireRequest(
                hub=hub,
                hosts=tuple(hosts),
                wipe=wipe,
                confirm=tuple(confirm or ()),
                drain_check=not no_drain_check,
                drain_seconds=drain_timeout,
                listener=progress,
            )
        )
    view.show(result.as_dict(), lambda console: show_retired(console, result, verbose=terminal.verbose))
    return result.exit
