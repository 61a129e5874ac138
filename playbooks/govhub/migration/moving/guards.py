"""What keeps a move from doing harm while nobody looks: the source's disk, and clocks that say different times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.postgresql.mover import PostgresMover
from govhub.migration.movers.postgresql.room import free_bytes
from govhub.migration.movers.protocol import Direction
from govhub.migration.moving.engines.port import DatabaseMove
from govhub.migration.moving.part import Part
from govhub.migration.record.store import SKEW_SECONDS

_SHARE = 2
"""Of the room that the source has for its log, the move takes one part in so many."""


def now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def bound(data: DatabaseMove) -> int | None:
    """Bound the log that the source holds back by the room that it has; the bound in bytes, None when nobody knows.

    The mover gives the copy up at that bound (MOV051), not the source's disk. MariaDB's holds nothing back: what its
    binary log has dropped is a copy that is broken (MOV053).
    """
    mover = data.mover
    if not isinstance(mover, PostgresMover):
        return None
    free = free_bytes(mover.source)
    if free is None:
        return mover.options.limits.retained
    held = [slot.retained for slot in mover.replication(Direction.FORWARD).slots() if slot.retained is not None]
    bounds = [(free + max(held, default=0)) // _SHARE, mover.options.limits.retained]
    limit = min(item for item in bounds if item is not None)
    mover.options = replace(mover.options, limits=replace(mover.options.limits, retained=limit))
    return limit


def keep_room(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Give the copy up when the source's disk would fill while a run waits (MOV051)."""
    mover = data.mover
    if not isinstance(mover, PostgresMover) or not mover.begun() or mover.moved():
        return Done()
    limit = bound(data)
    mover.protect()
    return Done({"limit_bytes": limit})


def clock_problems(data: DatabaseMove) -> list[Diagnostic]:
    """Servers whose clocks are not this machine's (MOV117); so far PostgreSQL's are asked."""
    found, mover = Diagnostics(), data.mover
    if not isinstance(mover, PostgresMover):
        return []
    target = mover.target.at("postgres")
    try:
        for name, server in (("source", mover.source), ("target", target)):
            # The first answer is waited for a connection.
            server.value("SELECT 1")
            begun = now()
            theirs: Any = server.value("SELECT clock_timestamp()")
            apart = (theirs - (begun + (now() - begun) / 2)).total_seconds()
            if abs(apart) > SKEW_SECONDS:
                found.error(
                    "MOV117",
                    f"the {name}'s clock is {abs(apart):,.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's",
                    address=str(server.endpoint),
                    hint="put the clocks right (chrony): windows, approvals and pauses are measured by them",
                )
    finally:
        target.close()
    return found.sorted()


def clocks(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Whether the three clocks say the same; writes are not stopped before they do."""
    found = clock_problems(data)
    if found:
        return Failed.of(found)
    return Done()
