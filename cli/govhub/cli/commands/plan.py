"""``plan``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.options import (
    Clusters,
    Detailed,
    Events,
    HubName,
    Junit,
    Layers,
    Limit,
    Markdown,
    Sarif,
    Stacks,
    Systems,
    Tenants,
    selection,
)
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import SideFiles
from govhub.cli.views.view import View, view_of
from govhub.core.errors import UsageError
from govhub.core.exits import Exit

if TYPE_CHECKING:
    from govhub.core.plan import Plan
    from govhub.ops.requests import PlanResult

Engine = Annotated[bool, typer.Option("--engine", help="Also run the engine's preview; says where the two differ.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Save the plan, for `up --plan FILE`.")]
Against = Annotated[
    str, typer.Option(metavar="REF|DIR", help="Compare with a git revision or a folder, not with the state.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "plan")(plan)


def plan(
    terminal: Terminal,
    hub: HubName,
    *,
    engine: Engine = False,
    out: Out = None,
    detailed: Detailed = False,
    against: Against = "",
    stack: Stacks = None,
    tenant: Tenants = None,
    system: Systems = None,
    cluster: Clusters = None,
    layer: Layers = None,
    limit: Limit = None,
    junit: Junit = None,
    sarif: Sarif = None,
    markdown: Markdown = None,
    events: Events = None,
) -> int:
    """Show what `up` would do. Needs no engine and no cluster."""
    _check(engine, out, against)
    paths = {"junit": junit, "sarif": sarif, "markdown": markdown, "events": events}
    with SideFiles(command="plan", hubs=(hub,), program=terminal.program, **paths) as files:
        from govhub.ops.plan import make_plan
        from govhub.ops.requests import PlanRequest

        narrowed = selection(stack, tenant, system, cluster, layer, limit)
        result = make_plan(PlanRequest(hub=hub, selection=narrowed, engine=engine, against=against))
        files.planned(result)
        if out:
            _save(out, result.plan)
    _show(terminal, result, hub, out)
    if result.exit is Exit.OK and detailed and result.plan.changes:
        return Exit.CHANGES
    return result.exit


def document(result: PlanResult) -> dict[str, Any]:
    """The plan's document; the engine's preview is added beside it, and is no part of a saved plan."""
    out = result.plan.as_dict()
    if result.preview:
        out["engine"] = {
            "counts": result.preview.counts,
            "seconds": result.preview.seconds,
            "differences": list(result.preview.differences),
        }
    return out


def _check(engine: bool, out: Path | None, against: str) -> None:
    if not against or not (engine or out):
        return
    # Such a plan says nothing about the state, so neither the engine nor `up` could do anything with it.
    flag = "--engine" if engine else "--out"
    hint = f"leave out {flag}, or --against; --json prints a document"
    raise UsageError.one("USE003", f"{flag} does not go together with --against", hint=hint)


def _save(path: Path, plan: Plan) -> None:
    from govhub.core.files import write_atomic
    from govhub.core.secrets import REDACTOR, scrub

    write_atomic(path, json.dumps(scrub(plan.as_dict(), REDACTOR), ensure_ascii=False, indent=1) + "\n")


def _show(terminal: Terminal, result: PlanResult, hub: str, out: Path | None) -> None:
    from govhub.cli.views.plan import show_plan

    view = view_of(terminal)
    view.show(
        document(result),
        lambda console: show_plan(console, result.plan, result.preview, verbose=terminal.verbose),
    )
    if not terminal.json:
        _next(view, result, f"{terminal.program} up {hub}", out)


def _next(view: View, result: PlanResult, up: str, out: Path | None) -> None:
    if result.exit is not Exit.OK:
        view.message(tr("Blocked: `up` would refuse this plan because of the errors above."))
    elif result.plan.changes and not result.plan.against:
        flags = [flag.partition(" ") for flag in (*result.plan.selection, *([f"--plan {out}"] if out else []))]
        # A shell would expand the globs before we see them.
        words = [up, *(f"{name} {shlex.quote(value)}" for name, _, value in flags)]
        view.message(f"\n{tr('Next')}: {' '.join(words)}")
