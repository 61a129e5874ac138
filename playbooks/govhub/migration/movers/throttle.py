"""``python -m …throttle BYTES_PER_SECOND [FILE]``: passes its input on, no faster, and waits while the file is there.

``inf`` is no limit. It imports nothing of govhub's others.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time

CHUNK = 1 << 16
_BURST = 0.1
"""Seconds of the limit that may go at once after a time in which nothing went."""


_TRICKLE = 10.0
"""Seconds between two chunks while it waits: MariaDB's `net_write_timeout` is 60 s."""


class Pace:
    """A limit of bandwidth that several threads share; None is no limit."""

    def __init__(self, limit: float | None) -> None:
        self._limit, self._due, self._lock = limit, time.monotonic(), threading.Lock()

    def take(self, size: int) -> None:
        """Wait until ``size`` more bytes may go, paying for them beforehand."""
        if self._limit is None:
            return
        with self._lock:
            self._due = max(self._due, time.monotonic() - _BURST) + size / self._limit
            due = self._due
        time.sleep(max(0.0, due - time.monotonic()))


def main(limit: float, held: str = "") -> None:
    """Copy standard input to standard output; a pause is paid for at once, so bursts are one chunk long."""
    pace = Pace(None if math.isinf(limit) else limit)
    limit = min(limit, CHUNK)
    while chunk := os.read(0, min(CHUNK, max(1, int(limit)))):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        pace.take(len(chunk))
        if held:
            _wait(held)


def _wait(held: str) -> None:
    """Until the file is gone; a little goes through meanwhile, or the server would give up who does not read."""
    until = time.monotonic() + _TRICKLE
    while os.path.exists(held) and time.monotonic() < until:  # noqa: PTH110 - pathlib takes longer to import than to pause
        time.sleep(0.1)


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:3])
