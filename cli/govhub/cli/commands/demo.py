"""``demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from govhub.cli.approval import Approval
from govhub.cli.commands.running import Options
from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.signals import Interrupts
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.ops.demo import DemoResult
    from govhub.ops.requests import PlanResult

HUB = "jinzhou"
MIGRATE = "migrate"
Hub = Annotated[
    str,
    typer.Argument(metavar="[HUB|migrate]", help="The hub to show (Huating is small and quick), or `migrate`."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "demo")(demo)


def demo(terminal: Terminal, hub: Hub = HUB) -> int:
    """Provision a hub's whole cloud in a lab on this machine, from nothing.

    `demo migrate` tells a migration instead, on real hosts: an old server's systems move while they are written to,
    one is rolled back after its cutover, and everything is taken down again. It needs root and takes minutes.
    """
    if hub == MIGRATE:
        return _migrate(terminal)
    from govhub.cli.views.plan import show_plan
    from govhub.ops.demo import demo as use_case
    from govhub.ops.requests import RunRequest

    view = view_of(terminal)
    options = Options(operation="up", hub=hub, yes=True, confirm=())

    def show(result: PlanResult) -> None:
        # The picture of the plan belongs to the demo, but stdout is for its result alone.
        if result.plan.changes and not terminal.json:
            show_plan(terminal.err, result.plan, None, verbose=False)

    with view.watch() as progress, Interrupts(view.message) as interrupts:
        request = RunRequest(
            hub=hub,
            approve=Approval(terminal, options.operation, options.yes),
            listener=progress,
            on_start=interrupts.attach,
        )
        result = use_case(request, view.message, show)
    view.show(result.as_dict(), lambda console: _show(console, result, terminal))
    return result.run.exit


def _migrate(terminal: Terminal) -> int:
    from govhub.cli.views.migration_story import show_step, show_story
    from govhub.ops.migration.demo.telling import demo_migrate

    view = view_of(terminal)
    document = demo_migrate(view.message, lambda told: show_step(view, told))
    view.show(document, lambda console: show_story(console, document))
    return 0


def _show(console: Console, result: DemoResult, terminal: Terminal) -> None:
    from govhub.cli.views.run import show_run

    show_run(console, result.run, "up", terminal.program, verbose=terminal.verbose)
    made = ", ".join(f"{count:,} {tr(what)}" for what, count in result.made.items())
    console.print(f"\n{tr('What there is now')}: {made}", highlight=False, soft_wrap=True)
    steps = ", ".join(f"{tr(name)} {seconds:.1f} s" for name, seconds in result.seconds.items())
    console.print(f"{tr('Steps')}: {steps}", highlight=False, soft_wrap=True)
    console.print(f"\n{tr('What to try next')}:", highlight=False)
    for line in _next(result, terminal.program):
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def _next(result: DemoResult, program: str) -> list[str]:
    clusters: list[dict[str, Any]] = result.lab["clusters"]
    kubeconfig = clusters[0]["kubeconfig"]
    again = "" if result.hub == HUB else f" {result.hub}"
    return [
        f"{program} demo{again}          # {tr('again: nothing to do, in seconds')}",
        f"{program} status {result.hub}",
        f"kubectl --kubeconfig {kubeconfig} get nodes",
        f"{program} drift {result.hub}   # {tr('after a change by hand; `up` puts it right')}",
        f"{program} plan {result.hub} --against HEAD   # {tr('what an edit of the files changes')}",
        f"{program} destroy {result.hub} --confirm {result.hub} && {program} lab down {result.hub}",
    ]
