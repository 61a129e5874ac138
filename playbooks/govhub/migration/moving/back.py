"""A database on its way back, and the end of its source."""

from __future__ import annotations

from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.postgresql import access
from govhub.migration.movers.postgresql import target as databases
from govhub.migration.movers.postgresql.mover import PostgresMover
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import Direction
from govhub.migration.moving import archive
from govhub.migration.moving.checking import check
from govhub.migration.moving.ends import Ends
from govhub.migration.moving.part import STOPPED, Part
from govhub.migration.verify.result import Verdict


def allow_writes(_: Part, mover: PostgresMover, __: Context) -> Outcome:
    """Open the source again."""
    if not mover.begun():
        return Done({"closed": False})
    mover.thaw()
    mover.registry.drop(STOPPED)
    return Done({"open": str(mover.source.endpoint)})


def writes_allowed(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether the source is open."""
    return Failed(f"{part.move}: the source is closed") if access.is_closed(mover.source) else Done()


def stop_target(_: Part, mover: PostgresMover, __: Context) -> Outcome:
    """Close the target, when it is the one that is written to."""
    mover.freeze(Direction.BACK)
    return Done({"closed": str(mover.target.endpoint), "was_written_to": mover.moved()})


def target_stopped(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether nobody writes to the target."""
    if mover.moved() and not access.is_closed(mover.target):
        return Failed(f"{part.move}: the target can be written to")
    return Done()


def drain_back(_: Part, mover: PostgresMover, context: Context) -> Outcome:
    """Wait until the source has everything that was written to the target."""
    mover.drain(Direction.BACK, timeout=context.rules.write_pause_seconds)
    return Done({"lag_bytes": mover.lag(Direction.BACK).bytes})


def verify_back(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Compare the source with the target that was written to, while both stand still."""
    if not mover.moved():
        return Done({"target": "was not written to"})
    ends = part.ends(rehearsal=False)
    found = check(Ends(source=ends.target, target=ends.source))
    return Done(found.evidence) if found.verdict is Verdict.PASS else Failed(f"{part.move}: {found.why}")


def switch_back(_: Part, mover: PostgresMover, __: Context) -> Outcome:
    """Make the source the one that is written to."""
    if mover.moved():
        mover.finish(Direction.BACK)
    mover.thaw()
    return Done({"written_to": str(mover.source.endpoint)})


def switched_back(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether it is."""
    return Failed(f"{part.move}: the target is written to") if mover.moved() else Done()


def end_replication(_: Part, mover: PostgresMover, context: Context) -> Outcome:
    """End replication in both directions; unless the source retires, the copy goes too."""
    if context.itinerary == "retire":
        mover.retire()
    else:
        # Users are on the source, which has everything: the copy would stand in the way of the next try.
        mover.cancel()
    return Done({"replicates": False})


def remove_target(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Give up: copies, backups and the accounts of the move."""
    # What is cancelled may have been a rehearsal.
    for each in (mover, part.mover(rehearsal=True)):
        each.cancel()
        if each.begun():
            return Failed(f"{part.move}: the target is still there")
    archive.remove_all(part.runner, part.archives, f"*-{part.move}-backup")
    # Last of all: with these accounts it was looked whether the target is gone.
    return Done({"removed": str(mover.target.endpoint)} | part.access.release())


def remove_rehearsal(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Remove the copy of a rehearsal."""
    mover.cancel()
    if mover.begun():
        return Failed(f"{part.move}: the copy is still there")
    return Done({"removed": str(mover.target.endpoint)} | part.access.release())


def archive_source(part: Part, mover: PostgresMover, context: Context) -> Outcome:
    """An archive of the source as it was left."""
    path = part.file("archive", context.run)
    if there(mover.source):
        return Done(archive.make(part.runner, mover.source, path))
    return Done(archive.look(part.runner, path))


def archived(part: Part, _: PostgresMover, context: Context) -> Outcome:
    """Whether the archive is what was written."""
    return Done(archive.look(part.runner, part.file("archive", context.run)))


def wipe(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Drop the source's database, if nobody can have written to it since."""
    if there(mover.source):
        if not access.is_closed(mover.source):
            return Failed(f"{part.move}: the source is open; somebody may have written to it since the cutover")
        databases.drop_database(mover.source)
    how = "DROP DATABASE; the disks are wiped when the machine is retired"
    return Done({"removed": str(mover.source.endpoint), "how": how})


def wiped(part: Part, mover: PostgresMover, _: Context) -> Outcome:
    """Whether it is gone."""
    return Failed(f"{part.move}: the source is still there") if there(mover.source) else Done()


def release(part: Part, _: PostgresMover, __: Context) -> Outcome:
    """Remove the accounts that were made for the move."""
    return Done(part.access.release())


def there(server: Server) -> bool:
    """Whether the server has its database.

    Raises:
        MoveFailed: it does not answer.
    """
    other = server.at("postgres")
    try:
        name = server.endpoint.database
        return bool(other.value("SELECT count(*) FROM pg_database WHERE datname = %s", [name]))
    finally:
        other.close()
