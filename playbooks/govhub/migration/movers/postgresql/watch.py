"""How far a move is, from what both servers show; what they do not show is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.movers.postgresql.catalog import Part, differences
from govhub.migration.movers.postgresql.replication import Replication
from govhub.migration.movers.postgresql.rows import carried
from govhub.migration.movers.postgresql.server import Refused, Server
from govhub.migration.movers.postgresql.tables import tables_of
from govhub.migration.movers.protocol import Direction, Lag, MoveFailed, Progress, Stage

if TYPE_CHECKING:
    from govhub.migration.movers.postgresql.mover import PostgresMover

_DONE = {"r", "s"}
_WARN = 0.7


class Watch:
    """Reads the servers of a move."""

    def __init__(self, mover: PostgresMover) -> None:
        self._mover = mover

    def progress(self, before: Progress | None) -> Progress:
        """How far the move is; a server that does not answer is a problem, not an error."""
        at = datetime.now(UTC)
        try:
            return self._progress(at, before)
        except MoveFailed as failed:
            return Progress(at=at, problems=tuple(failed.diagnostics))

    def _progress(self, at: datetime, before: Progress | None) -> Progress:
        mover = self._mover
        if not mover._target_there() or not mover.registry.get("structure"):  # noqa: SLF001 - one object in two files
            return Progress(at=at, stage=Stage.ABSENT)
        direction = Direction.BACK if mover.moved() else Direction.FORWARD
        replication = mover.replication(direction)
        slots = replication.slots()
        held = [slot.retained for slot in slots if slot.retained is not None]
        retained = max(held) if held else (None if slots else 0)
        problems = self._problems(replication, retained)
        broken = any(item.severity.value == "error" for item in problems)
        if mover.moved():
            stage = Stage.BROKEN if broken else Stage.MOVED
            return Progress(at=at, stage=stage, lag=replication.lag(), retained=retained, problems=tuple(problems))
        states = replication.states()
        subscribed = bool(replication.subscriptions())
        if not subscribed and not mover.registry.get("started"):
            return Progress(at=at, stage=Stage.BROKEN if broken else Stage.PREPARED, problems=tuple(problems))
        # Until changes follow, what was carried is all there is.
        names = None if subscribed else carried(mover.target)
        lag = replication.lag() if subscribed else Lag()
        return self._copied(at, before, states, names, lag, retained, problems, broken=broken)

    def _copied(
        self,
        at: datetime,
        before: Progress | None,
        states: dict[tuple[str, str], str],
        names: set[str] | None,
        lag: Lag,
        retained: int | None,
        problems: list[Diagnostic],
        *,
        broken: bool,
    ) -> Progress:
        tables = [item for item in tables_of(self._mover.source) if item.logged]
        done = [
            item
            for item in tables
            if (states.get((item.schema, item.name)) in _DONE if names is None else str(item) in names)
        ]
        running = self._running()
        total = sum(item.size for item in tables)
        partly = {(item.schema, item.name): item.size for item in tables if item not in done}
        # Bytes of rows as text stand for bytes on disk, so one table is never counted for more than it is.
        copied = sum(item.size for item in done)
        copied += sum(min(size, running[key][0]) for key, size in partly.items() if key in running)
        complete = len(done) == len(tables)
        stage = Stage.COPYING
        if complete:
            follows = names is None and self._mover.registry.get("settled")
            stage = Stage.FOLLOWING if follows else Stage.BUILDING
        if broken:
            stage = Stage.BROKEN
        rate = self._rate(at, copied, before)
        rows = [item.rows for item in done]
        moving = sum(found[1] for key, found in running.items() if key in partly)
        known = [item.rows for item in tables]
        return Progress(
            at=at,
            stage=stage,
            bytes_done=copied,
            bytes_total=total,
            parts_done=len(done),
            parts_total=len(tables),
            rows_done=None if None in rows else sum(item or 0 for item in rows) + moving,
            rows_total=None if None in known else sum(item or 0 for item in known),
            rate=rate,
            eta=0.0 if complete else ((total - copied) / rate if rate else None),
            lag=lag,
            retained=retained,
            problems=tuple(problems),
        )

    def _rate(self, at: datetime, copied: int, before: Progress | None) -> float | None:
        if before is not None and before.bytes_done is not None:
            seconds, moved = (at - before.at).total_seconds(), copied - before.bytes_done
        else:
            started = self._mover.registry.get("started")
            if not started:
                return None
            seconds, moved = (at - datetime.fromisoformat(started)).total_seconds(), copied
        return moved / seconds if seconds > 0 and moved >= 0 else None

    def _running(self) -> dict[tuple[str, str], tuple[int, int]]:
        found = self._mover.target.rows(
            """SELECT n.nspname, c.relname, p.bytes_processed, p.tuples_processed FROM pg_stat_progress_copy p
               JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE p.datname = current_database()"""
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in found}

    def active_sessions(self, source: Server | None = None) -> int:
        """Sessions at work on the source's server, without the move's own; over the mover's connection unless given."""
        return int(
            (source or self._mover.source).value(
                """SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'
                   AND application_name !~ %s""",
                ["^" + self._mover.names.base],
            )
        )

    def schema_differences(self) -> list[str]:
        """What of the schema is not the same on both sides; indexes count once they were built."""
        mover = self._mover
        lines = differences(mover.source, mover.target, Part.STRUCTURE)
        if mover.registry.get("later"):
            lines += differences(mover.source, mover.target, Part.LATER)
        return lines

    def _problems(self, replication: Replication, retained: int | None) -> list[Diagnostic]:
        found = Diagnostics()
        self._slots(replication, retained, found)
        applying, copying = replication.errors()
        if (applying or copying) and self._stuck(replication):
            self._failing(replication.subscriber, applying, copying, found)
        if lines := self.schema_differences():
            found.error(
                "MOV052",
                "the schema of the two sides differs",
                detail="\n".join(lines[:20]),
                hint="make the same change on the target, or cancel the move and start it again",
            )
        return found.sorted()

    def _slots(self, replication: Replication, retained: int | None, found: Diagnostics) -> None:
        slots, names = replication.main_slots(), replication.subscriptions()
        lost = [slot.name for slot in slots if slot.status == "lost"]
        if lost or (names and {slot.name for slot in slots} != set(names)):
            found.error(
                "MOV053",
                "the publishing server no longer has the log that replication needs",
                detail=", ".join(lost or sorted(set(names) - {slot.name for slot in slots})),
                hint="start the move again: the copy begins from the beginning",
            )
        limit = self._mover.options.limits.retained
        if limit is not None and retained is not None and retained > limit * _WARN:
            found.warning(
                "MOV054",
                f"the source holds back {retained} bytes of log for the move, {limit} are allowed",
                hint="beyond that the copy is given up; see why the target is slow",
            )

    @staticmethod
    def _stuck(replication: Replication) -> bool:
        """An error that was overcome since, such as a broken connection, is none any more."""
        slots = replication.main_slots()
        if any(not slot.active for slot in slots):
            return True
        return any(state not in {"r", "s"} for state in replication.states().values())

    @staticmethod
    def _failing(subscriber: Server, applying: int, copying: int, found: Diagnostics) -> None:
        cause = ""
        try:
            # The cause stands in the server's log alone; a full disk can be found by asking for some of it.
            subscriber.probe("SELECT repeat(md5(i::text), 60) FROM generate_series(1, 1000) i")
        except Refused as refusal:
            cause = "the target's disk is full" if refusal.state == "53100" else str(refusal)
        if cause == "the target's disk is full":
            found.error("MOV055", cause, hint="give it more; the copy goes on by itself")
            return
        found.error(
            "MOV056",
            f"the receiving side refuses: {copying} times rows to copy, {applying} times changes to apply",
            detail=cause,
            hint="its log says which row and why, such as one changed there by hand; put it right and it goes on",
        )
