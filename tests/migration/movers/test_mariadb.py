"""A MariaDB database moves under writes, is cut over and rolled back, on two real servers."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pymysql
import pytest

from govhub.core.secrets import Secret
from govhub.lab.mariadb import PASSWORD, Server, binaries, running
from govhub.migration.cutover.sequence import cut_over, roll_back
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.mariadb.copying import PARALLEL
from govhub.migration.movers.mariadb.mover import MariadbMover, Options
from govhub.migration.movers.protocol import Direction, Limits, MoveFailed, Stage
from govhub.migration.movers.runner import LocalRunner
from migration.movers.test_files import Quiet

pytestmark = [pytest.mark.slow, pytest.mark.skipif(binaries() is None, reason="MariaDB is not installed")]


@pytest.fixture
def mariadbs() -> Iterator[tuple[Server, Server]]:
    with running() as source, running("--server-id=2") as target:
        yield source, target


def said(server: Server, statement: str, user: str = "govhub", password: str = PASSWORD) -> list[Any]:
    with (
        pymysql.connect(
            host="127.0.0.1", port=server.port, user=user, password=password, autocommit=True
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return list(cursor.fetchall())


def fill(source: Server) -> None:
    for statement in (
        "CREATE DATABASE office CHARACTER SET utf8mb4",
        "CREATE TABLE office.written (writer int, number int, note varchar(60), PRIMARY KEY (writer, number))",
        "CREATE TABLE office.`局` (id int AUTO_INCREMENT PRIMARY KEY, name text, data blob)",
        "INSERT INTO office.`局` (name, data) SELECT CONCAT('文', seq), UNHEX(MD5(seq)) FROM office.seq_1_to_20000",
        "CREATE FUNCTION office.short(t text) RETURNS text DETERMINISTIC RETURN LEFT(t, 3)",
        "CREATE VIEW office.few AS SELECT id, office.short(name) AS name FROM office.`局` WHERE id < 5",
        """CREATE TABLE office.part (id int PRIMARY KEY, of int, twice int AS (id * 2) STORED, made datetime(6),
           b bit(3), f double, j json, FOREIGN KEY (of) REFERENCES office.`局` (id))""",
        """INSERT INTO office.part (id, of, made, b, f, j) SELECT seq, seq, '2026-01-01 00:00:00.000001', b'101', 1e300,
           '{"a": "注"}' FROM office.seq_1_to_500""",
        "CREATE TABLE office.log (id int AUTO_INCREMENT PRIMARY KEY, of int)",
        """CREATE TRIGGER office.logs AFTER INSERT ON office.part FOR EACH ROW
           INSERT INTO office.log (of) VALUES (NEW.id)""",
        "INSERT INTO office.part (id, of) VALUES (0, 1)",
        "CREATE SEQUENCE office.ticket START WITH 500",
        "DO NEXTVAL(office.ticket)",
        "CREATE USER app@'%' IDENTIFIED BY 'app-password'",
        "GRANT ALL ON office.* TO app@'%'",
    ):
        said(source, statement)


def mover_of(mariadbs: tuple[Server, Server], folder: Path, bandwidth: int | None = None) -> MariadbMover:
    source, target = (
        Endpoint(host="127.0.0.1", port=item.port, database="office", user="govhub", password=Secret(PASSWORD))
        for item in mariadbs
    )
    options = Options(limits=Limits(bandwidth=bandwidth))
    return MariadbMover("office", source, target, LocalRunner(folder), options)


class Writers(Quiet):
    """Four threads as the application's account, about 500 commits a second together."""

    def __init__(self, servers: tuple[Server, Server]) -> None:
        self.servers = servers
        self.further: dict[str, Any] = {}
        self.now = servers[0]
        self.acknowledged: list[tuple[int, int]] = []
        self.times: list[float] = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(number,)) for number in range(4)]

    def __enter__(self) -> Writers:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def switch(self, direction: Direction) -> None:
        self.now = self.servers[1] if direction is Direction.FORWARD else self.servers[0]

    def write(self, writer: int) -> None:
        number = 0
        while not self.stopped.is_set():
            try:
                app: dict[str, Any] = {"user": "app", "password": "app-password", "database": "office", **self.further}
                with pymysql.connect(host="127.0.0.1", port=self.now.port, **app) as connection:
                    while not self.stopped.wait(0.006):
                        with connection.cursor() as cursor:
                            cursor.execute("INSERT IGNORE INTO written VALUES (%s, %s, '注')", [writer, number])
                        connection.commit()
                        self.acknowledged.append((writer, number))
                        self.times.append(time.monotonic())
                        number += 1
            except pymysql.err.MySQLError:
                self.stopped.wait(0.02)


