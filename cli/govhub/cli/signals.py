"""Ctrl-C and termination during a run: gently first, then at once, then without waiting."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from govhub.cli.i18n import tr

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context manager around a run; ``attach`` is handed to the use case."""

    def __init__(self, message: Callable[[str], None]) -> None:
        self._message = message
        self._interrupt: Callable[[], None] | None = None
        self._count = 0
        self._former: dict[signal.Signals, Any] = {}

    def attach(self, interrupt: Callable[[], None]) -> None:
        """The run has engines now: ``interrupt`` stops them, gently at first."""
        self._interrupt = interrupt

    def __enter__(self) -> Self:
        # Python allows handlers in the main thread only; anywhere else somebody above us has them.
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._interrupt is None:
            # Nothing has been written yet, so there is nothing to finish.
            raise KeyboardInterrupt
        if number == signal.SIGTERM and self._count:
            # Service managers may repeat it; only a person at a keyboard means "now" by a second one.
            return
        self._count += 1
        if self._count > 2:
            raise KeyboardInterrupt
        self._message(_announcement(self._count))
        self._interrupt()


def _announcement(count: int) -> str:
    if count == 1:
        return tr("Stopping: what has begun is finished first. Ctrl-C again ends the engines at once.")
    return tr("Ending the engines now; the next run converges. Ctrl-C again leaves without waiting.")
