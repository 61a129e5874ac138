"""``up``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.commands.running import Options, run
from govhub.cli.grammar import command
from govhub.cli.options import (
    Clusters,
    Confirm,
    Events,
    HubName,
    Layers,
    Limit,
    Markdown,
    MaxFail,
    Stacks,
    Systems,
    Tenants,
    Timeout,
    Workers,
    Yes,
    selection,
)
from govhub.cli.terminal import Terminal

PlanFile = Annotated[Path | None, typer.Option("--plan", metavar="FILE", help="Do exactly this saved plan, or refuse.")]
Serial = Annotated[str, typer.Option(metavar="N|N%", help="Hosts at the same time: a number or a part of all.")]
Wait = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="For workloads to become ready; 0 does not look.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "up")(up)


def up(
    terminal: Terminal,
    hub: HubName,
    *,
    plan_file: PlanFile = None,
    yes: Yes = False,
    confirm: Confirm = None,
    stack: Stacks = None,
    tenant: Tenants = None,
    system: Systems = None,
    cluster: Clusters = None,
    layer: Layers = None,
    limit: Limit = None,
    timeout: Timeout = 3600.0,
    wait: Wait = 180.0,
    workers: Workers = 2,
    serial: Serial = "100%",
    max_fail: MaxFail = 100,
    markdown: Markdown = None,
    events: Events = None,
) -> int:
    """Make hosts and clusters what the hub declares; run again after any failure."""
    options = Options(
        operation="up",
        hub=hub,
        yes=yes,
        confirm=tuple(confirm or ()),
        plan_file=plan_file,
        timeout=timeout,
        wait=wait,
        workers=workers,
        serial=serial,
        max_fail=max_fail,
        markdown=markdown,
        events=events,
    )
    from govhub.ops.up import up as use_case

    return run(terminal, options, selection(stack, tenant, system, cluster, layer, limit), use_case)
