"""A database in the pause of writes, and right after it."""

from __future__ import annotations

from datetime import UTC, datetime

from govhub.inventory.model.migration import MoveKind
from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.protocol import Direction
from govhub.migration.moving.before import follows, verify_in_use
from govhub.migration.moving.checking import check
from govhub.migration.moving.engines.port import DatabaseMove, End
from govhub.migration.moving.part import SOON, STOPPED, Part
from govhub.migration.verify.result import Rung, Verdict


def stop_writes(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Close the source, and note since when."""
    if not data.mover.moved():
        data.note(STOPPED, datetime.now(UTC).isoformat())
    data.mover.freeze()
    return Done({"closed": data.name(End.SOURCE)})


def writes_stopped(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether the source is closed."""
    if data.closed(End.SOURCE):
        return Done()
    return Failed(f"{part.move}: the source can be written to")


def drain(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """Wait until the target has everything; a rehearsal stops nobody, and follows closely instead."""
    if context.rehearsal:
        if data.rehearse(context.rules.write_pause_seconds):
            return Done({"copied": "while people went on writing"})
        return follows(part, data, context)
    data.mover.drain(timeout=part.left(context))
    return Done({"lag_bytes": data.mover.lag().bytes})


def verify_still(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """Compare both sides while they stand still."""
    if context.rehearsal:
        return verify_in_use(part, data, context)
    found = check(part.ends(rehearsal=False), budget=part.left(context))
    return Done(found.evidence) if found.verdict is Verdict.PASS else Failed(f"{part.move}: {found.why}")


def switch(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Make the target the one that is written to."""
    since = data.noted(STOPPED)
    data.mover.finish()
    if since is not None:
        data.note("pause", (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
        data.forget(STOPPED)
    return Done({"written_to": data.name(End.TARGET), "pause_seconds": data.noted("pause")})


def switched(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether it is, with its sequences in their place."""
    if not data.mover.moved() or data.closed(End.TARGET):
        return Failed(f"{part.move}: the target is not the one that is written to")
    # What replication does not carry was brought over since the rows were compared.
    found = check(part.ends(rehearsal=False), depth=Rung.SCHEMA, without=("large objects",))
    return Done(found.evidence) if found.verdict is Verdict.PASS else Failed(f"{part.move}: {found.why}")


def reverse(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Have the source follow the target."""
    data.mover.reverse()
    return Done({"follows": data.name(End.SOURCE)})


def reversed_(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether it does."""
    lag = data.mover.lag(Direction.BACK)
    if lag.bytes is None:
        return NotYet(f"{part.move}: the source does not follow the target yet", SOON)
    return Done({"lag_bytes": lag.bytes, "lag_seconds": lag.seconds})


def serve(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """A write that is taken back, where users write now."""
    end = End.TARGET if context.rehearsal or (data.begun() and data.mover.moved()) else End.SOURCE
    if not context.rehearsal and data.closed(end):
        return Failed(f"{part.move}: {data.name(end)} is closed")
    data.try_writing(end)
    others = data.sessions(end)
    started = any(move.kind is MoveKind.APPLICATION for move in context.migration.moves) and not context.rehearsal
    if started and not others:
        # A unit that runs proves nothing: it may still look for its data where they were.
        return NotYet(f"{part.move}: the application has no session on {data.name(end)}: lead it there", SOON)
    return Done({"writes": data.name(end), "sessions_of_others": others})
