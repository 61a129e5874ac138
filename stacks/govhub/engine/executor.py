"""Runs the engine over the shards that have work: layer by layer, shards and clusters side by side."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError, LockHeld
from govhub.core.events import EventLog
from govhub.engine.ledger import Ledger
from govhub.engine.runner import Outcome, ShardEngine, Step
from govhub.engine.settings import EngineSettings
from govhub.engine.state import State
from govhub.stacks.graph import DesiredObject, Identity, Shard, Stack

ORDER = tuple(stack.value for stack in Stack)
WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work on one shard: what its program registers, what is written to the ledger, and how the engine is asked."""

    shard: Shard
    objects: tuple[DesiredObject, ...]
    touched: frozenset[Identity]
    refresh: bool = False
    targets: tuple[str, ...] = ()
    operation: str = "up"
    settles: bool = True
    """Whether success closes the shard's intents; a narrowed run over an interrupted shard has not seen all of it."""


@dataclass(slots=True)
class JobResult:
    """What became of a job: done, failed or not tried."""

    shard: Shard
    status: str
    seconds: float = 0.0
    outcome: Outcome = field(default_factory=Outcome)
    reason: str = ""
    problems: list[Diagnostic] = field(default_factory=list)
    """Why the engine was not even asked: a lock, a database, a missing tool."""


class Executor:
    """One run's engines; ``interrupt`` may be called from a signal handler."""

    def __init__(
        self,
        *,
        state: State,
        settings: EngineSettings,
        kubeconfigs: Mapping[str, Path],
        events: EventLog,
        run: str,
        workers: int = WORKERS,
    ) -> None:
        self._state, self._settings, self._kubeconfigs = state, settings, kubeconfigs
        self._events, self._run, self._workers = events, run, workers
        self._ledger = Ledger(state)
        self._engines: set[ShardEngine] = set()
        # Reentrant: a second Ctrl-C may arrive while the first is being handled in the same thread.
        self._guard = threading.RLock()
        self._stopping = threading.Event()
        self._kills = 0

    def run(self, jobs: Iterable[Job], *, reverse: bool = False) -> list[JobResult]:
        """Run all jobs; a cluster's layers one after the other, everything else side by side."""
        by_cluster: dict[str, list[Job]] = {}
        for job in jobs:
            by_cluster.setdefault(job.shard.cluster, []).append(job)
        results: list[JobResult] = []
        with ThreadPoolExecutor(max(len(by_cluster), 1)) as clusters, ThreadPoolExecutor(self._workers) as pool:
            futures = [clusters.submit(self._cluster, pool, group, reverse) for group in by_cluster.values()]
            _wait_awake(futures)
            for future in futures:
                results += future.result()
        return results

    def interrupt(self) -> None:
        """First call: let the engines finish what they are doing. Second call: end them now."""
        self._stopping.set()
        self._kills += 1
        with self._guard:
            engines = list(self._engines)
        for engine in engines:
            if self._kills == 1:
                engine.command.interrupt()
            else:
                engine.command.kill()

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stopping.is_set()

    def _cluster(self, pool: ThreadPoolExecutor, jobs: list[Job], reverse: bool) -> list[JobResult]:
        results: list[JobResult] = []
        blocked = ""
        for stack in reversed(ORDER) if reverse else ORDER:
            layer = [job for job in jobs if job.shard.stack == stack]
            if not layer:
                continue
            if blocked or self._stopping.is_set():
                reason = blocked or "interrupted"
                results += [JobResult(job.shard, "not tried", reason=reason) for job in layer]
                continue
            futures = [pool.submit(self._job, job) for job in layer]
            done = [future.result() for future in futures]
            results += done
            # An error of one object stops nobody; an engine that could do nothing at all would fail again, and what
            # one has left undone that ended half-way, the layers above would wait for in vain.
            if all(item.status == "failed" and not item.outcome.steps for item in done):
                blocked = f"{stack} could not be started"
            elif any(item.outcome.broken_off for item in done):
                blocked = f"the engine of {stack} ended half-way"
        return results

    def _job(self, job: Job) -> JobResult:
        if self._stopping.is_set():
            return JobResult(job.shard, "not tried", reason="interrupted")
        started = time.monotonic()
        problems: list[Diagnostic] = []
        self._events.emit("shard-started", shard=str(job.shard), objects=len(job.objects), operation=job.operation)
        try:
            outcome = self._engine(job)
        except GovhubError as error:
            problems = error.diagnostics
            outcome = Outcome(messages=[str(error)])
        except Exception as error:  # noqa: BLE001  # the engine's library raises many kinds; one shard may not end the run
            outcome = Outcome(messages=[f"{type(error).__name__}: {error}"[:500]])
        status = "done" if outcome.ok else "failed"
        result = JobResult(job.shard, status, round(time.monotonic() - started, 2), outcome, problems=problems)
        self._events.emit(
            "shard-finished",
            shard=str(job.shard),
            status=status,
            seconds=result.seconds,
            counts=outcome.counts,
            failures=outcome.failures,
            messages=outcome.messages[:5],
        )
        return result

    def _engine(self, job: Job) -> Outcome:
        from govhub.stacks.components import program

        self._clear_engine_locks(job.shard)
        run = program(job.objects, f"{self._state.hub}/{job.shard.cluster}")
        engine = ShardEngine(self._settings, self._state.hub, job.shard, self._kubeconfigs[job.shard.cluster], run)
        with self._guard:
            self._engines.add(engine)
        try:
            self._ledger.begin(job.shard, self._run, job.touched)
            if not self._state.exists(job.shard):
                engine.create_stack()
            if self._stopping.is_set():
                return Outcome(messages=["interrupted"])
            outcome = self._operate(engine, job)
            if outcome.failures:
                self._state.scrub_errors(job.shard)
            # A failed engine that reported its steps has saved its state; one that was killed has not.
            saved = outcome.ok or (outcome.counts and not outcome.timed_out and not self._stopping.is_set())
            if saved and job.settles:
                self._ledger.finish(job.shard)
            return outcome
        finally:
            with self._guard:
                self._engines.discard(engine)

    def _operate(self, engine: ShardEngine, job: Job) -> Outcome:
        on_step = self._report(job.shard)
        if job.operation == "destroy":
            return engine.destroy(targets=job.targets, on_step=on_step)
        return engine.up(refresh=job.refresh, targets=job.targets, on_step=on_step)

    def _report(self, shard: Shard) -> Callable[[Step], None]:
        def report(step: Step) -> None:
            if step.done and step.op not in ("same", "refresh", "read"):
                self._events.emit("step", shard=str(shard), urn=step.urn, op=step.op, failed=step.failed)

        return report

    def _clear_engine_locks(self, shard: Shard) -> None:
        """Remove locks that killed engines left; we hold the hub's lock, so nobody of ours is running.

        Raises:
            LockHeld: somebody else runs the stock CLI on this stack.
        """
        for key, lock in self._state.engine_locks(shard):
            pid = int(lock.get("pid") or 0)
            here = lock.get("hostname") == socket.gethostname()
            if here and _is_engine(pid):
                raise LockHeld.one(
                    "LCK002",
                    f"{shard} is locked by a pulumi process ({pid}) that is still running",
                    hint="wait for it, or end it",
                )
            self._state.bucket.delete(key)
            self._events.emit("engine-lock-removed", shard=str(shard), lock=lock)


def _is_engine(pid: int) -> bool:
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait_awake(futures: list[Future[list[JobResult]]]) -> None:
    """Wait in short steps, so that signal handlers of the main thread get their turn."""
    pending = set(futures)
    while pending:
        _, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
