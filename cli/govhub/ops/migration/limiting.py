"""What a move may take of its source, as the hub's files say."""

from __future__ import annotations

from govhub.core.quantities import parse_quantity
from govhub.inventory.checks.migrations import LEAST_BANDWIDTH
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Move, MoveKind, SourceLimits
from govhub.migration.movers.protocol import Limits


def limits_of(hub: Hub, move: Move) -> Limits:
    """The limits of one move: the source's own, else those of all sources.

    Parts of a system are copied one after the other, but systems go on side by side, on other machines too. So that a
    source never gives more than its bandwidth, each system that moves data from it has an equal part.
    """
    own = next((item.limits for item in hub.model.sources if item.name == move.source), SourceLimits())
    rules = hub.model.migration.limits
    merged = rules.model_dump(exclude_none=True) | own.model_dump(exclude_none=True)
    bandwidth, retained = (
        int(parse_quantity(merged[name])) if name in merged else None for name in ("bandwidth", "retained")
    )
    return Limits(
        parallel=merged.get("parallel", Limits().parallel),
        bandwidth=None if bandwidth is None else max(bandwidth // sharing(hub, move.source), LEAST_BANDWIDTH),
        active_sessions=merged.get("active_sessions"),
        pressure=merged.get("pressure"),
        retained=retained,
    )


def sharing(hub: Hub, source: str) -> int:
    """How many systems move data from a source; at least one."""
    systems = {
        item.system
        for item in hub.model.migrations
        for move in item.moves
        if not item.staying and move.source == source and move.kind is not MoveKind.APPLICATION
    }
    return max(1, len(systems))
