"""A database on its way back, and the end of its source."""

from __future__ import annotations

from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.protocol import Direction
from govhub.migration.moving import archive
from govhub.migration.moving.checking import check
from govhub.migration.moving.engines.port import DatabaseMove, End
from govhub.migration.moving.part import STOPPED, Part
from govhub.migration.verify.result import Verdict


def allow_writes(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Open the source again."""
    if not data.begun():
        return Done({"closed": False})
    data.mover.thaw()
    data.forget(STOPPED)
    return Done({"open": data.name(End.SOURCE)})


def writes_allowed(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether the source is open."""
    return Failed(f"{part.move}: the source is closed") if data.closed(End.SOURCE) else Done()


def stop_target(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Close the target, when it is the one that is written to."""
    data.mover.freeze(Direction.BACK)
    return Done({"closed": data.name(End.TARGET), "was_written_to": data.mover.moved()})


def target_stopped(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether nobody writes to the target."""
    if data.mover.moved() and not data.closed(End.TARGET):
        return Failed(f"{part.move}: the target can be written to")
    return Done()


def drain_back(_: Part, data: DatabaseMove, context: Context) -> Outcome:
    """Wait until the source has everything that was written to the target."""
    data.mover.drain(Direction.BACK, timeout=context.rules.write_pause_seconds)
    return Done({"lag_bytes": data.mover.lag(Direction.BACK).bytes})


def verify_back(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Compare the source with the target that was written to, while both stand still."""
    if not data.mover.moved():
        return Done({"target": "was not written to"})
    found = check(part.ends(rehearsal=False).swapped())
    return Done(found.evidence) if found.verdict is Verdict.PASS else Failed(f"{part.move}: {found.why}")


def switch_back(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Make the source the one that is written to."""
    if data.mover.moved():
        data.mover.finish(Direction.BACK)
    data.mover.thaw()
    return Done({"written_to": data.name(End.SOURCE)})


def switched_back(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether it is."""
    return Failed(f"{part.move}: the target is written to") if data.mover.moved() else Done()


def end_replication(_: Part, data: DatabaseMove, context: Context) -> Outcome:
    """End replication in both directions; unless the source retires, the copy goes too."""
    if context.itinerary == "retire":
        data.mover.retire()
    else:
        # Users are on the source, which has everything: the copy would stand in the way of the next try.
        data.mover.cancel()
    return Done({"replicates": False})


def remove_target(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Give up: copies, backups and the accounts of the move."""
    # What is cancelled may have been a rehearsal.
    for each in (data, part.data(rehearsal=True)):
        each.mover.cancel()
        if each.begun():
            return Failed(f"{part.move}: the target is still there")
    archive.remove_all(part.runner, part.archives, f"*-{part.move}-backup")
    # Last of all: with these accounts it was looked whether the target is gone.
    return Done({"removed": data.name(End.TARGET)} | part.access.release())


def remove_rehearsal(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Remove the copy of a rehearsal."""
    data.mover.cancel()
    if data.begun():
        return Failed(f"{part.move}: the copy is still there")
    return Done({"removed": data.name(End.TARGET)} | part.access.release())


def archive_source(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """An archive of the source as it was left."""
    path = part.file("archive", context.run)
    if data.there(End.SOURCE):
        return Done(data.archive(path))
    return Done(archive.look(part.runner, path))


def archived(part: Part, _: DatabaseMove, context: Context) -> Outcome:
    """Whether the archive is what was written."""
    return Done(archive.look(part.runner, part.file("archive", context.run)))


def wipe(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Drop the source's database, if nobody can have written to it since."""
    if data.there(End.SOURCE):
        if not data.closed(End.SOURCE):
            return Failed(f"{part.move}: the source is open; somebody may have written to it since the cutover")
        data.drop_source()
    how = "DROP DATABASE; the disks are wiped when the machine is retired"
    return Done({"removed": data.name(End.SOURCE), "how": how})


def wiped(part: Part, data: DatabaseMove, _: Context) -> Outcome:
    """Whether it is gone."""
    return Failed(f"{part.move}: the source is still there") if data.there(End.SOURCE) else Done()


def release(part: Part, _: DatabaseMove, __: Context) -> Outcome:
    """Remove the accounts that were made for the move."""
    return Done(part.access.release())
