"""Real servers: two databases of each engine, and the ladder between any two of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pymysql
import pytest

from govhub.lab import mariadb, postgres
from govhub.migration.sql.dsn import Dsn, Engine, parse
from govhub.migration.sql.opening import open_database
from govhub.migration.verify.ladder import Ladder, Options

_numbers = itertools.count()
Verify = Callable[..., dict[str, Any]]


class Place:
    """A database of its own, which a test fills."""

    def __init__(self, dsn: Dsn, connect: Callable[[], Any]) -> None:
        self.dsn, self._connect = dsn, connect

    @property
    def engine(self) -> Engine:
        return self.dsn.engine

    def run(self, *statements: str, values: list[tuple[Any, ...]] | None = None) -> None:
        connection = self._connect()
        try:
            cursor = connection.cursor()
            for statement in statements:
                if values is None:
                    cursor.execute(statement)
                else:
                    cursor.executemany(statement, values)
            connection.commit()
        finally:
            connection.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[mariadb.Server]:
    if mariadb.binaries() is None:
        pytest.skip("MariaDB is not installed (Debian: apt-get install mariadb-server-core)")
    with mariadb.running() as server:
        yield server


def in_postgres(server: postgres.Server, more: str = "") -> Place:
    """A new database; ``more`` are options of CREATE DATABASE."""
    name = f"verify{next(_numbers)}"
    made = server.database(name)
    if more:
        server.query("postgres", f"DROP DATABASE {name}")
        server.query("postgres", f"CREATE DATABASE {name} TEMPLATE template0 {more}")
    address = made.partition("?")[0].replace(f":{postgres.PASSWORD}", "")

    def connect() -> Any:
        return psycopg.connect(server.address(name))

    return Place(parse(address, postgres.PASSWORD), connect)


def in_mariadb(server: mariadb.Server) -> Place:
    name = f"verify{next(_numbers)}"

    def connect(database: str | None = name) -> Any:
        return pymysql.connect(
            unix_socket=str(server.socket),
            user="govhub",
            password=mariadb.PASSWORD,
            database=database,
            charset="utf8mb4",
        )

    made = connect(None)
    made.cursor().execute(f"CREATE DATABASE {name}")
    made.close()
    return Place(parse(server.address(name), mariadb.PASSWORD), connect)


@pytest.fixture
def pg(postgres_server: postgres.Server) -> tuple[Place, Place]:
    return in_postgres(postgres_server), in_postgres(postgres_server)


@pytest.fixture
def maria(mariadb_server: mariadb.Server) -> tuple[Place, Place]:
    return in_mariadb(mariadb_server), in_mariadb(mariadb_server)


@pytest.fixture
def across(postgres_server: postgres.Server, mariadb_server: mariadb.Server) -> tuple[Place, Place]:
    """MariaDB as the source, PostgreSQL as the target."""
    return in_mariadb(mariadb_server), in_postgres(postgres_server)


@pytest.fixture
def verify() -> Verify:
    return verified


def verified(source: Place, target: Place, /, **options: Any) -> dict[str, Any]:
    return Ladder(open_database(source.dsn), open_database(target.dsn), Options(**options)).run()


def table(document: dict[str, Any], name: str = "t") -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in document["tables"] if item["table"].rpartition(".")[2] == name)
    return found


def differences(document: dict[str, Any], name: str = "t") -> dict[str, list[Any]]:
    """By kind: the keys of the rows that differ, in order."""
    found: dict[str, list[Any]] = {}
    for item in table(document, name)["differences"]:
        key = tuple(item["key"].values())
        found.setdefault(item["kind"], []).append(key[0] if len(key) == 1 else key)
    return found
