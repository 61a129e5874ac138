"""Benchmark of moving a MariaDB database: the first copy until changes follow, against ``mariadb-dump | mariadb``."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from govhub.bench.results import Result, timed
from govhub.core.errors import GovhubError
from govhub.core.secrets import Secret
from govhub.lab.mariadb import PASSWORD, Server, running
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.mariadb.copying import PARALLEL
from govhub.migration.movers.mariadb.mover import MariadbMover
from govhub.migration.movers.mariadb.server import Server as Client
from govhub.migration.movers.runner import LocalRunner

DATABASE = "office"
_ROW = 330
"""Bytes that a row of the sample takes on disk, without indexes."""


def copies(megabytes: int, tables: int, runs: int) -> list[Result]:
    """Until changes follow closely, with several sessions where mydumper is there; stock is one stream to its end.

    Args:
        megabytes: Of rows on the source.
        tables: Of the same size.
        runs: Pairs to measure.
    """
    here = all(shutil.which(tool) for tool in PARALLEL)
    result = Result(
        name=f"migrate-copy-mariadb-{megabytes}",
        unit="s",
        limit=1 / 0.95,
        note=f"stock: mariadb-dump | mariadb; ours {'with mydumper' if here else 'in one stream: mydumper is missing'}",
    )
    place = Path(tempfile.mkdtemp(prefix="govhub-bench-"))
    try:
        with running() as source:
            _fill(source, megabytes, tables)
            for _ in range(runs):
                # A target of its own each time: transaction numbers begin anew only once.
                with running("--server-id=2") as target:
                    result.ours.append(timed(lambda target=target: _ours(source, target, place)))  # type: ignore[misc]
                with running("--server-id=3") as target:
                    result.stock.append(timed(lambda target=target: _stock(source, target, place)))  # type: ignore[misc]
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return [result]


def _fill(source: Server, megabytes: int, tables: int) -> None:
    client = Client(_endpoint(source))
    client.rows(f"CREATE DATABASE {DATABASE}")
    rows = megabytes * (1 << 20) // _ROW // tables
    for number in range(tables):
        name = f"{DATABASE}.t{number}"
        client.rows(
            f"CREATE TABLE {name} (id bigint AUTO_INCREMENT PRIMARY KEY, code varchar(32), at datetime, amount "
            "decimal(12,2), note text, KEY (code), KEY (at, amount))"
        )
        client.rows(
            f"INSERT INTO {name} (code, at, amount, note) "
            "SELECT MD5(seq), '2026-01-01' + INTERVAL seq SECOND, seq / 7, REPEAT(MD5(seq * 7), 5) "
            f"FROM {DATABASE}.seq_1_to_{rows}"
        )
    client.close()


def _endpoint(server: Server) -> Endpoint:
    where = {"host": "127.0.0.1", "port": server.port}
    return Endpoint(database=DATABASE, user="govhub", password=Secret(PASSWORD), **where)  # type: ignore[arg-type]


def _ours(source: Server, target: Server, place: Path) -> None:
    mover = MariadbMover("bench", _endpoint(source), _endpoint(target), LocalRunner(place))
    mover.prepare()
    mover.start()
    until = time.monotonic() + 60
    while not mover.caught_up():
        if time.monotonic() > until:
            raise GovhubError.one("BEN002", "the copy does not follow", detail=str(mover.progress().as_dict()))
        time.sleep(0.1)
    mover.close()


def _stock(source: Server, target: Server, place: Path) -> None:
    """As documented: one stream from one snapshot."""
    runner = LocalRunner(place)
    folder = runner.folder("stock")
    old, new = Client(_endpoint(source)), Client(_endpoint(target))
    new.rows(f"CREATE DATABASE {DATABASE}")
    into = new.command("mariadb", folder, DATABASE)
    done = runner.run(old.command("mariadb-dump", folder, "--single-transaction", "--quick", DATABASE, then=into))
    if done.code:
        raise GovhubError.one("BEN002", f"the stock tool failed: {done.errors[-300:]}")
    old.close()
    new.close()
