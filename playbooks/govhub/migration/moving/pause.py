"""A database in the pause of writes, and right after it."""

from __future__ import annotations

from datetime import UTC, datetime

from govhub.inventory.model.migration import MoveKind
from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.postgresql import access
from govhub.migration.movers.postgresql.mover import PostgresMover
from govhub.migration.movers.protocol import Direction
from govhub.migration.moving.before import follows, verify_in_use
from govhub.migration.moving.checking import check
from govhub.migration.moving.part import SOON, STOPPED, Part
from govhub.migration.verify.result import Rung, Verdict


def stop_writes(_: Part, mover: PostgresMover, __: Context) -> Outcome:
    """Close the source, and note since when."""
    if not mover.moved():
        mover.registry.keep(STOPPED, datetime.now(UTC).isoformat())
    mover.freeze()
    return Done({"closed": str(mover.source.endpoint)})


def writes_stopped(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether the source is closed."""
    if access.is_closed(mover.source):
        return Done()
    return Failed(f"{part.move}: the source can be written to")


def drain(part: Part, mover: PostgresMover, context: Context) -> Outcome:
    """Wait until the target has everything; a rehearsal stops nobody, and follows closely instead."""
    if context.rehearsal:
        return follows(part, mover, context)
    mover.drain(timeout=part.left(context))
    return Done({"lag_bytes": mover.lag().bytes})


def verify_still(part: Part, mover: PostgresMover, context: Context) -> Outcome:
    """Compare both sides while they stand still."""
    if context.rehearsal:
        return verify_in_use(part, mover, context)
    found = check(part.ends(rehearsal=False), budget=part.left(context))
    return Done(found.evidence) if found.verdict is Verdict.PASS else Failed(f"{part.move}: {found.why}")


def switch(_: Part, mover: PostgresMover, __: Context) -> Outcome:
    """Make the target the one that is written to."""
    since = mover.registry.get(STOPPED)
    mover.finish()
    if since is not None:
        mover.registry.keep("pause", (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
        mover.registry.drop(STOPPED)
    return Done({"written_to": str(mover.target.endpoint), "pause_seconds": mover.registry.get("pause")})


def switched(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether it is, with its sequences in their place."""
    if not mover.moved() or access.is_closed(mover.target):
        return Failed(f"{part.move}: the target is not the one that is written to")
    # What replication does not carry was brought over since the rows were compared.
    found = check(part.ends(rehearsal=False), depth=Rung.SCHEMA, without=("large objects",))
    return Done(found.evidence) if found.verdict is Verdict.PASS else Failed(f"{part.move}: {found.why}")


def reverse(_: Part, mover: PostgresMover, __: Context) -> Outcome:
    """Have the source follow the target."""
    mover.reverse()
    return Done({"follows": str(mover.source.endpoint)})


def reversed_(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether it does."""
    lag = mover.lag(Direction.BACK)
    if lag.bytes is None:
        return NotYet(f"{part.move}: the source does not follow the target yet", SOON)
    return Done({"lag_bytes": lag.bytes, "lag_seconds": lag.seconds})


def serve(part: Part, mover: PostgresMover, context: Context) -> Outcome:
    """A write that is taken back, where users write now."""
    server = mover.target if context.rehearsal or (mover.begun() and mover.moved()) else mover.source
    if not context.rehearsal and access.is_closed(server):
        return Failed(f"{part.move}: {server.endpoint} is closed")
    server.try_writing()
    others = int(
        server.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user"
            " AND backend_type = 'client backend'"
        )
    )
    started = any(move.kind is MoveKind.APPLICATION for move in context.migration.moves) and not context.rehearsal
    if started and not others:
        # A unit that runs proves nothing: it may still look for its data where they were.
        return NotYet(f"{part.move}: the application has no session on {server.endpoint}: lead it there", SOON)
    return Done({"writes": str(server.endpoint), "sessions_of_others": others})
