"""Several hosts in work at once: the next one starts as soon as it fits beside those that are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from govhub.core.errors import GovhubError
from govhub.ops.upgrading.budgets import Limits, Load, obstacles
from govhub.ops.upgrading.requests import Upgrade

PAUSE = 1.5
AGAIN = 10.0
"""Seconds after which it is asked again what fits, though no host has ended."""


class Surroundings(Protocol):
    """What limits a run; asked anew before each start, since pods move."""

    def refresh(self) -> None:
        """Look again."""

    def load(self, host: str) -> Load:
        """What taking a host takes away."""

    def limits(self, at_once: int, confirmed: Collection[str] = (), busy: Collection[str] = ()) -> Limits:
        """What no set of hosts in work may exceed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """A run over hosts in the given order."""

    surroundings: Surroundings
    work: Callable[[Upgrade, int], None]
    """Does a host, in a thread and with a slot of its own; writes ``done`` or ``failed`` into it."""
    cancel: Callable[[], None]
    """Has hosts in work left as they are."""
    started: Callable[[Upgrade, list[str]], None]
    """Told of each host before it begins, and beside which others."""
    paused: threading.Event
    at_once: int = 1
    confirmed: tuple[str, ...] = ()
    pause_after: int | None = None
    patience: float = 300.0
    """Seconds to wait for pods that are not ready when no host fits and none is in work."""

    def run(self, items: list[Upgrade]) -> str:
        """Work until all is done, something failed, or a pause is asked for; hosts in work are always finished.

        Returns:
            ``done``, ``failed`` or ``paused``; ``items`` hold what became of each host.
        """
        state = _State(waiting=list(items), busy={}, free=list(range(self.at_once - 1, -1, -1)))
        with ThreadPoolExecutor(self.at_once) as threads:
            try:
                while state.waiting or state.busy:
                    self._start(state, threads)
                    if not state.busy and (self._stops(state) or self._stuck(state)):
                        break
                    self._finish(state)
            except BaseException:
                # Somebody who cannot wait, or a fault of ours: nothing goes on in the background.
                self.cancel()
                raise
        for item in state.waiting:
            if item.status == "planned":
                item.status = "not tried"
        left = any(item.status == "not tried" for item in state.waiting)
        return "failed" if state.failed else "paused" if left else "done"

    def _stops(self, state: _State) -> bool:
        return state.failed or self.paused.is_set() or state.count == self.pause_after

    def _start(self, state: _State, threads: ThreadPoolExecutor) -> None:
        """Start everything that fits now."""
        if self._stops(state) or not state.free or not state.waiting:
            return
        self.surroundings.refresh()
        for item in list(state.waiting):
            if self._stops(state) or not state.free:
                return
            others = [load for _, load, _ in state.busy.values()]
            try:
                load = self.surroundings.load(item.host)
            except GovhubError as error:
                # What is not known is not nothing.
                item.status, item.why, state.failed = "failed", error.diagnostics[0].summary, True
                state.waiting.remove(item)
                return
            limits = self.surroundings.limits(self.at_once, self.confirmed, [other.host for other in others])
            if any(obstacles(load, others, limits)):
                continue
            self.started(item, [other.host for other in others])
            slot = state.free.pop()
            state.busy[threads.submit(self.work, item, slot)] = item, load, slot
            state.waiting.remove(item)
            state.count, state.stuck_since = state.count + 1, None

    def _finish(self, state: _State) -> None:
        """Wait for a host to end, or for a while."""
        if not state.busy:
            self.paused.wait(PAUSE)
            return
        ended, _ = wait(state.busy, timeout=AGAIN, return_when=FIRST_COMPLETED)
        for future in ended:
            item, _, slot = state.busy.pop(future)
            state.free.append(slot)
            future.result()
            state.failed = state.failed or item.status == "failed"

    def _stuck(self, state: _State) -> bool:
        """Whether nothing will ever fit: pods have come together, or do not get ready in time."""
        state.stuck_since = state.stuck_since or time.monotonic()
        over = time.monotonic() - state.stuck_since > self.patience
        limits = self.surroundings.limits(self.at_once, self.confirmed)
        for item in list(state.waiting):
            load = self.surroundings.load(item.host)
            found = list(obstacles(load, (), limits if over else limits.settled()))
            if found:
                item.status, item.why, item.over, item.round = "over budget", found[0].text, found[0].tenant, 0
                state.waiting.remove(item)
        return not state.waiting


@dataclass(slots=True)
class _State:
    waiting: list[Upgrade]
    busy: dict[Future[None], tuple[Upgrade, Load, int]]
    free: list[int]
    """Slots that nobody has."""
    count: int = 0
    failed: bool = False
    stuck_since: float | None = None
