"""``hosts facts``, ``hosts audit`` and ``hosts run``: what reads hosts and asks them, beside what sets them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from govhub.cli.grammar import command
from govhub.cli.options import Detailed, HubName, Limit
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

Seconds = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Give a host up after that long.")]
Parallel = Annotated[int, typer.Option(metavar="N", min=1, max=200, help="Hosts at the same time.")]
Saved = Annotated[bool, typer.Option("--saved", help="Take what was read last; contact nobody.")]


def register(child: typer.Typer) -> None:
    """Add the commands to ``hosts``."""
    command(child, "facts")(facts)
    command(child, "audit")(audit)


def facts(
    terminal: Terminal,
    hub: HubName,
    *,
    limit: Limit = None,
    saved: Saved = False,
    timeout: Seconds = 30.0,
    parallel: Parallel = 20,
) -> int:
    """Read what hosts are and run: hardware, packages, ports, certificates, clock. Never writes to them."""
    from govhub.cli.views.facts import show_facts
    from govhub.ops.hostread import SweepRequest, hosts_facts

    document = hosts_facts(
        SweepRequest(hub=hub, limit=tuple(limit or ()), timeout=timeout, parallel=parallel, saved=saved)
    )
    view_of(terminal).show(document, lambda console: show_facts(console, document, verbose=terminal.verbose))
    return _exit(document)


def audit(
    terminal: Terminal,
    hub: HubName,
    *,
    limit: Limit = None,
    saved: Saved = False,
    detailed: Detailed = False,
    timeout: Seconds = 30.0,
    parallel: Parallel = 20,
) -> int:
    """Check hosts against what is declared and against GB/T 22239 level 3. Never writes to them."""
    from govhub.cli.views.audit import show_audit
    from govhub.ops.hostaudit import hosts_audit
    from govhub.ops.hostread import SweepRequest

    document = hosts_audit(
        SweepRequest(hub=hub, limit=tuple(limit or ()), timeout=timeout, parallel=parallel, saved=saved)
    )
    view_of(terminal).show(document, lambda console: show_audit(console, document, verbose=terminal.verbose))
    if document["problems"]:
        return Exit.UNREACHABLE
    # What could not be verified is not good either.
    return Exit.CHANGES if detailed and document["findings"] else Exit.OK


def _exit(document: dict[str, Any]) -> Exit:
    return Exit.UNREACHABLE if document["problems"] else Exit.OK
