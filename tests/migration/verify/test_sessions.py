"""The port on real servers: one snapshot for all sessions, read-only, time-outs, what others do, what is denied."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from govhub.lab import mariadb
from govhub.migration.sql.opening import open_database
from govhub.migration.sql.port import SqlFailed, Trouble
from migration.verify.conftest import Place, in_mariadb


@pytest.fixture(params=["pg", "maria"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)[0]
    found.run("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    return found


def here(place: Place) -> str:
    """The table, as sessions name it: they look for nothing by themselves."""
    return "public.t" if place.engine == "postgresql" else "t"


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_all_sessions_see_one_snapshot_even_after_a_failed_statement(place: Place) -> None:
    database = open_database(place.dsn)
    database.begin(3)
    try:
        place.run("DELETE FROM t WHERE id = 1")
        sessions = [database.session() for _ in range(3)]
        assert database.shared
        for session in sessions:
            assert session.query(f"SELECT count(*) FROM {here(place)}")[0][0] == 2
            with pytest.raises(SqlFailed) as failed:
                session.query(f"SELECT nothing FROM {here(place)}")
            assert failed.value.trouble is Trouble.CHANGED
            assert sorted(row[0] for row in session.stream(f"SELECT id FROM {here(place)}")) == [1, 2]
            session.close()
    finally:
        database.close()


def test_sessions_cannot_write(place: Place) -> None:
    database = open_database(place.dsn)
    database.begin(1)
    session = database.session()
    with pytest.raises(SqlFailed):
        session.query(f"DELETE FROM {here(place)}")
    session.close()
    database.close()
    assert [row[0] for row in rows(place)] == [1, 2]


def rows(place: Place) -> list[Any]:
    database = open_database(place.dsn)
    database.begin(1)
    session = database.session()
    try:
        return session.query(f"SELECT id FROM {here(place)} ORDER BY id")
    finally:
        session.close()
        database.close()


def test_a_statement_ends_at_its_time_and_another_thread_can_end_it(place: Place) -> None:
    slow = "SELECT pg_sleep(20)" if place.engine == "postgresql" else "SELECT SLEEP(20) FROM t"
    database = open_database(place.dsn)
    database.begin(1)
    session = database.session()
    started = time.monotonic()
    with pytest.raises(SqlFailed) as failed:
        session.query(slow, seconds=0.3)
    assert failed.value.trouble is Trouble.TIME
    timer = threading.Timer(0.5, session.cancel)
    timer.start()
    with pytest.raises(SqlFailed) as failed:
        session.query(slow)
    timer.join()
    assert failed.value.trouble is Trouble.TIME
    assert time.monotonic() - started < 10
    assert session.query(f"SELECT count(*) FROM {here(place)}")[0][0] == 2
    session.close()
    database.close()


def test_sessions_of_others_are_counted_and_ours_are_not(place: Place) -> None:
    slow = "SELECT pg_sleep(2)" if place.engine == "postgresql" else "SELECT SLEEP(2)"
    database = open_database(place.dsn)
    database.begin(2)
    ours = database.session()
    working = threading.Thread(target=lambda: ours.query(slow))
    working.start()
    time.sleep(0.3)
    assert database.active() == 0
    busy = threading.Thread(target=lambda: place.run(slow))
    busy.start()
    until(lambda: database.active() == 1)
    busy.join()
    working.join()
    until(lambda: database.active() == 0)
    ours.close()
    database.close()


def test_an_account_that_may_not_see_others_does_not_see_zero(pg: tuple[Place, Place]) -> None:
    place = pg[0]
    place.run("CREATE ROLE onlooker LOGIN PASSWORD 'onlooker-password'")
    from govhub.migration.sql.dsn import parse

    address = str(place.dsn).replace("govhub@", "onlooker@")
    database = open_database(parse(address, "onlooker-password"))
    busy = threading.Thread(target=lambda: place.run("SELECT pg_sleep(1.5)"))
    busy.start()
    time.sleep(0.4)
    assert database.active() is None
    busy.join()
    database.begin(1)
    session = database.session()
    place.run("CREATE TABLE secret (id int PRIMARY KEY)")
    with pytest.raises(SqlFailed) as failed:
        open_and_read(database)
    assert failed.value.trouble is Trouble.DENIED
    session.close()
    database.close()
    place.run("DROP OWNED BY onlooker", "DROP ROLE onlooker")


def open_and_read(database: Any) -> None:
    session = database.session()
    try:
        session.query("SELECT * FROM public.secret")
    finally:
        session.close()


def test_mariadb_without_a_binary_log_gives_one_session() -> None:
    if mariadb.binaries() is None:
        pytest.skip("MariaDB is not installed (Debian: apt-get install mariadb-server-core)")
    with mariadb.running("--skip-log-bin") as server:
        place = in_mariadb(server)
        place.run("CREATE TABLE t (id int PRIMARY KEY)")
        database = open_database(place.dsn)
        database.begin(4)
        assert not database.shared
        session = database.session()
        with pytest.raises(SqlFailed):
            database.session()
        session.close()
        database.close()


def test_the_catalog_tells_keys_types_and_sizes(place: Place) -> None:
    maria = place.engine == "mariadb"
    kind = "varchar(7) CHARACTER SET latin1" if maria else 'varchar(7) COLLATE "C"'
    place.run(
        f"CREATE TABLE u (a int NOT NULL, b {kind}, c decimal(9,3) DEFAULT 1.5, d int, PRIMARY KEY (a), UNIQUE (b))",
        "CREATE INDEX i ON u (d)",
    )
    catalog = open_database(place.dsn).catalog()
    found = next(item for item in catalog.tables if item.name == "u")
    assert [item.columns for item in found.keys] == [("a",)], "a unique key with NULLs names no row"
    assert found.column("b").length == 7
    assert found.column("c").scale == 3
    assert found.column("c").default is not None
    assert not found.column("a").nullable
    assert len(found.indexes) == 3
    assert catalog.version
    assert catalog.charset.lower() in ("utf8", "utf8mb4")
