"""Verification against what people do by hand: one MD5 over the MD5s of all rows, by table, on both servers.

The stock side runs ``SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM t`` for each table through psql and
compares the answers; it says that a table differs, and not where. It is measured on one server after the other, as a
script does, and on both at once, as a careful script would. Ours is the whole use case: connect, read both catalogs,
compare structure and digests, and name the rows that differ.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from govhub.bench.results import Result, timed
from govhub.core.settings import Env
from govhub.lab import postgres
from govhub.ops.migration.verify import VerifyRequest, verify

DATABASE = "city"
STATEMENTS = 2
SCAN = 1800.0
_TABLE = (
    "CREATE TABLE {name} (id bigint PRIMARY KEY, dept int NOT NULL, name text, code varchar(32), amount numeric(14,2),"
    " rate double precision, active boolean, born date, at timestamp, changed timestamptz, doc uuid, note text)"
)
_ROWS = (
    "INSERT INTO {name} SELECT i, (i * 7) % 61, '市民服务中心 ' || (i % 1000), 'C' || left(md5(i::text), 8),"
    " (i * 37 % 1000000) / 100.0, i / 7.0, i % 3 = 0, date '1950-01-01' + (i % 20000)::int,"
    " timestamp '2020-01-01' + i * interval '1 s', timestamptz '2020-01-01 00:00:00+08' + i * interval '1 s',"
    " md5(i::text)::uuid, repeat(md5(i::text), 1 + (i % 3)::int) FROM generate_series(1, {rows}) i"
)
_STOCK = "SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM {name} t"
_INJECTED = (
    "UPDATE t00 SET amount = amount + 0.01 WHERE id = 777; DELETE FROM t01 WHERE id = 5;"
    " INSERT INTO t02 (id, dept) VALUES (900000001, 1)"
)
_FOUND = [("public.t00", "changed", "777"), ("public.t01", "missing", "5"), ("public.t02", "extra", "900000001")]


@dataclass(frozen=True)
class Pair:
    """Two servers with the same tables."""

    source: postgres.Server
    target: postgres.Server
    tables: tuple[str, ...]

    def ours(self, **options: Any) -> dict[str, Any]:
        """The use case of ``migrate verify``."""
        addresses = [f"postgresql://govhub@127.0.0.1:{side.port}/{DATABASE}" for side in (self.source, self.target)]
        return verify(VerifyRequest(source=addresses[0], target=addresses[1], source_statements=STATEMENTS, **options))

    def scan(self, server: postgres.Server) -> list[str]:
        """One digest for each table, from one psql."""
        statements = "; ".join(_STOCK.format(name=name) for name in self.tables)
        return server.query(DATABASE, statements, SCAN).splitlines()

    def one_after_the_other(self) -> None:
        """The stock way; the data must be equal."""
        if self.scan(self.source) != self.scan(self.target):
            raise RuntimeError("the stock scan finds a difference where there is none")

    def both_at_once(self) -> None:
        """The stock way of somebody careful."""
        with ThreadPoolExecutor(2) as threads:
            left, right = threads.map(self.scan, (self.source, self.target))
        if left != right:
            raise RuntimeError("the stock scan finds a difference where there is none")

    def check(self) -> None:
        """Ours on equal data."""
        if self.ours()["verdict"] != "pass":
            raise RuntimeError("equal data does not pass")

    @property
    def megabytes(self) -> float:
        """Size of one side's tables, without indexes."""
        statement = "SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 't__'"
        return int(self.source.query(DATABASE, statement)) / 1e6


def compare(tables: int, rows: int, runs: int) -> list[Result]:
    """Ours and stock in turn on equal data, then ours on data with three differences, then the load on the source.

    Args:
        tables: How many.
        rows: Of each table; about 220 bytes a row.
        runs: Pairs to measure.
    """
    label = f"verify-{tables}x{rows // 1000}k"
    turn = Result(name=f"{label}", unit="s", limit=0.5)
    careful = Result(name=f"{label}-at-once", unit="s")
    naming = Result(name=f"{label}-naming", unit="s", limit=0.5)
    load = Result(
        name=f"{label}-load", unit="statements", limit=float(STATEMENTS), note="most at the same time, sampled"
    )
    with _pair(tables, rows) as pair:
        turn.note = f"{pair.megabytes:,.0f} MB on each side; {_load()}"
        for _ in range(runs):
            ours = timed(pair.check)
            turn.ours.append(ours)
            careful.ours.append(ours)
            turn.stock.append(timed(pair.one_after_the_other))
            careful.stock.append(timed(pair.both_at_once))
        load.ours.append(_most(pair))
        pair.target.query(DATABASE, _INJECTED)
        naming.ours += [timed(lambda: _named(pair)) for _ in range(runs)]
        naming.stock = turn.stock
        turn.note += f"; at the end {_load()}"
    return [turn, careful, naming, load]


def _named(pair: Pair) -> None:
    document = pair.ours()
    found = [
        (table["table"], item["kind"], item["key"]["id"])
        for table in document["tables"]
        for item in table["differences"]
    ]
    if found != _FOUND:
        raise RuntimeError(f"the wrong rows were named: {found}")


def _most(pair: Pair) -> float:
    """Our statements on the source at the same time, as the server itself saw them."""
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'govhub-verify' AND state = 'active'"
        " AND query NOT LIKE '%pg_stat_activity%'"
    )
    seen, done = [0], threading.Event()

    def sample() -> None:
        while not done.is_set():
            seen.append(int(pair.source.query("postgres", statement)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        pair.check()
    finally:
        done.set()
        thread.join()
    return float(max(seen))


@contextmanager
def _pair(tables: int, rows: int) -> Iterator[Pair]:
    names = tuple(f"t{number:02}" for number in range(tables))
    before = {name: os.environ.get(name) for name in (Env.SOURCE_PASSWORD, Env.TARGET_PASSWORD)}
    with postgres.running() as source, postgres.running() as target:
        os.environ.update(dict.fromkeys(before, postgres.PASSWORD))
        try:
            for server in (source, target):
                server.database(DATABASE)
                for name in names:
                    server.query(DATABASE, _TABLE.format(name=name))
                    server.query(DATABASE, _ROWS.format(name=name, rows=rows))
                server.query(DATABASE, "VACUUM ANALYZE")
            yield Pair(source, target, names)
        finally:
            for variable, value in before.items():
                os.environ.pop(variable, None)
                if value is not None:
                    os.environ[variable] = value


def _load() -> str:
    return f"load of the machine {os.getloadavg()[0]:.1f}"
