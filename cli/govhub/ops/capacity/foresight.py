"""The forecast behind a page that is looked at all the time: made anew when what it is made of has changed."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import GovhubError
from govhub.core.settings import today
from govhub.core.text import minute_of
from govhub.monitoring.columns import Columns
from govhub.ops.capacity.days import history_folder, today_of
from govhub.ops.capacity.foreseeing import Failure, child
from govhub.ops.capacity.serving import NO_FORECAST, Foreseen

AGAIN = 300.0
"""Seconds after which one that failed is tried again."""
LONGEST = 1800.0
"""Seconds after which one is given up: 80,000 racks with years of days take a minute."""
ENDING = 5.0
"""Seconds that a process which has closed its pipe takes to end."""

_LOG = logging.getLogger("govhub.web")
_Key = tuple[date, int, int]


@dataclass(frozen=True, slots=True)
class _Making:
    """A forecast that is being made."""

    process: SpawnProcess
    answer: Connection
    until: float


class Foresight:
    """The forecast of a hub. One process at a time makes it, and each look takes in what has been made meanwhile."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Nothing is read yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._columns: Columns | None = None
        self._key: _Key | None = None
        self._making: _Making | None = None
        self._made: float | None = None
        self._last = Foreseen()
        self._problems: list[dict[str, Any]] = []
        self._failed: float | None = None

    def look(self, columns: Columns) -> Foreseen:
        """What is known by now; never waits for a forecast that is being made."""
        with self._lock:
            if self._making is not None:
                self._take(self._making)
            if self._making is None and not self._closed:
                key = _key(columns)
                if self._is_due(columns, key):
                    self._start(columns, key)
            return self._told()

    def close(self) -> None:
        """End the process that makes one, and start no other."""
        with self._lock:
            self._closed = True
            if self._making is not None:
                self._end(self._making)

    def _is_due(self, columns: Columns, key: _Key) -> bool:
        if self._failed is not None and self._clock() >= self._failed + AGAIN:
            return True
        return columns is not self._columns or key != self._key

    def _start(self, columns: Columns, key: _Key) -> None:
        self._columns, self._key = columns, key
        spawn = multiprocessing.get_context("spawn")
        answer, theirs = spawn.Pipe(duplex=False)
        process = spawn.Process(target=child, args=(str(columns.hub.folder), theirs), name="forecast", daemon=True)
        try:
            with _deaf_to_the_keyboard():
                process.start()
        except OSError as error:
            answer.close()
            self._tell(Failure(f"no process can be started: {error}"))
        else:
            self._making = _Making(process, answer, self._clock() + LONGEST)
        finally:
            theirs.close()

    def _take(self, making: _Making) -> None:
        """Take the answer in when there is one; a process that has ended without any has crashed."""
        if making.answer.poll():
            try:
                found = making.answer.recv()
            except (EOFError, OSError):
                making.process.join(ENDING)
                found = Failure(f"its process has ended with {making.process.exitcode}")
        elif self._clock() >= making.until:
            found = Failure(f"it was not made in {LONGEST / 60:.0f} minutes")
        else:
            return
        self._end(making)
        if isinstance(found, Failure):
            self._tell(found)
        else:
            self._last, self._made, self._problems, self._failed = found, self._clock(), [], None

    def _end(self, making: _Making) -> None:
        # Not told gently: it writes nothing, and may be waiting for a disk.
        making.process.kill()
        making.process.join()
        making.answer.close()
        self._making = None

    def _tell(self, failure: Failure) -> None:
        shown = "unknown is what it would say" if self._made is None else f"shown is that of {minute_of(self._made)}"
        summary = f"the forecast cannot be made: {failure.summary}"
        about = Diagnostic(code="WEB008", severity=Severity.WARNING, summary=summary, hint=shown)
        if self._failed is None:
            _LOG.warning("%s: %s", summary, shown)
        self._problems, self._failed = [about.as_dict(), *failure.problems], self._clock()

    def _told(self) -> Foreseen:
        state = "making" if self._making else "failed" if self._problems else "ok"
        before = NO_FORECAST if self._made is None else self._last.document
        problems = [*self._problems, *before.get("problems", [])]
        return Foreseen({**before, "state": state, "problems": problems}, self._last.figures)


def _key(columns: Columns) -> _Key:
    """The day, and the number and youngest change of the history's files."""
    times = []
    for path in history_folder(columns).rglob("*"):
        # Gone between the list and now, as two parts become one: then it is not in the next list either.
        with contextlib.suppress(OSError):
            if path.is_file():
                times.append(path.stat().st_mtime_ns)
    try:
        day = today_of(columns)
    except GovhubError:
        # What is wrong with the hub's time zone is what the forecast will say.
        day = today()
    return day, len(times), max(times, default=0)


@contextlib.contextmanager
def _deaf_to_the_keyboard() -> Iterator[None]:
    """A process that is started meanwhile does not get Ctrl-C, which a terminal sends to it as to the server."""
    # It would hear what is sent while this is started.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
