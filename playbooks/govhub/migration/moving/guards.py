"""What keeps a move from doing harm while nobody looks: the source's disk, and clocks that say different times."""

from __future__ import annotations

from datetime import UTC, datetime

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.moving.engines.port import DatabaseMove, End
from govhub.migration.moving.part import Part
from govhub.migration.record.store import SKEW_SECONDS

_SHARE = 2
"""Of the room that the source has for its log, the move takes one part in so many."""


def now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def bound(data: DatabaseMove) -> int | None:
    """Bound the log that the source keeps for the move by the room that it has; in bytes, None when nobody knows.

    At that bound the copy is given up (MOV051), not the source's disk.
    """
    free = data.free_bytes()
    if free is not None:
        bounds = [(free + data.held()) // _SHARE, data.allowed()]
        data.allow(min(item for item in bounds if item is not None))
    return data.allowed()


def keep_room(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Give up what would fill the source's disk while a run waits (MOV051)."""
    if not data.begun():
        return Done()
    limit = bound(data)
    data.protect()
    return Done({"limit_bytes": limit})


def clock_problems(data: DatabaseMove) -> list[Diagnostic]:
    """Servers whose clocks are not this machine's (MOV117)."""
    found = Diagnostics()
    for end in End:
        begun = now()
        theirs = data.clock(end)
        apart = (theirs - (begun + (now() - begun) / 2)).total_seconds()
        if abs(apart) > SKEW_SECONDS:
            word = "ahead of" if apart > 0 else "behind"
            found.error(
                "MOV117",
                f"the {end.value}'s clock is {abs(apart):,.0f} s {word} this machine's",
                address=data.name(end),
                hint="put the clocks right (chrony): windows, approvals and pauses are measured by them",
            )
    return found.sorted()


def clocks(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Whether the three clocks say the same; writes are not stopped before they do."""
    found = clock_problems(data)
    if found:
        return Failed.of(found)
    return Done()
