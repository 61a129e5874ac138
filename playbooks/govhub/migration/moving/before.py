"""A database before its cutover: what is applied for, the target, a backup, the copy, and changes that follow."""

from __future__ import annotations

from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.protocol import MoveFailed, Progress, Stage
from govhub.migration.moving import archive, guards
from govhub.migration.moving.checking import check
from govhub.migration.moving.engines.port import DatabaseMove, End
from govhub.migration.moving.part import SOON, Part
from govhub.migration.verify.result import Verdict

_LATER = {"copied": "in the pause of writes"}


def apply_for(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """What the move needs; whatever stands in its way is found here, before anything is touched."""
    blocking, known = data.obstacles()
    if blocking := [*blocking, *part.access.check(), *guards.clock_problems(data)]:
        raise MoveFailed(blocking)
    return Done({"bytes": data.size(), "warnings": [f"[{item.code}] {item.summary}" for item in known]})


def prepare(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """Accounts, database and tables on the target."""
    if context.rehearsal:
        # A rehearsal applies for nothing, but finds the same obstacles.
        apply_for(part, data, context)
    data.mover.prepare()
    return Done({"target": data.name(End.TARGET), "mover": part.runner.where})


def prepared(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Whether the target is prepared."""
    now = data.mover.progress()
    if now.stage in (None, Stage.ABSENT):
        return _broken(now, "the target is not prepared")
    return Done({"stage": now.stage.value if now.stage else None})


def back_up(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """A backup of the source, from before the move."""
    return Done(data.archive(part.file("backup", context.run)))


def backed_up(part: Part, _: DatabaseMove, context: Context) -> Outcome:
    """Whether the backup is what was written."""
    return Done(archive.look(part.runner, part.file("backup", context.run)))


def copy(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """One turn of the copy."""
    data.mover.start()
    if data.offline:
        return Done(_LATER)
    guards.bound(data)
    now = data.carry()
    if now.stage in (Stage.FOLLOWING, Stage.MOVED):
        return Done({"bytes": now.bytes_total, "tables": now.parts_total, "rows": now.rows_total})
    if now.stage in (None, Stage.BROKEN):
        return _broken(now, "the copy does not go on")
    return NotYet(f"{part.move}: {_percent(now)}", SOON)


def copied(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Whether everything is there."""
    now = data.mover.progress()
    if now.stage in (Stage.FOLLOWING, Stage.MOVED) or (data.offline and now.stage is Stage.PREPARED):
        return Done({"stage": now.stage.value if now.stage else None})
    return _broken(now, "the copy is not complete")


def follow(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """One turn while changes follow."""
    if not (data.offline or data.mover.moved()):
        guards.bound(data)
        data.mover.advance()
    return follows(part, data, context)


def follows(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether changes follow closely."""
    now = data.mover.progress()
    if now.stage is Stage.MOVED or data.mover.caught_up():
        return Done({"lag_bytes": now.lag.bytes, "lag_seconds": now.lag.seconds})
    if now.stage in (None, Stage.BROKEN, Stage.PREPARED):
        # Prepared, and no more: the copy was given up for the source's disk.
        return _broken(now, f"{part.move}: changes do not follow any more; `cancel`, then begin again")
    return NotYet(f"{part.move}: changes follow, but not closely enough yet", SOON)


def verify_in_use(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """Compare both sides while the source is in use."""
    if data.offline and data.mover.progress().stage is Stage.PREPARED:
        return Done(_LATER)
    # The source is in use: rows that differ by now are a figure. Equality is asked for once writes have stopped.
    found = check(part.ends(rehearsal=context.rehearsal), others=part.limits.active_sessions)
    if found.forms is not Verdict.PASS:
        return Failed(f"{part.move}: the tables' definitions: {found.why}")
    return Done(found.evidence | {"in_use": True})


def _percent(now: Progress) -> str:
    """In tens: each new text is an entry in the record."""
    if now.stage is Stage.BUILDING:
        return "all rows are there, indexes are built"
    if not now.bytes_total or now.bytes_done is None:
        return "the copy has begun"
    return f"{10 * int(10 * now.bytes_done / now.bytes_total)} % are copied"


def _broken(now: Progress, otherwise: str) -> Failed:
    problems = [f"[{item.code}] {item.summary}" for item in now.problems if item.severity.value == "error"]
    return Failed("; ".join(problems) or otherwise)
