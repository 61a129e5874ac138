"""A wave as it goes: which phase each of its systems is in, and how far its data are, for whoever watches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from govhub.core.events import Event
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.steps import Step, Steps
from govhub.migration.movers.protocol import Progress
from govhub.migration.record.standing import Standing, stand
from govhub.migration.record.store import Record
from govhub.ops.load import valid_hub
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.records import opened
from govhub.ops.migration.sampling import Sampler
from govhub.ops.migration.selecting import systems_of

# From here on there is something to see on the servers, and until here.
_MOVING = (
    Step.DATABASE_COPY,
    Step.FILE_COPY,
    Step.REPLICATION,
    Step.VERIFICATION,
    Step.DRAINED,
    Step.FINAL_VERIFICATION,
    Step.REVERSE_REPLICATION,
)
MOVING = frozenset(f"{word}{step}" for step in _MOVING for word in ("Ensure", "WaitFor"))


@dataclass(slots=True)
class Row:
    """One system, as it was last heard of."""

    system: str
    phase: str = ""
    state: str = ""
    """`running`, `waiting`, `failed`, `done`; empty before it has begun."""
    since: datetime | None = None
    """When the phase began."""
    done: int = 0
    """Phases that are through."""
    rehearsal: bool = False
    moves: dict[str, Progress] = field(default_factory=dict)
    """By move; empty when nothing is known."""


class Following:
    """Rows of systems, kept up to date by the events of runs and by a thread that asks servers; a context manager."""

    def __init__(
        self,
        hub: str,
        words: tuple[str, ...],
        plan: Path | None = None,
        *,
        steps: Callable[[Hub, str], Steps] = steps_of,
    ) -> None:
        self._hub, _ = valid_hub(hub)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._steps = steps
        with opened(self._hub.name) as record:
            names = systems_of(self._hub, record, words, plan) if words else _open(record)
            self._rows = {name: _row(stand(name, record.unchecked(name))) for name in names}
        self._thread = threading.Thread(target=self._sample, name="govhub-migration-view", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        # A server that does not answer must not keep the command; the thread ends with the process.
        self._thread.join(5)

    def __call__(self, event: Event) -> None:
        """Take an event of a run in."""
        data = event.data
        with self._lock:
            row = self._rows.get(_system_of(data.get("run", ""), self._rows))
            if row is not None:
                _apply(row, event)

    def rows(self) -> list[Row]:
        """The rows as they are now, in the order in which they were asked for."""
        with self._lock:
            return [
                Row(item.system, item.phase, item.state, item.since, item.done, item.rehearsal, dict(item.moves))
                for item in self._rows.values()
            ]

    def _sample(self, every: float = 2.0) -> None:
        with Sampler(self._hub, self._steps) as sampler:
            while not self._stop.wait(every):
                for row in self.rows():
                    if row.phase in MOVING and row.state != "done" and not self._stop.is_set():
                        found = sampler.sample(row.system, rehearsal=row.rehearsal)
                        with self._lock:
                            self._rows[row.system].moves = dict(found)


def _open(record: Record) -> tuple[str, ...]:
    return tuple(name for name in record.chains() if stand(name, record.unchecked(name)).run)


def _row(standing: Standing) -> Row:
    row = Row(standing.system)
    if run := standing.run:
        row.rehearsal, row.done = run.itinerary == "rehearse", len(run.finished)
        open_phase = next((name for name in reversed(run.begun) if name not in run.finished), "")
        row.phase = open_phase
        row.state = "failed" if run.failed else "waiting" if run.waiting else "running"
        row.since = datetime.fromisoformat(run.begun[open_phase]) if open_phase else None
    return row


def _apply(row: Row, event: Event) -> None:
    data = event.data
    match event.kind:
        case "migration-run-started":
            row.rehearsal, row.done, row.state = data["itinerary"] == "rehearse", 0, "running"
        case "phase-started":
            row.phase, row.state, row.since = data["phase"], "running", datetime.fromisoformat(event.time)
        case "phase-waiting":
            row.state = "waiting"
        case "phase-failed":
            row.state = "failed"
        case "phase-finished":
            row.done += 1
        case "migration-run-finished":
            row.state, row.phase, row.since = "done", "", datetime.now(UTC)
            row.moves = {}


def _system_of(run: str, known: dict[str, Row]) -> str:
    """A run is called after its system; names of systems may begin alike, so the longest that fits is meant."""
    return max((name for name in known if run.startswith(f"{name}-")), key=len, default="")
