"""``migrate rehearse``, ``cutover``, ``rollback``, ``retire`` and ``cancel``: the itineraries by their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

if TYPE_CHECKING:
    from govhub.ops.migration.run import RunSystems

Document = dict[str, Any]
Which = Annotated[list[str], typer.Argument(metavar="SYSTEM|WAVE...", help="Systems, or waves such as wave-3.")]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="Waves of this plan file, not of the plan of record.")
]
Wait = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Stay and look again for that long before runs are left parked.")
]
Workers = Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Systems at the same time.")]
Confirm = Annotated[
    list[str] | None,
    typer.Option(metavar="SOURCE", help="Take this source out of the hub's files; without, only the diff is shown."),
]


def register(child: typer.Typer) -> None:
    """Add the commands to ``migrate``."""
    command(child, "rehearse")(rehearse)
    command(child, "cutover")(cutover)
    command(child, "rollback")(rollback)
    command(child, "retire")(retire)
    command(child, "cancel")(cancel)


def rehearse(
    terminal: Terminal, hub: HubName, systems: Which, *, plan: PlanFile = None, wait: Wait = 0.0, workers: Workers = 4
) -> int:
    """Go the way of a migration on a copy that is removed again; users notice nothing."""
    return _begin(terminal, "rehearse", hub, systems, plan, wait, workers)


def rollback(
    terminal: Terminal, hub: HubName, systems: Which, *, plan: PlanFile = None, wait: Wait = 0.0, workers: Workers = 4
) -> int:
    """Bring users back to the source after the cutover, with what they wrote on the target."""
    return _begin(terminal, "roll-back", hub, systems, plan, wait, workers)


def cancel(
    terminal: Terminal, hub: HubName, systems: Which, *, plan: PlanFile = None, wait: Wait = 0.0, workers: Workers = 4
) -> int:
    """Give a migration or rehearsal up before the point of no return; the source is as it was."""
    return _begin(terminal, "cancel", hub, systems, plan, wait, workers)


def cutover(
    terminal: Terminal, hub: HubName, systems: Which, *, plan: PlanFile = None, wait: Wait = 0.0, workers: Workers = 4
) -> int:
    """From the approval over the stop of writes and the switch; refused unless gate and window are open."""
    from govhub.cli.views.cutover import show_ahead
    from govhub.ops.migration.cutover import cut_over

    view = view_of(terminal)

    def announce(ahead: list[Document]) -> None:
        if not terminal.json:
            show_ahead(terminal.err, ahead)

    def go(request: RunSystems) -> Document:
        return cut_over(request, announce)

    return _shown(terminal, view, go, hub, systems, plan, wait, workers)


def retire(
    terminal: Terminal,
    hub: HubName,
    systems: Which,
    *,
    confirm: Confirm = None,
    plan: PlanFile = None,
    wait: Wait = 0.0,
    workers: Workers = 4,
) -> int:
    """Archive and wipe the sources of accepted systems, then free what they hold in the hub."""
    from govhub.cli.views.cutover import show_retirement
    from govhub.ops.migration.retiring import retire_systems

    found: list[Document] = []

    def go(request: RunSystems) -> Document:
        found.append(retire_systems(request, tuple(confirm or ())))
        return found[0]

    def more(console: Any) -> None:
        show_retirement(console, found[0], terminal.program)

    return _shown(terminal, view_of(terminal), go, hub, systems, plan, wait, workers, more)


def _begin(
    terminal: Terminal, itinerary: str, hub: str, systems: list[str], plan: Path | None, wait: float, workers: int
) -> int:
    from dataclasses import replace

    from govhub.ops.migration.run import run_systems

    def go(request: RunSystems) -> Document:
        return run_systems(replace(request, itinerary=itinerary))

    return _shown(terminal, view_of(terminal), go, hub, systems, plan, wait, workers)


def _shown(
    terminal: Terminal,
    view: Any,
    go: Callable[[RunSystems], Document],
    hub: str,
    systems: list[str],
    plan: Path | None,
    wait: float,
    workers: int,
    more: Callable[[Any], None] = lambda _: None,
) -> int:
    from govhub.cli.views.migration import show_runs
    from govhub.cli.views.wave import following
    from govhub.ops.migration.run import RunSystems

    words = tuple(systems)
    with following(terminal, hub, words, plan) as listener:
        document = go(RunSystems(hub=hub, systems=words, plan=plan, wait=wait, workers=workers, listener=listener))

    def show(console: Any) -> None:
        show_runs(console, document, terminal.program)
        more(console)

    view.show(document, show)
    return max((item["exit"] for item in document["systems"]), default=int(Exit.OK))
