"""One side of a verification: a database, its sessions, and the threads that use them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from govhub.migration.governor import Governor, Limits
from govhub.migration.sql.catalog import Catalog
from govhub.migration.sql.dsn import Engine
from govhub.migration.sql.port import Database, Row, Session, SqlFailed, Trouble

Result = TypeVar("Result")
STATEMENT = 600.0


class OutOfTime(Exception):
    """The budget is spent."""


class Clock:
    """How much is left of a budget in seconds; None is without end."""

    def __init__(self, budget: float | None) -> None:
        self.budget = budget
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds; not below 0."""
        return float("inf") if self.budget is None else max(0.0, self.budget - self.spent)

    def statement(self) -> float:
        """Seconds that one statement may take.

        Raises:
            OutOfTime: none are left.
        """
        if self.left <= 0:
            raise OutOfTime
        return min(self.left, STATEMENT)


class Side:
    """Runs statements of one side, several at a time, under its governor."""

    def __init__(self, name: str, index: int, database: Database, limits: Limits, clock: Clock) -> None:
        """Reads the catalog, then takes the snapshot: what changes between the two is found at the end.

        Raises:
            SqlFailed: the server does not answer, or refuses.
        """
        self.name, self.index, self.database, self.clock = name, index, database, clock
        self.engine: Engine = database.dsn.engine
        self.catalog: Catalog = database.catalog()
        self._sessions: queue.SimpleQueue[Session] = queue.SimpleQueue()
        self._all: list[Session] = []
        self.lost = ""
        try:
            database.begin(limits.statements)
            for _ in range(limits.statements if database.shared else 1):
                self._all.append(database.session())
                self._sessions.put(self._all[-1])
        except SqlFailed:
            self._close_all()
            raise
        self._threads = ThreadPoolExecutor(len(self._all), thread_name_prefix=f"govhub-{name}")
        self.governor = Governor(limits, database.active, lambda: clock.left)
        self._closing = threading.Event()

    @property
    def width(self) -> int:
        """How many statements run at the same time."""
        return len(self._all)

    def submit(self, work: Callable[[Session], Result]) -> Future[Result]:
        """Run ``work`` with a session of its own, when it is its turn."""
        return self._threads.submit(self._with_session, work)

    def ask(self, statement: str, parameters: Sequence[object] = ()) -> Future[list[Row]]:
        """All rows of one statement."""
        return self.submit(lambda session: session.query(statement, parameters, self.clock.statement()))

    def interrupt(self) -> None:
        """End what runs and what waits; nothing can be asked afterwards."""
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for session in self._all:
            session.cancel()

    def close(self) -> None:
        """End what runs and give everything back."""
        if not self._closing.is_set():
            self.interrupt()
        self._threads.shutdown(wait=True)
        self.governor.stop()
        self._close_all()

    def _with_session(self, work: Callable[[Session], Any]) -> Any:
        with self.governor.turn():
            self._check()
            session = self._sessions.get()
            try:
                return work(session)
            except SqlFailed as failed:
                if failed.trouble is Trouble.LOST:
                    self.lost = self.lost or failed.text
                if failed.trouble is Trouble.TIME and self.clock.left <= 0:
                    raise OutOfTime from failed
                raise
            finally:
                self._sessions.put(session)

    def _check(self) -> None:
        if self.lost:
            raise SqlFailed(Trouble.LOST, self.lost)
        if self._closing.is_set() or self.clock.left <= 0:
            raise OutOfTime

    def _close_all(self) -> None:
        for session in self._all:
            session.close()
        self.database.close()
