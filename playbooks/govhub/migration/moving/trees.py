"""The steps of a file tree that moves between hosts: passes of rsync, and proofs by listings of both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.movers.protocol import Direction, MoveFailed, Stage
from govhub.migration.moving import archive
from govhub.migration.moving.part import STOPPED
from govhub.migration.moving.tree import Tree
from govhub.migration.verify.result import Verdict

Act = Callable[[Tree, Context], Outcome]
LEFT = "left"
"""The source as it was when users left it: who writes there afterwards would lose it in a roll-back."""
BACK = "going-back"
_HINT = "lead what writes there to the target, and carry those files over by hand"


class TreeSteps:
    """Moves one tree; see :class:`govhub.migration.itinerary.steps.Steps`.

    Nothing can be closed: writes are stopped with the application, and passes prove that they are.
    """

    def __init__(self, part: Tree) -> None:
        self.part = part

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Do the step."""
        return self._do(MAKE, step, context)

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it is so."""
        return self._do(LOOK, step, context)

    def close(self) -> None:
        """Let go of the hosts."""
        self.part.close()

    def _do(self, table: Mapping[Step, Act], step: Step, context: Context) -> Outcome:
        act = table.get(step)
        if act is None:
            return Done()
        self.part.begin()
        outcome = act(self.part, context)
        return Done({self.part.move: outcome.evidence}) if isinstance(outcome, Done) else outcome


def apply_for(part: Tree, context: Context) -> Outcome:
    """What stands in the way, and the room that is needed."""
    mover = part.mover(rehearsal=context.rehearsal)
    if blocking := [item for item in mover.assess() if item.severity.value == "error"]:
        raise MoveFailed(blocking)
    return Done({"bytes": part.size()})


def prepare(part: Tree, context: Context) -> Outcome:
    """The folder on the target."""
    mover = part.mover(rehearsal=context.rehearsal)
    mover.prepare()
    return Done({"target": str(mover.target)})


def prepared(part: Tree, context: Context) -> Outcome:
    """Whether it is there."""
    return Done() if part.mover(rehearsal=context.rehearsal).begun() else Failed(f"{part.move}: there is no target")


def back_up(part: Tree, context: Context) -> Outcome:
    """An archive of the source from before the move."""
    return Done(part.archive(part.file("backup", context.run), in_use=True))


def copy(part: Tree, context: Context) -> Outcome:
    """One pass."""
    mover = part.mover(rehearsal=context.rehearsal)
    mover.start()
    if not (mover.caught_up() or mover.moved()):
        now = mover.advance()
        if now.stage not in (Stage.FOLLOWING, Stage.MOVED):
            done = f"{100 * now.bytes_done // now.bytes_total} %" if now.bytes_total and now.bytes_done else "a part"
            # Nothing goes on by itself: the next pass may begin at once.
            return NotYet(f"{part.move}: {done} of the bytes are there", 0.0)
    return Done({"bytes": part.size()})


def copied(part: Tree, context: Context) -> Outcome:
    """Whether a whole copy is there that was compared by contents once."""
    mover = part.mover(rehearsal=context.rehearsal)
    return Done() if mover.caught_up() or mover.moved() else Failed(f"{part.move}: the copy is not complete")


def verify_in_use(part: Tree, context: Context) -> Outcome:
    """How far the copy is behind; the source is in use, so that is a figure."""
    lag = part.mover(rehearsal=context.rehearsal).lag()
    return Done({"behind_bytes": lag.bytes, "contents": "compared once, while in use"})


def stop_writes(part: Tree, _: Context) -> Outcome:
    """Note since when; whoever writes is stopped with the application."""
    mover = part.mover(rehearsal=False)
    if not mover.moved() and mover.noted(STOPPED) is None:
        mover.note(**{STOPPED: datetime.now(UTC).isoformat()})
    return Done({"since": mover.noted(STOPPED)})


def writes_stopped(part: Tree, _: Context) -> Outcome:
    """Whether that was noted, and not taken back."""
    mover = part.mover(rehearsal=False)
    return Done() if mover.noted(STOPPED) or mover.moved() else Failed(f"{part.move}: writes are let in")


def drain(part: Tree, context: Context) -> Outcome:
    """A last pass, and a proof that nothing moves any more; a rehearsal stops nobody."""
    mover = part.mover(rehearsal=context.rehearsal)
    if context.rehearsal:
        mover.advance()
    else:
        mover.drain()
    return Done({"lag_bytes": mover.lag().bytes})


def verify_still(part: Tree, context: Context) -> Outcome:
    """Compare both sides while they stand still."""
    if context.rehearsal:
        return verify_in_use(part, context)
    return _compared(part, part.compare(back=False))


def switch(part: Tree, _: Context) -> Outcome:
    """Note how the source was left, and that the target is the one in use."""
    mover = part.mover(rehearsal=False)
    if not mover.moved():
        since = mover.noted(STOPPED)
        mover.note(**{LEFT: mover.stamp(mover.source), BACK: False})
        mover.finish()
        pause = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() if since else None
        mover.note(**{STOPPED: None, "pause": pause})
    return Done({"in_use": str(mover.target), "pause_seconds": mover.noted("pause")})


def switched(part: Tree, _: Context) -> Outcome:
    """Whether it is."""
    return Done() if part.mover(rehearsal=False).moved() else Failed(f"{part.move}: the source is in use")


def serve(part: Tree, context: Context) -> Outcome:
    """Whether the folder in use is written to, and not the other one; a roll-back ends with the copy's removal."""
    mover = part.mover(rehearsal=context.rehearsal)
    if context.rehearsal:
        return Done({"target": str(mover.target)})
    if mover.moved():
        _left_alone(part)
        return Done({"in_use": str(mover.target)})
    if context.itinerary == "roll-back":
        # Users are on the source, which has everything.
        mover.cancel()
    return Done({"in_use": str(mover.source)})


