"""Benchmarks of moving databases: the first copy against the stock ways, and the pause of writes at cutovers."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from govhub.bench.results import Result, timed
from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError
from govhub.core.secrets import Secret
from govhub.lab.postgres import PASSWORD, Server, running
from govhub.migration.cutover.sequence import cut_over
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.postgresql.server import Server as Client
from govhub.migration.movers.protocol import Direction, MoveFailed, Stage
from govhub.migration.movers.runner import Command, LocalRunner, Runner

SETTINGS = ("wal_level=logical", "max_replication_slots=20", "max_wal_senders=20", "max_wal_size=4GB")
WRITERS, RATE, PAUSE = 8, 500, 2.0
FASTEST = 0.95
_ROW = 290
"""Bytes that a row of the sample takes on disk, without indexes."""


def copies(megabytes: int, tables: int, runs: int) -> list[Result]:
    """The first copy until everything is there with its indexes, beside dump|restore -j and plain replication."""
    dump = Result(
        name=f"migrate-copy-{megabytes}", unit="s", limit=1 / FASTEST, note="stock: pg_dump -j, pg_restore -j"
    )
    plain = Result(
        name=f"migrate-copy-plain-{megabytes}", unit="s", limit=1 / FASTEST, note="stock: CREATE SUBSCRIPTION"
    )
    with pair() as (source, target, place):
        fill(source, megabytes, tables)
        for turn in range(runs):
            seconds = _ours(source, target, place, f"ours{turn}")
            dump.ours.append(seconds)
            plain.ours.append(seconds)
            dump.stock.append(timed(lambda turn=turn: _dumped(source, target, place, f"dump{turn}")))  # type: ignore[misc]
            plain.stock.append(timed(lambda turn=turn: _plain(source, target, place, f"plain{turn}")))  # type: ignore[misc]
            for name in (f"ours{turn}", f"dump{turn}", f"plain{turn}"):
                target.query("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    return [dump, plain]


def cutovers(runs: int) -> list[Result]:
    """The longest pause between two commits at each of ``runs`` cutovers, there and back, at 500 commits a second."""
    pause = Result(name="migrate-cutover", unit="s", limit=PAUSE, note="longest gap between commits, 500 commits/s")
    lost = Result(name="migrate-cutover-lost", unit="commits", limit=0)
    with pair() as (source, target, place):
        fill(source, 60, 6)
        source.query("old", "CREATE TABLE written (writer int, number int, note text, PRIMARY KEY (writer, number))")
        mover = mover_of(source, target, place, "cut")
        mover.prepare()
        mover.start()
        follow(mover)
        rates: list[float] = []
        writers = _Writers(client(source, "old"), client(target, "cut"))
        with writers:
            direction = Direction.FORWARD
            for _ in range(runs):
                time.sleep(1.5)
                began = time.monotonic()
                rates.append(writers.rate(began - 1, began))
                outcome = cut_over(mover, writers, direction=direction, pause=30)
                if not outcome.done:
                    raise MoveFailed(outcome.problems)
                time.sleep(1.5)
                pause.ours.append(writers.longest_gap(began - 0.5))
                direction = direction.other
        there = set(mover.target.rows("SELECT writer, number FROM public.written"))
        if not mover.moved():
            there = set(mover.source.rows("SELECT writer, number FROM public.written"))
        lost.ours.append(float(len(set(writers.acknowledged) - there)))
        # What is true of a pause at half the rate says nothing about one at the whole.
        pause.note += (
            f"; {len(writers.acknowledged)} acknowledged, in the second before a cutover "
            f"{statistics.median(rates):.0f}/s ({min(rates):.0f}-{max(rates):.0f})"
        )
        mover.close()
    return [pause, lost]


@contextmanager
def pair() -> Iterator[tuple[Server, Server, Path]]:
    """Two servers, and a folder for tools."""
    place = Path(tempfile.mkdtemp(prefix="govhub-bench-"))
    with running(*SETTINGS) as source, running(*SETTINGS) as target:
        yield source, target, place
    LocalRunner(place.parent).forget(place.name)


def fill(source: Server, megabytes: int, tables: int) -> None:
    """Tables with a key, two indexes and a foreign key to the first, as departments' systems have."""
    source.database("old")
    rows = megabytes * (1 << 20) // _ROW // tables
    for number in range(tables):
        name = f"t{number}"
        tie = " REFERENCES t0" if number else ""
        source.query(
            "old",
            f"CREATE TABLE {name} (id bigserial PRIMARY KEY, parent int8{tie}, code text, at timestamptz, amount "
            "numeric(12,2), note text)",
        )
        source.query(
            "old",
            f"INSERT INTO {name} (parent, code, at, amount, note) SELECT {'1 + i % 1000' if number else 'NULL'}, "
            "md5(i::text), '2026-01-01'::timestamptz + i * interval '1 second', i / 7.0, repeat(md5((i * 7)::text), 5) "
            f"FROM generate_series(1, {rows}) i",
        )
        source.query("old", f"CREATE INDEX ON {name} (code)")
        source.query("old", f"CREATE INDEX ON {name} (at, amount)")
    source.query("old", "VACUUM ANALYZE", seconds=600)


