"""``drift``."""

from __future__ import annotations

import typer

from govhub.cli.grammar import command
from govhub.cli.options import Clusters, Detailed, HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "drift")(drift)


def drift(terminal: Terminal, hub: HubName, detailed: Detailed = False, cluster: Clusters = None) -> int:
    """Find what was changed on clusters and hosts by hand. Never writes to them."""
    from govhub.cli.views.drifting import show_drift
    from govhub.ops.drift import drift as run

    result = run(hub, tuple(cluster or ()))
    view_of(terminal).show(
        result.as_dict(),
        lambda console: show_drift(console, result, terminal.program, verbose=terminal.verbose),
    )
    if result.unreachable:
        # What was not read is not free of drift.
        return Exit.UNREACHABLE
    return Exit.CHANGES if detailed and (result.drifted or result.hosts) else Exit.OK