def allow_writes(part: Tree, _: Context) -> Outcome:
    """Forget that they were stopped."""
    mover = part.mover(rehearsal=False)
    if mover.begun() and not mover.moved():
        mover.note(**{STOPPED: None})
    return Done({"in_use": str(mover.source)})


def drain_back(part: Tree, _: Context) -> Outcome:
    """Bring what users wrote on the target to the source, unless somebody wrote to that meanwhile."""
    mover = part.mover(rehearsal=False)
    if not mover.moved():
        return Done({"target": "was not written to"})
    if not mover.noted(BACK):
        _left_alone(part)
        mover.note(**{BACK: True})
    mover.drain(Direction.BACK)
    return Done({"lag_bytes": mover.lag(Direction.BACK).bytes})


def verify_back(part: Tree, _: Context) -> Outcome:
    """Compare the source with the target that was written to."""
    if not part.mover(rehearsal=False).moved():
        return Done({"target": "was not written to"})
    return _compared(part, part.compare(back=True))


def switch_back(part: Tree, _: Context) -> Outcome:
    """Note that the source is in use."""
    mover = part.mover(rehearsal=False)
    if mover.moved():
        mover.finish(Direction.BACK)
    return Done({"in_use": str(mover.source)})


def switched_back(part: Tree, _: Context) -> Outcome:
    """Whether it is."""
    return Failed(f"{part.move}: the target is in use") if part.mover(rehearsal=False).moved() else Done()


def remove_target(part: Tree, _: Context) -> Outcome:
    """Remove copies and backups."""
    for rehearsal in (False, True):
        part.mover(rehearsal=rehearsal).cancel()
    archive.remove_all(part.runner, part.archives, f"*-{part.move}-backup")
    return Done({"removed": str(part.mover(rehearsal=False).target)})


def remove_rehearsal(part: Tree, _: Context) -> Outcome:
    """Remove the copy of a rehearsal."""
    mover = part.mover(rehearsal=True)
    mover.cancel()
    return Done({"removed": str(mover.target)})


def archive_source(part: Tree, context: Context) -> Outcome:
    """An archive of the source as it was left."""
    path = part.file("archive", context.run)
    if not part.there():
        return Done(archive.look(part.runner, path))
    _left_alone(part)
    return Done(part.archive(path, in_use=False))


def archived(part: Tree, context: Context) -> Outcome:
    """Whether it is what was written."""
    return Done(archive.look(part.runner, part.file("archive", context.run)))


def wipe(part: Tree, context: Context) -> Outcome:
    """Remove the source's folder, if nobody wrote to it since the archive."""
    archive.look(part.runner, part.file("archive", context.run))
    if part.there() and not part.mover(rehearsal=False).noted("wiping"):
        _left_alone(part)
        part.mover(rehearsal=False).note(wiping=True)
    part.remove_source()
    how = "removed; the disks are wiped when the machine is retired"
    return Done({"removed": str(part.mover(rehearsal=False).source), "how": how})


def wiped(part: Tree, _: Context) -> Outcome:
    """Whether it is gone."""
    return Failed(f"{part.move}: the source is still there") if part.there() else Done()


def release(part: Tree, context: Context) -> Outcome:
    """Nothing of the move stays but the files."""
    if context.itinerary != "retire":
        return Done({"notes": "stay with the copy, for the next try"})
    part.mover(rehearsal=False).retire()
    return Done({"notes": "removed"})


def _left_alone(part: Tree) -> None:
    mover = part.mover(rehearsal=False)
    if mover.noted(LEFT) != mover.stamp(mover.source):
        summary = f"{part.move}: files of {mover.source} were changed after the cutover"
        raise MoveFailed.one("MOV205", summary, hint=_HINT)


def _compared(part: Tree, document: dict[str, object]) -> Outcome:
    if document["verdict"] == Verdict.PASS.value:
        return Done({key: document[key] for key in ("verdict", "digest", "coverage", "not_covered")})
    named = str(document["differences"] or document["reasons"])[:400]
    return Failed(f"{part.move}: {document['verdict']}: {named}")


MAKE: Mapping[Step, Act] = {
    Step.APPLICATION: apply_for,
    Step.TARGET: prepare,
    Step.BACKUP: back_up,
    Step.FILE_COPY: copy,
    Step.VERIFICATION: verify_in_use,
    Step.WRITES_STOPPED: stop_writes,
    Step.DRAINED: drain,
    Step.FINAL_VERIFICATION: verify_still,
    Step.SWITCHED: switch,
    Step.SERVICE_TEST: serve,
    Step.REHEARSAL_REMOVED: remove_rehearsal,
    Step.WRITES_ALLOWED: allow_writes,
    Step.TARGET_REMOVED: remove_target,
    Step.REVERSE_DRAINED: drain_back,
    Step.REVERSE_VERIFICATION: verify_back,
    Step.SWITCHED_BACK: switch_back,
    Step.ARCHIVE: archive_source,
    Step.WIPED: wipe,
    Step.RELEASED: release,
}
LOOK: Mapping[Step, Act] = {
    Step.TARGET: prepared,
    Step.FILE_COPY: copied,
    Step.WRITES_STOPPED: writes_stopped,
    Step.SWITCHED: switched,
    Step.SWITCHED_BACK: switched_back,
    Step.ARCHIVE: archived,
    Step.WIPED: wiped,
}