@pytest.mark.parametrize("bandwidth", [None, 1 << 30], ids=["in parallel", "in one stream"])
def test_a_database_moves_under_writes_and_back_with_every_acknowledged_commit(
    mariadbs: tuple[Server, Server], tmp_path: Path, bandwidth: int | None
) -> None:
    if bandwidth is None and not all(shutil.which(tool) for tool in PARALLEL):
        pytest.skip("mydumper is not installed (Debian: apt-get install mydumper)")
    source, target = mariadbs
    fill(source)
    with Writers(mariadbs) as writers:
        time.sleep(0.5)
        mover = mover_of(mariadbs, tmp_path, bandwidth)
        assert [item.summary for item in mover.assess() if item.severity.value == "error"] == []
        mover.prepare()
        mover.start()
        end = time.monotonic() + 30
        while not mover.caught_up():
            assert time.monotonic() < end, mover.progress()
            time.sleep(0.1)
        said(source, "ALTER TABLE office.`局` ADD COLUMN later int DEFAULT 7")
        for turn in range(3):
            outcome = (roll_back if turn == 1 else cut_over)(mover_of(mariadbs, tmp_path), writers)
            assert outcome.done, outcome
            time.sleep(0.7)
            now = mover.progress()
            assert now.stage is (Stage.FOLLOWING if turn == 1 else Stage.MOVED), now
            assert now.problems == ()
    there = set(said(target, "SELECT writer, number FROM office.written"))
    assert set(writers.acknowledged) - there == set()
    assert len(writers.acknowledged) > 300
    times = sorted(writers.times)
    # Two seconds are asked for; tests share the machine with others.
    assert max(after - before for before, after in pairwise(times)) < 6
    time.sleep(0.5)
    assert set(said(source, "SELECT writer, number FROM office.written")) == there
    checks = [said(side, "CHECKSUM TABLE office.`局`, office.written, office.part, office.log") for side in mariadbs]
    assert checks[0] == checks[1]
    assert said(target, "SELECT COUNT(*) FROM office.log") == [(1,)]
    shown = [said(side, "SHOW CREATE TRIGGER office.logs")[0][2] for side in mariadbs]
    assert shown[0] == shown[1]
    with pytest.raises(pymysql.err.MySQLError, match="locked"):
        said(source, "SELECT 1", "app", "app-password")
    assert said(target, "SELECT COUNT(*) FROM office.few", "app", "app-password") == [(4,)]
    mover.retire()
    assert said(source, "SHOW ALL SLAVES STATUS") == []
    mover.close()


def test_a_cancelled_move_leaves_the_source_as_it_was(mariadbs: tuple[Server, Server], tmp_path: Path) -> None:
    source, target = mariadbs
    fill(source)
    before = said(source, "SELECT * FROM mysql.global_priv ORDER BY 1, 2")
    mover = mover_of(mariadbs, tmp_path)
    mover.prepare()
    mover.start()
    mover.freeze()
    mover.drain()
    assert said(source, "SELECT * FROM mysql.global_priv ORDER BY 1, 2") != before
    mover.cancel()
    found = said(
        source, "SELECT User, Host, JSON_VALUE(Priv, '$.account_locked') FROM mysql.global_priv WHERE User = 'app'"
    )
    assert found in ([("app", "%", "0")], [("app", "%", "false")], [("app", "%", None)])
    assert said(target, "SHOW DATABASES LIKE 'office'") == []
    assert not list(tmp_path.rglob("*.cnf"))
    mover.close()


def test_a_time_out_of_the_wait_and_a_conflict_are_never_taken_for_success(
    mariadbs: tuple[Server, Server], tmp_path: Path
) -> None:
    source, target = mariadbs
    fill(source)
    mover = mover_of(mariadbs, tmp_path)
    mover.prepare()
    mover.start()
    said(target, "INSERT INTO office.written VALUES (9, 9, 'behind our back')")
    said(source, "INSERT INTO office.written VALUES (9, 9, 'ours')")
    end = time.monotonic() + 20
    while mover.progress().stage is not Stage.BROKEN:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert [item.code for item in mover.progress().problems] == ["MOV304"]
    outcome = cut_over(mover, Quiet(), pause=1)
    assert (outcome.done, outcome.returned) == (False, True)
    assert [item.code for item in outcome.problems] == ["MOV305"]
    said(source, "SELECT 1", "app", "app-password")
    with pytest.raises(MoveFailed):
        MariadbMover("other", mover.source.endpoint, mover.target.endpoint, LocalRunner(tmp_path)).prepare()
    mover.close()
