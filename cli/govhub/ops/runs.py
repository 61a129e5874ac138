"""A run: its folder, its events, its lock, and what it leaves behind for people and for the next run."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.events import EVENTS_VERSION, EventLog, Listener
from govhub.core.exits import Exit
from govhub.core.files import private_folder, write_atomic
from govhub.core.secrets import REDACTOR, scrub
from govhub.core.settings import actor, hub_home
from govhub.engine.executor import Executor
from govhub.engine.lease import HubLock
from govhub.ops.requests import RunRequest, RunResult
from govhub.ops.session import Connection, Session

LAST = "last-run.json"
KEEP = 50


@dataclass(slots=True)
class Run:
    """A run under the hub's lock."""

    id: str
    folder: Path
    events: EventLog
    lock: HubLock
    started: float = field(default_factory=time.monotonic)
    layers: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, layer: str) -> Iterator[None]:
        """Measure a layer's wall-clock time."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.layers[layer] = self.layers.get(layer, 0.0) + time.monotonic() - begin

    def save(self, name: str, document: Any) -> None:
        """Write a document into the run folder, scrubbed of secrets."""
        write_atomic(self.folder / name, json.dumps(scrub(document, REDACTOR), ensure_ascii=False, indent=1))


@contextmanager
def new_run(session: Session, operation: str, request: RunRequest) -> Iterator[Run]:
    """Take the hub's lock and open a run folder; both are closed again whatever happens.

    Raises:
        LockHeld: another run works on this hub.
    """
    run_id = new_id()
    with (
        HubLock(session.state, run_id, operation) as lock,
        recorded(session.name, run_id, operation, request.listener) as events,
    ):
        run = Run(run_id, runs_folder(session.name) / run_id, events, lock)
        if lock.taken_reason:
            former = lock.taken_over.run if lock.taken_over else ""
            events.emit("lock-taken-over", from_run=former, reason=lock.taken_reason)
        yield run


def new_id() -> str:
    """A name for a run; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@contextmanager
def recorded(hub: str, run_id: str, operation: str, listener: Listener | None = None) -> Iterator[EventLog]:
    """A run folder with the events of an operation; closed whatever happens, and old folders are removed."""
    folder = private_folder(runs_folder(hub) / run_id)
    events = EventLog(folder / "events.ndjson", redact=REDACTOR)
    if listener:
        events.listen(listener)
    events.emit("run-started", version=EVENTS_VERSION, run=run_id, hub=hub, operation=operation, actor=actor())
    try:
        yield events
    finally:
        events.close()
        _prune(folder.parent)


def executor_of(session: Session, run: Run, request: RunRequest, connections: Mapping[str, Connection]) -> Executor:
    """The run's engines, wired to Ctrl-C and to the loss of the lock.

    Raises:
        ToolMissing: the engine is not there.
    """
    executor = Executor(
        state=session.state,
        settings=session.engine_settings(request.timeout),
        kubeconfigs={name: item.kubeconfig for name, item in connections.items() if item.kubeconfig},
        events=run.events,
        run=run.id,
        workers=request.workers,
    )
    run.lock.when_lost(executor.interrupt)
    if request.on_start:
        request.on_start(executor.interrupt)
    return executor


def close(session: Session, run: Run, result: RunResult) -> RunResult:
    """Write the result into the run folder and beside the state."""
    result.seconds = time.monotonic() - run.started
    result.layers = run.layers
    if run.lock.lost.is_set():
        result.status, result.failed_exit = "failed", Exit.LOCKED
        text = f"the lock of {session.name} was lost during the run, which was stopped for that"
        hint = "another run took it over after this one had stood still; look at `status`, then run again"
        result.problems.append(Diagnostic(code="LCK003", severity=Severity.ERROR, summary=text, hint=hint))
    document = result.as_dict()
    run.events.emit("run-finished", run=run.id, status=result.status, seconds=round(result.seconds, 2))
    run.save("result.json", document)
    summary = {key: document[key] for key in ("run", "status", "seconds", "summary")}
    if run.lock.lost.is_set():
        return result
    session.state.write(LAST, summary | {"time": datetime.now(UTC).isoformat(timespec="seconds")})
    return result


def runs_folder(hub: str) -> Path:
    """Where a hub's run folders are."""
    return hub_home(hub) / "runs"


def _prune(folder: Path) -> None:
    """Keep the last runs; names sort by time."""
    for old in sorted(folder.iterdir())[:-KEEP]:
        for path in old.iterdir():
            with contextlib.suppress(OSError):
                path.unlink()
        with contextlib.suppress(OSError):
            old.rmdir()
