"""Pages for those who ask, made off the event loop, once for all, and never later than the scraper waits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from govhub.core.release import release
from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.blocks import Block, block, head, written
from govhub.monitoring.metrics.exposition import EVERYTHING, HUB, Exposition
from govhub.monitoring.metrics.page import Page
from govhub.monitoring.metrics.wholes import Extras

CHECK_EVERY = 2.0
"""Seconds between looks at the source."""
EOF = b"# EOF\n"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """What a source has to show. The same ``halls`` and ``extras`` as before say that nothing has changed."""

    halls: Halls
    extras: Extras
    loaded: float
    """When the hub was loaded, as Unix time."""
    valid: bool = True
    """Whether its files are valid as they are now; these figures are of the last time they were."""


class Source(Protocol):
    """Where the figures come from."""

    def state(self) -> State:
        """What there is to show now. Called off the event loop, by one thread at a time, every few seconds at most."""


class NotYet(Exception):
    """There is nothing to answer with so soon."""


@dataclass(frozen=True, slots=True)
class Made:
    """A page as it was made."""

    page: Page
    of: Exposition
    loaded: float
    took: float
    """Seconds."""
    at: float
    """Unix time."""


class Exporter:
    """The pages of a source. Its methods belong to one event loop; what takes time runs in a thread of its own."""

    def __init__(self, source: Source, every: float = CHECK_EVERY, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._every = every
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "govhub-exporter")
        self._state: State | None = None
        self._exposition: Exposition | None = None
        self._checked = -every
        self._made: dict[str, Made] = {}
        self._work: dict[tuple[str, bool], asyncio.Task[Made]] = {}

    async def page(self, name: str, within: float, *, packed: bool) -> Made:
        """A page that is as the source is now; when that takes too long, the one that was made last.

        Args:
            name: as those of ``Exposition``.
            within: seconds that may pass.
            packed: whether it is to be compressed; a page that was made last may not be.

        Raises:
            KeyError: there is no such page.
            NotYet: it takes too long, and was never made before.
        """
        former = self._made.get(name)
        if self._exposition and not self._due():
            if not self._exposition.has(name):
                raise KeyError(name)
            if former and former.of is self._exposition and (former.page.compressed or not packed):
                return former
        task = self._work.get((name, packed))
        if task is None:
            task = self._work[name, packed] = asyncio.create_task(self._run(name, packed=packed))
            task.add_done_callback(_looked_at)
        try:
            # Who waits no longer does not end the work: the next one finds it done.
            return await asyncio.wait_for(asyncio.shield(task), within)
        except TimeoutError:
            if former is None:
                raise NotYet from None
            return former

    async def current(self, within: float) -> State:
        """What the source has to show now; after too long what it had.

        Raises:
            NotYet: it takes too long, and nothing was shown before.
        """
        await self.page(HUB, within, packed=False)
        assert self._state is not None
        return self._state

    def tail(self, name: str, made: Made) -> bytes:
        """The exporter's own figures at the end of a page."""
        own: dict[str, float] = {}
        blocks: list[Block] = []
        if name in (EVERYTHING, HUB):
            assert self._state is not None
            blocks.append(block("govhub_exporter_build_info", {(release(),): 1.0}))
            own["hub_loaded_timestamp_seconds"] = made.loaded
            own["hub_valid"] = float(self._state.valid)
        own["render_seconds"] = made.took
        own["rendered_timestamp_seconds"] = made.at
        own["series"] = float(made.page.samples)
        blocks += [block(f"govhub_exporter_{part}", {(): value}) for part, value in own.items()]
        return b"".join(head(item.family) + written(item).text for item in blocks)

    def close(self) -> None:
        """Let the thread end after what it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _due(self) -> bool:
        return time.monotonic() - self._checked >= self._every

    async def _run(self, name: str, *, packed: bool) -> Made:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._make, name, packed)
        finally:
            self._work.pop((name, packed), None)

    def _make(self, name: str, packed: bool) -> Made:
        """In the thread."""
        state, exposition = self._look()
        former = self._made.get(name)
        if former is None or former.of is not exposition:
            started = time.perf_counter()
            page = exposition.page(name)
            former = Made(page, exposition, state.loaded, time.perf_counter() - started, self._clock())
        if packed:
            former.page.compress()
        self._made[name] = former
        return former

    def _look(self) -> tuple[State, Exposition]:
        former, exposition = self._state, self._exposition
        if former and exposition and not self._due():
            return former, exposition
        try:
            state = self._source.state()
        except Exception:
            if former is None:
                raise
            # Whatever it is: what was shown until now is still the last that was known to be true.
            _LOG.exception("the hub could not be looked at; the last state stays")
            state = replace(former, valid=False)
        if exposition is None or former is None or state.halls is not former.halls or state.extras != former.extras:
            exposition = Exposition(state.halls, state.extras, exposition)
            self._made = {name: made for name, made in self._made.items() if exposition.has(name)}
        self._state, self._exposition, self._checked = state, exposition, time.monotonic()
        return state, exposition


def _looked_at(task: asyncio.Task[Made]) -> None:
    """An error is told to those who wait; when nobody does any more, it is no news for the event loop."""
    if not task.cancelled():
        task.exception()
