"""A benchmark of manners: what a copy does while people work with its source, as the source itself shows it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

from govhub.bench.movers import client, fill, follow, mover_of, pair
from govhub.bench.results import Result
from govhub.lab.postgres import Server
from govhub.migration.movers.postgresql.mover import Options
from govhub.migration.movers.protocol import Limits

OTHERS, LIMIT, BANDWIDTH = 6, 2, 40 << 20
BUSY, CALM, REACTION = 4.0, 2.0, 1.0
_LOOK = 0.05
# A session that waits until we read on has nothing to do; the looker itself is neither.
_SEEN = """SELECT count(*) FILTER (WHERE application_name = 'others'),
    count(*) FILTER (WHERE application_name ~ '_rows$' AND wait_event IS DISTINCT FROM 'ClientWrite'
                     AND backend_type = 'client backend' AND query ~ '^COPY'),
    (SELECT coalesce(sum(bytes_processed), 0) FROM pg_stat_progress_copy)
  FROM pg_stat_activity WHERE state = 'active'"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at the source: sessions at work, and bytes that the tables under way have given."""

    at: float
    others: int
    ours: int
    bytes: int


@dataclass(slots=True)
class _Office:
    """Sessions that work in bursts, and somebody who looks."""

    source: Server
    seen: list[Seen] = field(default_factory=list)
    bursts: list[tuple[float, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _busy: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> _Office:
        targets = [self._work] * OTHERS + [self._look, self._beat]
        self._threads = [threading.Thread(target=target) for target in targets]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._busy.set()
        for thread in self._threads:
            thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(CALM):
            begun = time.monotonic()
            self._busy.set()
            self._stop.wait(BUSY)
            self._busy.clear()
            self.bursts.append((begun, time.monotonic()))

    def _work(self) -> None:
        at = client(self.source, "old", "others")
        while not self._stop.is_set():
            self._busy.wait()
            # Long enough that a look never falls between two.
            at.rows("SELECT pg_sleep(0.4)")
        at.close()

    def _look(self) -> None:
        at = client(self.source, "old", "looker")
        while not self._stop.wait(_LOOK):
            others, ours, given = at.rows(_SEEN)[0]
            self.seen.append(Seen(time.monotonic(), int(others), int(ours), int(given)))
        at.close()


def governed(runs: int, megabytes: int = 160, bandwidth: int = BANDWIDTH) -> list[Result]:
    """A copy in 4 tables while six sessions come and go; more than two are too many for it to go on."""
    pause = Result(name="migrate-governor-pause", unit="s", limit=REACTION, note=f"{OTHERS} sessions, limit {LIMIT}")
    load = Result(name="migrate-governor-load", unit="sessions of the copy at work while others are over it", limit=0)
    for turn in range(runs):
        with pair() as (source, target, place):
            fill(source, megabytes, 4)
            options = Options(limits=Limits(bandwidth=bandwidth, active_sessions=LIMIT))
            mover = mover_of(source, target, place, f"governed{turn}", options)
            mover.prepare()
            began = time.monotonic()
            with _Office(source) as office:
                mover.start()
                follow(mover)
                ended = time.monotonic()
            mover.close()
        longest, most, calm, busy = judged(office.seen, [item for item in office.bursts if item[0] < ended])
        pause.ours.append(longest)
        load.ours.append(most)
        load.note = (
            f"later than {REACTION:g} s after they came; {calm / 2**20:,.0f} MB while there was time, "
            f"{busy / 2**20:,.1f} MB while there was none, {ended - began:.0f} s in all"
        )
    return [pause, load]


def judged(seen: list[Seen], bursts: list[tuple[float, float]]) -> tuple[float, int, int, int]:
    """The longest time that a copy went on in a burst, most sessions at work after :data:`REACTION`, and bytes.

    Args:
        seen: Looks, in their order.
        bursts: When others were at work, from and until.

    Returns:
        Seconds, sessions, bytes given outside of bursts, bytes given in them later than the reaction.
    """
    longest, most, calm, busy = 0.0, 0, 0, 0
    for before, after in pairwise(seen):
        given = max(after.bytes - before.bytes, 0)
        burst = next((item for item in bursts if item[0] <= before.at and after.at <= item[1]), None)
        if burst is None:
            calm += given
            continue
        if given or after.ours:
            longest = max(longest, after.at - burst[0])
        if before.at - burst[0] > REACTION:
            most, busy = max(most, after.ours), busy + given
    return longest, most, calm, busy
