"""The steps of a database, as a table; the engine stands behind a port."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from govhub.migration.itinerary.outcome import Done, Outcome
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.movers.protocol import Progress
from govhub.migration.moving import afterwards, back, before, guards, pause
from govhub.migration.moving.engines.port import DatabaseMove
from govhub.migration.moving.part import Part

Act = Callable[[Part, DatabaseMove, Context], Outcome]


class DatabaseSteps:
    """Moves one database online; see :class:`govhub.migration.itinerary.steps.Steps`."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Do the step."""
        return self._do(MAKE, step, context)

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it is so."""
        return self._do(LOOK, step, context)

    def progress(self, *, rehearsal: bool, before: Mapping[str, Progress]) -> dict[str, Progress]:
        """How far the move is; changes nothing."""
        return {self.part.move: self.part.data(rehearsal=rehearsal).mover.progress(before.get(self.part.move))}

    def close(self) -> None:
        """Let go of all connections."""
        self.part.close()

    def _do(self, table: Mapping[Step, Act], step: Step, context: Context) -> Outcome:
        act = table.get(step)
        if act is None:
            return Done()
        outcome = act(self.part, self.part.data(rehearsal=context.rehearsal), context)
        return Done({self.part.move: outcome.evidence}) if isinstance(outcome, Done) else outcome


MAKE: Mapping[Step, Act] = {
    Step.APPLICATION: before.apply_for,
    Step.TARGET: before.prepare,
    Step.BACKUP: before.back_up,
    Step.DATABASE_COPY: before.copy,
    Step.REPLICATION: before.follow,
    Step.VERIFICATION: before.verify_in_use,
    Step.WRITES_STOPPED: pause.stop_writes,
    Step.DRAINED: pause.drain,
    Step.FINAL_VERIFICATION: pause.verify_still,
    Step.SWITCHED: pause.switch,
    Step.REVERSE_REPLICATION: pause.reverse,
    Step.SERVICE_TEST: pause.serve,
    Step.REHEARSAL_REMOVED: back.remove_rehearsal,
    Step.WRITES_ALLOWED: back.allow_writes,
    Step.REPLICATION_REMOVED: back.end_replication,
    Step.TARGET_REMOVED: back.remove_target,
    Step.TARGET_WRITES_STOPPED: back.stop_target,
    Step.REVERSE_DRAINED: back.drain_back,
    Step.REVERSE_VERIFICATION: back.verify_back,
    Step.SWITCHED_BACK: back.switch_back,
    Step.ARCHIVE: back.archive_source,
    Step.WIPED: back.wipe,
    Step.RELEASED: back.release,
    Step.TARGET_WRITES_ALLOWED: afterwards.allow_target_writes,
    Step.SOURCE_ROOM: guards.keep_room,
}
LOOK: Mapping[Step, Act] = {
    Step.TARGET: before.prepared,
    Step.BACKUP: before.backed_up,
    Step.DATABASE_COPY: before.copied,
    Step.REPLICATION: before.follows,
    Step.WRITES_STOPPED: pause.writes_stopped,
    Step.SWITCHED: pause.switched,
    Step.REVERSE_REPLICATION: pause.reversed_,
    Step.WRITES_ALLOWED: back.writes_allowed,
    Step.TARGET_WRITES_STOPPED: back.target_stopped,
    Step.SWITCHED_BACK: back.switched_back,
    Step.ARCHIVE: back.archived,
    Step.WIPED: back.wiped,
    Step.CLOCKS: guards.clocks,
    Step.WAY_BACK: afterwards.way_back,
    Step.CONTINUED_VERIFICATION: afterwards.compare,
}
