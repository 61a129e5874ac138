"""Limits of what a move takes of its source: they are kept on real servers, and what waits goes on by itself."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from govhub.core.errors import GovhubError
from govhub.core.secrets import Secret
from govhub.lab import mariadb
from govhub.migration.governor import Governor
from govhub.migration.governor import Limits as Allowed
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.mariadb.mover import MariadbMover
from govhub.migration.movers.mariadb.mover import Options as MariadbOptions
from govhub.migration.movers.postgresql.mover import Options
from govhub.migration.movers.protocol import Limits
from govhub.migration.movers.runner import LocalRunner
from migration.movers.pairs import Pair, until

# About 20 MB that are one table: a limit on tables that begin would not be met by it at all.
LARGE = (
    "CREATE TABLE large (id int PRIMARY KEY, t text)",
    "INSERT INTO large SELECT g, repeat(md5(g::text), 32) FROM generate_series(1, 20000) g",
)
GIVEN = "SELECT coalesce(sum(bytes_processed), 0) FROM pg_stat_progress_copy"


@contextmanager
def working(connect: Callable[[], Any], statement: str, sessions: int = 3) -> Iterator[None]:
    """So many sessions that are at work all the time."""
    ended = threading.Event()

    def work() -> None:
        connection = connect()
        while not ended.is_set():
            connection.cursor().execute(statement)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def settled(look: Callable[[], int], slack: int = 0, seconds: float = 10) -> int:
    """What it comes to stand at for a second, but for ``slack``, within so long."""
    end = time.monotonic() + seconds
    before, since = look(), time.monotonic()
    while time.monotonic() - since < 1:
        assert time.monotonic() < end, "it does not stand still"
        time.sleep(0.05)
        if (now := look()) - before > slack:
            before, since = now, time.monotonic()
    return before


def test_a_copy_pauses_within_a_table_while_others_work_on_its_source(servers: Pair) -> None:
    databases = servers.databases(*LARGE)
    mover = databases.mover(Options(limits=Limits(active_sessions=2, bandwidth=4 << 20)))
    mover.prepare()
    mover.start()

    def given() -> int:
        return int(databases.on_source(GIVEN))

    while not given():
        time.sleep(0.02)
    with working(lambda: psycopg.connect(databases.source, autocommit=True), "SELECT pg_sleep(0.3)"):
        stood = settled(given)
        assert 0 < stood < 20 << 20
        time.sleep(1)
        assert given() == stood, "nothing is taken as long as they work"
        assert mover.carrying()
    until(mover)
    assert databases.on_target("SELECT count(*) FROM large") == "20000"
    mover.cancel()


def test_a_copy_does_not_begin_while_others_work(servers: Pair) -> None:
    databases = servers.databases(*LARGE)
    mover = databases.mover(Options(limits=Limits(active_sessions=2)))
    mover.prepare()
    with working(lambda: psycopg.connect(databases.source, autocommit=True), "SELECT pg_sleep(0.3)"):
        time.sleep(0.5)
        mover.start()
        for _ in range(4):
            assert mover.advance().bytes_done in (0, None)
            time.sleep(0.2)
    until(mover)
    mover.cancel()


@pytest.mark.skipif(mariadb.binaries() is None, reason="MariaDB is not installed")
def test_a_copy_of_mariadb_pauses_while_others_work_on_its_source(tmp_path: Path) -> None:
    with mariadb.running() as source, mariadb.running("--server-id=2") as target:

        def connect(server: mariadb.Server = source) -> Any:
            return pymysql.connect(
                host="127.0.0.1", port=server.port, user="govhub", password=mariadb.PASSWORD, autocommit=True
            )

        def said(server: mariadb.Server, statement: str) -> Any:
            connection = connect(server)
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()

        for statement in (
            "CREATE DATABASE office",
            "CREATE TABLE office.large (id int PRIMARY KEY, t text)",
            "INSERT INTO office.large SELECT seq, REPEAT(MD5(seq), 32) FROM office.seq_1_to_20000",
        ):
            said(source, statement)
        old, new = (
            Endpoint(
                host="127.0.0.1", port=item.port, database="office", user="govhub", password=Secret(mariadb.PASSWORD)
            )
            for item in (source, target)
        )
        limits = Limits(active_sessions=2, bandwidth=8 << 20)
        mover = MariadbMover("office", old, new, LocalRunner(tmp_path), MariadbOptions(limits=limits))
        mover.prepare()
        # The people are accounts of their own: the move's is not counted.
        said(source, "CREATE USER clerk@'%' IDENTIFIED BY 'clerk-password'")

        def clerk() -> Any:
            return pymysql.connect(host="127.0.0.1", port=source.port, user="clerk", password="clerk-password")

        def given() -> int:
            # The table is locked as long as it is loaded: bytes tell, and those of these questions are few.
            return int(said(target, "SHOW GLOBAL STATUS LIKE 'Bytes_received'")[0][1])

        empty = given()

        copying = threading.Thread(target=mover.start)
        with working(clerk, "SELECT SLEEP(0.3)"):
            time.sleep(0.5)
            copying.start()
            time.sleep(1.5)
            assert not said(target, "SHOW TABLES FROM office LIKE 'large'"), "it waits before it begins"
        while given() - empty < 2 << 20:
            assert copying.is_alive()
            time.sleep(0.02)
        with working(clerk, "SELECT SLEEP(0.3)"):
            stood = settled(given, slack=1 << 16)
            assert 2 << 20 < stood - empty < 18 << 20
            assert copying.is_alive()
        copying.join(60)
        assert said(target, "SELECT COUNT(*) FROM office.large") == ((20000,),)
        assert mover.progress().stage == "following"
        assert not list(tmp_path.rglob("held"))
        mover.cancel()
        mover.close()


def test_the_brake_waits_for_a_file_and_lets_a_little_through(tmp_path: Path) -> None:
    held = tmp_path / "held"
    words = (sys.executable, "-m", "govhub.migration.movers.throttle", "inf", str(held))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as brake:
        assert brake.stdin is not None
        assert brake.stdout is not None
        brake.stdin.write(b"x" * 1000)
        brake.stdin.flush()
        assert brake.stdout.read(1000) == b"x" * 1000
        held.touch()
        # One piece may be under way.
        for _ in range(2):
            brake.stdin.write(b"y" * 1000)
            brake.stdin.flush()
            time.sleep(0.3)
        brake.stdin.close()
        began = time.monotonic()
        waiting = threading.Timer(1.0, held.unlink)
        waiting.start()
        assert brake.stdout.read() == b"y" * 2000
        assert time.monotonic() - began > 0.7
        assert brake.wait() == 0


def test_a_governor_tells_when_it_changes_its_mind() -> None:
    others, told = [9], list[bool]()
    governor = Governor(Allowed(others=2), lambda: others[0], changed=told.append)
    try:
        assert told == [True]
        over = iter([False, True])
        governor.wait(lambda: next(over))
        others[0] = 1
        governor.wait(lambda: False)
        assert told == [True, False]
        assert governor.as_dict()["pauses"] == 1
    finally:
        governor.stop()
    assert told == [True, False]


def test_a_governor_that_sees_nothing_pauses_first_and_then_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("govhub.migration.governor.INTERVAL", 0.01)
    calls: list[int] = []

    def gone() -> int:
        calls.append(1)
        raise GovhubError.one("MOV001", "the server is away")

    governor = Governor(Allowed(others=2), gone)
    governor.wait(lambda: False)
    governor.stop()
    assert len(calls) >= 20
