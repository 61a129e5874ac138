"""``migrate run``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from govhub.cli.commands.migrate_go import PlanFile, Wait, Workers
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
    list[str] | None,
    typer.Argument(metavar="[SYSTEM|WAVE]...", help="Which systems or waves; all with an open run when none."),
]
Itinerary = Annotated[Way | None, typer.Option(help="Begin this one; without it, only go on with what is open.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "run")(run)


def run(
    terminal: Terminal,
    hub: HubName,
    systems: Systems = None,
    *,
    itinerary: Itinerary = None,
    plan: PlanFile = None,
    wait: Wait = 0.0,
    workers: Workers = 4,
) -> int:
    """Go on with the runs of systems until each has to wait, has failed or is through."""
    from govhub.cli.views.migration import show_runs
    from govhub.cli.views.wave import following
    from govhub.core.errors import UsageError
    from govhub.ops.migration.run import RunSystems, run_systems

    if itinerary and not systems:
        raise UsageError.one("RUN018", "which systems?", hint="name those that are to begin an itinerary")
    view = view_of(terminal)
    words = tuple(systems or ())
    with following(terminal, hub, words, plan) as listener:
        document = run_systems(
            RunSystems(
                hub=hub,
                systems=words,
                plan=plan,
                itinerary=itinerary.value if itinerary else "",
                wait=wait,
                workers=workers,
                listener=listener,
            )
        )
    view.show(document, lambda console: show_runs(console, document, terminal.program))
    return max((item["exit"] for item in document["systems"]), default=int(Exit.OK))
