"""The governor: what we take of a server that others work with, and that we wait while it is busy with their work.

Verification has its statements begin in turns; copies pause between two pieces of a table or of a file tree.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from govhub.core.errors import GovhubError
from govhub.migration.sql.port import SqlFailed

INTERVAL = 0.25
"""Seconds between two looks."""
# So many looks in a row that fail, and statements may go on: whether the server is gone, they find out themselves.
FAILURES = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a server may be used."""

    statements: int = 2
    """Of ours at the same time."""
    others: float | None = None
    """Begin none while the server is busier than that with others' work; None does not look."""


class Governor:
    """Watches one server; every statement goes through :meth:`turn`."""

    def __init__(
        self,
        limits: Limits,
        active: Callable[[], float | None],
        left: Callable[[], float] = lambda: math.inf,
        changed: Callable[[bool], None] = lambda _: None,
        interval: float = INTERVAL,
    ) -> None:
        """Starts watching at once when others are to be looked at.

        Args:
            limits: How much may be used.
            active: How busy it is: sessions of others that run a statement, or percent of the time that work waits for
                the disk. None when that cannot be seen.
            left: Seconds that are left of the budget.
            changed: Is told whenever we have to wait from now on, or need not any more.
            interval: Seconds between two looks.
        """
        self.limits = limits
        self._active, self._left, self._changed, self._interval = active, left, changed, interval
        self._slots = threading.Semaphore(limits.statements)
        self._free = threading.Event()
        self._free.set()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._running = self.most_of_ours = self.pauses = 0
        self.most_of_others: float | None = None
        self._failures = 0
        self.blind = False
        """This account may not see what others do."""
        self.paused = 0.0
        self._thread: threading.Thread | None = None
        if limits.others is not None:
            self._look()
            self._thread = threading.Thread(target=self._watch, daemon=True, name="govhub-governor")
            self._thread.start()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a slot and for quiet; ends the wait with the budget, so that the caller sees that it is over."""
        with self._slots:
            while not self._free.wait(0.1):
                if self._left() <= 0:
                    break
            with self._lock:
                self._running += 1
                self.most_of_ours = max(self.most_of_ours, self._running)
            try:
                yield
            finally:
                with self._lock:
                    self._running -= 1

    def wait(self, over: Callable[[], bool]) -> None:
        """Return when the server has time for us, or when it is ``over``."""
        while not self._free.wait(0.1):
            if over():
                return

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        self._let(go=True)
        if self._thread:
            self._thread.join(timeout=10)

    def as_dict(self) -> dict[str, Any]:
        """What it allowed, and what it saw."""
        return {
            "statements_at_most": self.limits.statements,
            "statements_seen": self.most_of_ours,
            "others_at_most": self.limits.others,
            "others_seen": self.most_of_others,
            "others_hidden": self.blind,
            "pauses": self.pauses,
            "paused_seconds": round(self.paused, 2),
        }

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(self._interval):
            now = time.monotonic()
            if not self._free.is_set():
                self.paused += now - before
            before = now
            self._look()

    def _look(self) -> None:
        limit = self.limits.others
        try:
            found = self._active()
            self._failures = 0
        except (SqlFailed, GovhubError):
            # A server that does not say how busy it is may be too busy to.
            self._failures += 1
            if self._failures == 1:
                self._let(go=False)
            if self._failures >= FAILURES:
                self._let(go=True)
            return
        if found is None or limit is None:
            self.blind = True
            return
        self.most_of_others = max(found, self.most_of_others or 0)
        self._let(go=found <= limit)

    def _let(self, *, go: bool) -> None:
        if go is self._free.is_set():
            return
        if go:
            self._free.set()
        else:
            self.pauses += 1
            self._free.clear()
        self._changed(not go)
