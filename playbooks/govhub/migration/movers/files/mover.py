"""The move of a file tree: passes while it is written to, a last one when it stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.governor import Governor
from govhub.migration.governor import Limits as Allowed
from govhub.migration.movers.files import rsync
from govhub.migration.movers.files.notes import Notes
from govhub.migration.movers.files.rsync import Place
from govhub.migration.movers.protocol import Direction, Lag, Limits, MoveFailed, Progress, Stage
from govhub.migration.movers.runner import Runner

PASSES = 4
"""At most so many before the checksum pass: a tree that changes faster than it is carried never stands still."""
# Folders above the target may be made by the move.
_FREE = 'd=$1; until [ -d "$d" ]; do d=$(dirname "$d"); done; df -B1 --output=avail "$d"'
LOOK = 2.0
"""Seconds between two looks at how busy the source is, each by SSH; the kernel's figure is of the last ten."""
FEW = 0.02
"""Share of the bytes below which a pass carried little, so that the next one would not be quicker."""


_STAMP = (
    "cd \"$1\" && find . -mindepth 1 -printf '%y\\t%s\\t%m\\t%U\\t%G\\t%T@\\t%P\\t%l\\0' | LC_ALL=C sort -z | sha256sum"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator decided."""

    limits: Limits = field(default_factory=Limits)
    checksum_in_pause: bool = False
    """Read every file on both sides once more in the pause of writes, instead of before it."""


class FileMover:
    """rsync in shards. Who writes is stopped by others: a folder cannot be closed without changing the source."""

    def __init__(
        self,
        move: str,
        source: Place,
        target: Place,
        runner: Runner,
        options: Options | None = None,
        notes: Notes | None = None,
    ) -> None:
        self.move, self.source, self.target = move, source, target
        self.runner, self.options = runner, options or Options()
        self.notes = notes or Notes(move, target, runner)

    def assess(self) -> list[Diagnostic]:
        """Whether both sides are there with rsync, and the target has room."""
        found = Diagnostics()
        if self.source.login and self.target.login and not self.target.ours:
            found.error(
                "MOV204",
                "rsync connects two folders of which one is on the host where it runs",
                hint="run the mover on the source's or the target's host, or move to a host of the hub",
            )
            return found.sorted()
        try:
            rsync.ask(self.runner, self.source, "test", "-d", self.source.path)
            for place in (self.source, self.target):
                rsync.ask(self.runner, place, "rsync", "--version")
            wanted = rsync.sizes(self.runner, self.source)[b""]
            free = rsync.ask(self.runner, self.target, "sh", "-c", _FREE, "sh", self.target.path).output.split()[-1]
            if not self.notes.all() and int(free) < wanted:
                found.error(
                    "MOV201",
                    f"the target has room for {int(free)} bytes, the source has {wanted}",
                    address=str(self.target),
                    hint="make room on the target, or name another folder",
                )
        except MoveFailed as failed:
            found.extend(failed.diagnostics)
        return found.sorted()

    def prepare(self) -> None:
        """Make the folder on the target.

        Raises:
            MoveFailed: something stands in the way, or the folder holds something already (MOV204).
        """
        if blocking := [item for item in self.assess() if item.severity.value == "error"]:
            raise MoveFailed(blocking)
        if self.notes.all():
            return
        there = self.runner.run(self.target.command("find", self.target.path, "-mindepth", "1", "-print", "-quit"))
        if there.code == 0 and there.output:
            raise MoveFailed.one(
                "MOV204", f"the folder {self.target} is not empty", hint="name another folder for the move"
            )
        rsync.ask(self.runner, self.target, "mkdir", "-p", self.target.path)
        self.notes.set(made=there.code != 0, passes=[], primary="source")

    def start(self) -> None:
        """Note when it began; the passes are made by :meth:`advance`."""
        state = self._known()
        if "started" not in state:
            self.notes.set(started=datetime.now(UTC).isoformat())

    def advance(self, before: Progress | None = None) -> Progress:
        """One pass: in shards while much is new, then one that compares the contents of every file."""
        del before
        state = self._known()
        if state["primary"] == "target":
            rsync.whole(self.runner, self.target, self.source, self.options.limits.bandwidth)
            return self.progress()
        passes = state["passes"]
        if state.get("compared"):
            self._shards()
        elif len(passes) < PASSES and not (passes and passes[-1]["sent"] <= FEW * max(passes[-1]["total"], 1)):
            done = self._shards()
            entry = {"total": done.total, "sent": done.sent, "files": done.files}
            self.notes.set(passes=[*passes, entry])
        else:
            with self._governed() as ready:
                if ready:
                    ready()
            rsync.whole(self.runner, self.source, self.target, self.options.limits.bandwidth, checksum=True)
            self.notes.set(compared=True)
        return self.progress()

    def _shards(self) -> rsync.Pass:
        limits = self.options.limits
        with self._governed() as ready:
            return rsync.sharded(self.runner, self.source, self.target, limits.parallel, limits.bandwidth, ready)

    @contextmanager
    def _governed(self) -> Iterator[Callable[[], None] | None]:
        """What waits until the source is less busy than is allowed; None where that is not limited."""
        pressure = self.options.limits.pressure
        if pressure is None:
            yield None
            return
        governor = Governor(Allowed(others=pressure), lambda: rsync.waiting(self.runner, self.source), interval=LOOK)
        try:
            yield lambda: governor.wait(lambda: False)
        finally:
            governor.stop()

    def progress(self, before: Progress | None = None) -> Progress:
        """How far it is; sizes are counted on both sides."""
        at = datetime.now(UTC)
        try:
            state = self.notes.all()
            if not state:
                return Progress(at=at, stage=Stage.ABSENT)
            total = rsync.sizes(self.runner, self.source)[b""]
            done = min(rsync.sizes(self.runner, self.target)[b""], total)
        except MoveFailed as failed:
            return Progress(at=at, problems=tuple(failed.diagnostics))
        stage = Stage.PREPARED if not state["passes"] else Stage.COPYING
        stage = Stage.FOLLOWING if state.get("compared") else stage
        stage = Stage.MOVED if state["primary"] == "target" else stage
        since, moved = (before.at, before.bytes_done) if before else (None, None)
        if since is None and "started" in state:
            since, moved = datetime.fromisoformat(state["started"]), 0
        seconds = (at - since).total_seconds() if since else 0
        rate = (done - moved) / seconds if seconds > 0 and moved is not None and done >= moved else None
        return Progress(
            at=at,
            stage=stage,
            bytes_done=done,
            bytes_total=total,
            rate=rate,
            eta=0.0 if done == total else ((total - done) / rate if rate else None),
        )

    def caught_up(self) -> bool:
        """Whether a whole copy is there, compared by contents once."""
        return bool(self.notes.all().get("compared"))

    def freeze(self, direction: Direction = Direction.FORWARD) -> None:
        """Nothing: writes are stopped with the application, and :meth:`drain` proves that they are."""
        del direction
        self._known()

    def thaw(self, direction: Direction = Direction.FORWARD) -> None:
        """Nothing was closed."""
        del direction

    def drain(self, direction: Direction = Direction.FORWARD, timeout: float = 60) -> None:
        """A last pass, and a proof that nothing moves any more.

        Raises:
            MoveFailed: files still differ, so somebody still writes (MOV203).
        """
        del timeout
        left, taken = self._sides(direction)
        if self.moved() is (direction is Direction.FORWARD):
            return
        rsync.whole(self.runner, left, taken, self.options.limits.bandwidth)
        _, names = rsync.differing(self.runner, left, taken, checksum=self.options.checksum_in_pause)
        if names:
            raise MoveFailed.one(
                "MOV203",
                f"{len(names)} files differ after the last pass: somebody still writes to {left}",
                detail="\n".join(names[:20]),
                hint="stop what writes there, then repeat",
            )

    def finish(self, direction: Direction = Direction.FORWARD) -> None:
        """Note that the other side is the one that is written to."""
        self.notes.set(primary="target" if direction is Direction.FORWARD else "source")

    def reverse(self, direction: Direction = Direction.FORWARD) -> None:
        """A first pass the other way; :meth:`advance` makes further ones."""
        if self.moved() is not (direction is Direction.FORWARD):
            raise MoveFailed.one("MOV204", "there was no cutover in this direction", hint="finish the cutover first")
        taken, left = self._sides(direction.other)
        rsync.whole(self.runner, taken, left, self.options.limits.bandwidth)

    def lag(self, direction: Direction = Direction.FORWARD) -> Lag:
        """Bytes that a pass would carry now; how long ago they were written is unknown."""
        left, taken = self._sides(direction)
        found, names = rsync.differing(self.runner, left, taken, checksum=False)
        return Lag(bytes=found.sent, seconds=None if names else 0.0)

    def moved(self) -> bool:
        """Whether the target is the one that is written to."""
        return bool(self.notes.all().get("primary") == "target")

    def stop(self, direction: Direction = Direction.FORWARD) -> None:
        """Nothing runs between two calls."""
        del direction

    def cancel(self) -> None:
        """Remove what was copied; the source was never written to.

        Raises:
            MoveFailed: the target is written to already (MOV204).
        """
        state = self.notes.all()
        if not state:
            return
        if self.moved():
            raise MoveFailed.one("MOV204", "the move was cut over; files would be lost", hint="roll back first")
        rsync.ask(self.runner, self.target, "find", self.target.path, "-mindepth", "1", "-delete")
        if state["made"]:
            rsync.ask(self.runner, self.target, "rmdir", self.target.path)
        self.notes.remove()

    def begun(self) -> bool:
        """Whether the target was prepared for this move."""
        return bool(self.notes.all())

    def noted(self, key: str) -> Any:
        """What was noted beside the target; None when nothing was."""
        return self.notes.all().get(key)

    def note(self, **changes: Any) -> None:
        """Note something; the target is prepared."""
        self._known()
        self.notes.set(**changes)

    def stamp(self, place: Place) -> str:
        """A digest of all names, sizes, modes, owners and times of a folder: equal as long as nobody changed it."""
        said = rsync.ask(self.runner, place, "sh", "-c", _STAMP, "sh", place.path)
        return said.output.decode().split()[0]

    def retire(self) -> None:
        """Nothing is left but the files."""
        if self.notes.all() and not self.moved():
            raise MoveFailed.one("MOV204", "the target is not the one that is written to", hint="cut over first")
        self.notes.remove()

    def close(self) -> None:
        """Nothing is held open."""

    def _sides(self, direction: Direction) -> tuple[Place, Place]:
        return (self.source, self.target) if direction is Direction.FORWARD else (self.target, self.source)

    def _known(self) -> dict[str, Any]:
        if not (state := self.notes.all()):
            raise MoveFailed.one("MOV204", "the target is not prepared for this move", hint="prepare it first")
        return state
