"""Benchmarks of migrations: entries into the record, and what runs cost that wait."""

from __future__ import annotations

import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from govhub.bench.results import Result, timed
from govhub.inventory.model.migration import Migration, MigrationRules
from govhub.migration.itinerary.durable import Durable
from govhub.migration.itinerary.engine import Engine, Subject
from govhub.migration.itinerary.fake import FakeSteps
from govhub.migration.itinerary.outcome import NotYet
from govhub.migration.itinerary.steps import Context
from govhub.migration.record.lease import new_owner
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Database, Record, now

_EVENTS = 5000
_DECISIVE = 500
_LOOK_SECONDS = 10.0


def events(runs: int) -> list[Result]:
    """Single appends to one chain, one after the other; 0.5 ms each are 2,000 a second."""
    plain = Result(name="migrate-events", unit="ms an append", limit=0.5, note=f"{_EVENTS:,} appends, SQLite")
    durable = Result(name="migrate-events-decisive", unit="ms an append", note="each survives a power cut")
    check = Result(name="migrate-events-check", unit="s", note=f"reading and checking a chain of {_EVENTS:,}")
    for _ in range(runs):
        with _record() as record:
            plain.ours.append(1000 * timed(lambda: _append(record, _EVENTS, decisive=False)) / _EVENTS)
            check.ours.append(timed(lambda: record.events("portal")))
        with _record() as record:
            durable.ours.append(1000 * timed(lambda: _append(record, _DECISIVE, decisive=True)) / _DECISIVE)
    return [plain, durable, check]


def parked(count: int, runs: int) -> list[Result]:
    """So many runs that wait: what a process that keeps an eye on them uses, and what is open for them."""
    cpu = Result(name=f"migrate-parked-{count}-cpu", unit=f"s of CPU in {_LOOK_SECONDS:g} s", limit=0.5)
    memory = Result(name=f"migrate-parked-{count}-memory", unit="MiB more", note="of the worker that parked them")
    threads = Result(name=f"migrate-parked-{count}-threads", unit="threads more", limit=0)
    workflows = Result(name=f"migrate-parked-{count}-workflows", unit="open workflows", limit=0)
    board = Result(name=f"migrate-parked-{count}-board", unit="s", note="reading, checking and folding every chain")
    for _ in range(runs):
        with _record() as record, _driver(record) as driver:
            _park(record, driver, "first")
            before, there = _memory(), threading.active_count()
            for number in range(count):
                _park(record, driver, f"system-{number}")
            memory.ours.append(_memory() - before)
            threads.ours.append(threading.active_count() - there)
            workflows.ours.append(driver.unfinished())
            cpu.ours.append(_cpu_of_waiting())
            board.ours.append(timed(lambda: _fold(record, count + 1)))
    return [cpu, memory, threads, workflows, board]


@contextmanager
def _record() -> Iterator[Record]:
    with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
        database = Database(str(Path(scratch) / "record.db"))
        yield Record(database, "bench")
        database.close()


@contextmanager
def _driver(record: Record) -> Iterator[Durable]:
    file = Path(str(record.database.url.database)).with_name("phases.db")
    with Durable(f"sqlite:///{file}", new_owner()) as driver:
        yield driver


def _append(record: Record, count: int, *, decisive: bool) -> None:
    evidence = "0" * 64
    for number in range(count):
        data = {"run": "portal-migrate-1", "phase": "EnsureTarget", "actor": "li", "evidence_digest": evidence}
        record.append("phase-finished", "portal", data, key=str(number), decisive=decisive)


def _park(record: Record, driver: Durable, system: str) -> None:
    context = Context(
        hub="bench",
        system=system,
        tenant="office",
        run="",
        itinerary="",
        phase="",
        key="",
        plan_hash="0" * 64,
        facts={},
        migration=Migration(system=system),
        rules=MigrationRules(),
        timezone="Asia/Shanghai",
        now=now(),
        actor="bench",
    )
    steps = FakeSteps({"WaitForApplication": NotYet("the authority has the application", 86400)})
    progress = Engine(record, driver, "bench").advance(Subject(context=context, steps=steps), "migrate")
    if progress.state != "waiting":
        raise RuntimeError(f"not parked: {progress}")


def _fold(record: Record, count: int) -> None:
    waiting = [name for name in record.chains() if (run := stand(name, record.events(name)).run) and run.waiting]
    if len(waiting) != count:
        raise RuntimeError(f"{len(waiting)} are parked")


def _cpu_of_waiting() -> float:
    started = resource.getrusage(resource.RUSAGE_SELF)
    time.sleep(_LOOK_SECONDS)
    ended = resource.getrusage(resource.RUSAGE_SELF)
    return ended.ru_utime + ended.ru_stime - started.ru_utime - started.ru_stime


def _memory() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