def _endpoint(server: Server, database: str) -> Endpoint:
    return Endpoint(host="127.0.0.1", port=server.port, database=database, user="govhub", password=Secret(PASSWORD))


def client(server: Server, database: str, application: str = "bench") -> Client:
    """A connection of somebody, made when it is used."""
    return Client(_endpoint(server, database), application)


def mover_of(source: Server, target: Server, place: Path, name: str, options: Options | None = None) -> PostgresMover:
    """A move of the filled database to a new one of this name."""
    ends = _endpoint(source, "old"), _endpoint(target, name)
    return PostgresMover(name, *ends, LocalRunner(place), options or Options())


def follow(mover: PostgresMover) -> None:
    """Turn the loop until changes follow."""
    now = mover.advance()
    while now.stage is not Stage.FOLLOWING:
        time.sleep(0.1)
        now = mover.advance(now)


def _ours(source: Server, target: Server, place: Path, name: str) -> float:
    mover = mover_of(source, target, place, name)

    def whole() -> None:
        mover.prepare()
        mover.start()
        follow(mover)

    seconds = timed(whole)
    for direction in Direction:
        mover.stop(direction)
    mover.close()
    return seconds


def _dumped(source: Server, target: Server, place: Path, name: str) -> None:
    """As documented: a folder, and as many jobs as there are cores here."""
    target.database(name)
    runner = LocalRunner(place)
    folder = runner.folder(name) / "dump"
    _run(runner, client(source, "old").command("pg_dump", "-Fd", "-Z0", "-j", "2", "-f", str(folder)))
    _run(runner, client(target, name).command("pg_restore", "-j", "2", "-d", name, str(folder)))
    target.query(name, "ANALYZE")
    runner.forget(name)


def _plain(source: Server, target: Server, place: Path, name: str) -> None:
    """As documented: the whole schema, one publication, one subscription."""
    target.database(name)
    old, new = client(source, "old"), client(target, name)
    schema = LocalRunner(place).run(old.command("pg_dump", "--schema-only")).output
    _run(LocalRunner(place), new.command("psql", "-X", "-q", "-f", "-", stdin=schema))
    old.rows("CREATE PUBLICATION plain FOR ALL TABLES")
    where = f"host=127.0.0.1 port={source.port} dbname=old user=govhub password={PASSWORD}"
    new.rows(f"CREATE SUBSCRIPTION plain CONNECTION '{where}' PUBLICATION plain")
    while new.value("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"):
        time.sleep(0.1)
    new.rows("ANALYZE")
    new.rows("DROP SUBSCRIPTION plain")
    old.rows("DROP PUBLICATION plain")
    old.close()
    new.close()


def _run(runner: Runner, command: Command) -> None:
    done = runner.run(command)
    if done.code:
        raise GovhubError.one("BEN002", f"the stock tool failed: {done.errors[-300:]}")


class _Writers:
    """Threads that commit and remember what was acknowledged; they follow the switch as an application would."""

    def __init__(self, source: Client, target: Client) -> None:
        self._sides = {Direction.FORWARD: target, Direction.BACK: source}
        self._now = source
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        self.acknowledged: list[tuple[int, int]] = []
        self.times: list[float] = []

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def longest_gap(self, since: float) -> float:
        """Seconds between two commits that followed each other."""
        times = sorted(item for item in list(self.times) if item >= since)
        return max((after - before for before, after in pairwise(times)), default=float("inf"))

    def rate(self, since: float, until: float) -> float:
        """Commits a second."""
        return sum(since <= item < until for item in list(self.times)) / (until - since)

    def stop_writes(self, direction: Direction) -> None:
        """The freeze alone has to do."""

    def verify(self, direction: Direction) -> list[Diagnostic]:
        """Measured elsewhere."""
        del direction
        return []

    def switch(self, direction: Direction) -> None:
        """Every writer turns to the other side at its next commit."""
        self._now = self._sides[direction]

    def resume_writes(self, direction: Direction) -> None:
        """They never stopped trying."""

    def _write(self, writer: int) -> None:
        number, at, client = 0, self._now, _again(self._now)
        due = time.monotonic()
        while not self._stop.is_set():
            if self._now is not at:
                client.close()
                at, client = self._now, _again(self._now)
            try:
                # No session of the move: these have to be stopped by the freeze like any other.
                # The library prepares the statement when it has seen it a few times.
                client.rows(
                    "INSERT INTO public.written VALUES (%s, %s, repeat('x', 60)) ON CONFLICT DO NOTHING",
                    [writer, number],
                )
            except GovhubError:
                client.close()
                self._stop.wait(0.02)
                continue
            now = time.monotonic()
            self.acknowledged.append((writer, number))
            self.times.append(now)
            number += 1
            # By the clock, so that a slow commit does not lower the rate; what a pause held up is not made up for.
            due = max(due + WRITERS / RATE, now - 0.2)
            self._stop.wait(max(0.0, due - now))
        client.close()


def _again(client: Client) -> Client:
    return Client(client.endpoint, "application", "")
