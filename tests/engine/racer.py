"""A process that tries to take one lock after another at the same moment as its rivals."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Protocol

from govhub.core.errors import LockHeld
from govhub.engine.bucket import open_bucket
from govhub.engine.lease import HubLock
from govhub.engine.state import State


class Barrier(Protocol):
    """Of threads or of processes."""

    def wait(self, timeout: float | None = None) -> int: ...


class Results(Protocol):
    """Of threads or of processes."""

    def put(self, item: tuple[int, bool], /) -> None: ...


def race(address: str, name: str, rounds: int, gate: Barrier, results: Results) -> None:
    """Try for the lock of hub ``race<n>`` in each round; all hold what they got until all have tried."""
    for number in range(rounds):
        lock = HubLock(State(f"race{number}", open_bucket(address)), name, "up", lease=timedelta(seconds=30))
        gate.wait(60)
        try:
            with lock:
                results.put((number, True))
                gate.wait(60)
        except LockHeld:
            results.put((number, False))
            gate.wait(60)


def worker(address: str, name: str, rounds: int, gate: Barrier, results: Results) -> None:
    """The same in a process of its own, which starts without the other threads of the tests."""
    race(address, name, rounds, gate, results)
    assert threading.active_count() >= 1
