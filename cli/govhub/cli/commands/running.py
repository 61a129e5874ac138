"""What ``up`` and ``destroy`` share: approval, interrupts, progress, side files and the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from govhub.cli.approval import Approval
from govhub.cli.signals import Interrupts
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import SideFiles
from govhub.cli.views.view import view_of

if TYPE_CHECKING:
    from govhub.core.events import Event
    from govhub.ops.requests import RunRequest, RunResult, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line of a run."""

    operation: str
    hub: str
    yes: bool
    confirm: tuple[str, ...]
    plan_file: Path | None = None
    timeout: float = 3600.0
    wait: float = 180.0
    workers: int = 2
    serial: str = "100%"
    max_fail: int = 100
    markdown: Path | None = None
    events: Path | None = None


def run(terminal: Terminal, options: Options, selection: Selection, use_case: Callable[[RunRequest], RunResult]) -> int:
    """Run ``use_case`` in front of the terminal and show what it did."""
    from govhub.cli.views.run import show_run
    from govhub.ops.requests import RunRequest

    view = view_of(terminal)
    files = SideFiles(command=options.operation, hubs=(options.hub,), markdown=options.markdown, events=options.events)
    with files, view.watch() as progress, Interrupts(view.message) as interrupts:

        def listen(event: Event) -> None:
            files.listen(event)
            progress(event)

        result = use_case(
            RunRequest(
                hub=options.hub,
                selection=selection,
                plan_file=options.plan_file,
                approve=Approval(terminal, options.operation, options.yes),
                confirm=options.confirm,
                listener=listen,
                on_start=interrupts.attach,
                timeout=options.timeout,
                wait=options.wait,
                workers=options.workers,
                serial=options.serial,
                max_fail=options.max_fail,
            )
        )
    try:
        files.ran(result)
    finally:
        # A page that cannot be written must not hide what the run has done.
        view.show(
            result.as_dict(),
            lambda console: show_run(console, result, options.operation, terminal.program, verbose=terminal.verbose),
        )
    return result.exit
