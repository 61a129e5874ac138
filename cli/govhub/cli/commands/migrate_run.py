"""``migrate run``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit


class Way(StrEnum):
    """What ``--itinerary`` takes."""

    REHEARSE = "rehearse"
    MIGRATE = "migrate"
    CANCEL = "cancel"
    ROLL_BACK = "roll-back"
    RETIRE = "retire"


Systems = Annotated[
    list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="Which systems; all with an open run when none.")
]
Itinerary = Annotated[Way | None, typer.Option(help="Begin this one; without it, only go on with what is open.")]
Wait = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Stay and look again for that long before runs are left parked.")
]
Workers = Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Systems at the same time.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "run")(run)


def run(
    terminal: Terminal,
    hub: HubName,
    systems: Systems = None,
    *,
    itinerary: Itinerary = None,
    wait: Wait = 0.0,
    workers: Workers = 4,
) -> int:
    """Go on with the runs of systems until each has to wait, has failed or is through."""
    from govhub.cli.views.migration import show_event, show_runs
    from govhub.core.errors import UsageError
    from govhub.ops.migration.run import RunSystems, run_systems

    if itinerary and not systems:
        raise UsageError.one("RUN018", "which systems?", hint="name those that are to begin an itinerary")
    view = view_of(terminal)
    document = run_systems(
        RunSystems(
            hub=hub,
            systems=tuple(systems or ()),
            itinerary=itinerary.value if itinerary else "",
            wait=wait,
            workers=workers,
            listener=lambda event: show_event(view, event),
        )
    )
    view.show(document, lambda console: show_runs(console, document, terminal.program))
    return max((item["exit"] for item in document["systems"]), default=int(Exit.OK))
