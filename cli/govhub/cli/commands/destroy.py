"""``destroy``."""

from __future__ import annotations

from typing import Annotated

import typer

from govhub.cli.commands.running import Options, run
from govhub.cli.grammar import command
from govhub.cli.options import Confirm, Events, HubName, Markdown, Timeout, Workers, Yes, selection
from govhub.cli.terminal import Terminal

# Hidden: the use case says what to do instead, which is kinder than "no such option".
Hidden = Annotated[list[str] | None, typer.Option(hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "destroy")(destroy)


def destroy(
    terminal: Terminal,
    hub: HubName,
    *,
    confirm: Confirm = None,
    yes: Yes = False,
    stack: Hidden = None,
    tenant: Hidden = None,
    system: Hidden = None,
    cluster: Hidden = None,
    timeout: Timeout = 3600.0,
    workers: Workers = 2,
    markdown: Markdown = None,
    events: Events = None,
) -> int:
    """Remove everything of a hub from its clusters, and prove that nothing is left."""
    options = Options(
        operation="destroy",
        hub=hub,
        yes=yes,
        confirm=tuple(confirm or ()),
        timeout=timeout,
        workers=workers,
        markdown=markdown,
        events=events,
    )
    from govhub.ops.destroy import destroy as use_case

    return run(terminal, options, selection(stack, tenant, system, cluster), use_case)
