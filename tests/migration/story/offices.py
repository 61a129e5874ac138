"""A hub whose system has a MariaDB database on a real old server, with people who write to it."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from govhub.lab.mariadb import PASSWORD, Server
from migration.city import PEOPLE, SYSTEM, City
from migration.movers.writers import Committing

DATABASE = "office"
TABLES = (
    "DROP DATABASE IF EXISTS office",
    "CREATE DATABASE office CHARACTER SET utf8mb4",
    "CREATE TABLE office.written (writer int, number int, note varchar(60), PRIMARY KEY (writer, number))",
    "CREATE TABLE office.accounts (id int PRIMARY KEY, total bigint NOT NULL)",
    "INSERT INTO office.accounts VALUES (0, 0)",
    "CREATE TABLE office.`局` (id int AUTO_INCREMENT PRIMARY KEY, name text, data blob)",
    "INSERT INTO office.`局` (name, data) SELECT CONCAT('文', seq), UNHEX(MD5(seq)) FROM office.seq_1_to_2000",
    "CREATE VIEW office.few AS SELECT * FROM office.`局` WHERE id < 5",
    "CREATE OR REPLACE USER app@'%' IDENTIFIED BY 'app-password'",
    "GRANT ALL ON office.* TO app@'%'",
    "CREATE OR REPLACE USER former@'%' IDENTIFIED BY 'former-password' ACCOUNT LOCK",
    "GRANT SELECT ON office.* TO former@'%'",
)


def said(server: Server, statement: str, user: str = "govhub", password: str = PASSWORD) -> list[Any]:
    with (
        closing(
            pymysql.connect(
                host="127.0.0.1", port=server.port, user=user, password=password, autocommit=True, ssl_disabled=True
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return list(cursor.fetchall())


@dataclass
class OfficeWriters(Committing):
    """Threads of the application: whichever server lets it in is written to."""

    servers: tuple[Server, Server]
    count: int = 3
    pause: float = 0.015

    def writers(self) -> range:
        return range(self.count)

    def _write(self, writer: int) -> None:
        number = turn = 0
        while not self._stop.is_set():
            server = self.servers[turn % 2]
            try:
                with closing(
                    pymysql.connect(
                        host="127.0.0.1",
                        port=server.port,
                        user="app",
                        password="app-password",
                        database=DATABASE,
                        # Else each try to come in loads all authorities of this machine, a core's work in the pause.
                        ssl_disabled=True,
                    )
                ) as connection:
                    while not self._stop.wait(self.pause):
                        with connection.cursor() as cursor:
                            # The same number again after an answer that never came: it may be there or not.
                            new = cursor.execute("INSERT IGNORE INTO written VALUES (%s, %s, '注')", [writer, number])
                            cursor.execute("UPDATE accounts SET total = total + %s", [new])
                        connection.commit()
                        self.acknowledged.append((writer, number))
                        self.times.append(time.monotonic())
                        number += 1
            except pymysql.err.IntegrityError as error:
                self.problems.append(repr(error))
            except (pymysql.err.MySQLError, OSError):
                turn += 1
                self._stop.wait(0.03)


@dataclass
class Office:
    """The hub, and both servers."""

    city: City
    source: Server
    target: Server

    def begin(self, pause: float = 60) -> None:
        """Fill the old server, declare the move, and say where both databases are."""
        for statement in TABLES:
            said(self.source, statement)
        self.declare(pause)
        self.tell()

    def declare(self, pause: float = 60, more: str = "", address: str = "localhost", port: str = "") -> None:
        """Write the hub's section on migration; ``more`` are lines with further moves."""
        people = "".join(
            f"    - {{name: {name}, party: {party}, {of}key: {self.city.public(name)}}}\n"
            for name, (party, tenant) in PEOPLE.items()
            for of in (f"tenant: {tenant}, " if tenant else "",)
        )
        text = (
            f"migration:\n  trial_days: 0\n  write_pause_seconds: {pause}\n  approvers:\n{people}"
            f"sources:\n  - {{name: old-server, tenant: education, address: {address}}}\n"
            f"migrations:\n  - system: {SYSTEM}\n"
            "    window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}\n"
            "    moves:\n"
            f"      - {{name: register, kind: mariadb, source: old-server, database: {DATABASE}{port}}}\n{more}"
        )
        (self.city.hub / "migration.yaml").write_text(text, encoding="utf-8")

    def tell(self, *sides: str) -> None:
        """Say where the databases are; both ends unless told otherwise."""
        word = Path(os.environ["GOVHUB_HOME"]) / "password"
        word.parent.mkdir(parents=True, exist_ok=True)
        word.write_text(PASSWORD + "\n")
        word.chmod(0o600)
        lines = "".join(
            f"  {side}: {{address: 'mariadb://govhub@127.0.0.1:{server.port}/{DATABASE}', password_file: {word}}}\n"
            for side, server in (("source", self.source), ("target", self.target))
            if side in (sides or ("source", "target"))
        )
        file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{SYSTEM}/register:\n{lines}")
        file.chmod(0o600)

    def writers(self, **more: Any) -> OfficeWriters:
        return OfficeWriters((self.source, self.target), **more)

    def run(self, itinerary: str = "", wait: float = 60) -> dict[str, Any]:
        """``migrate run`` until something else than time is waited for."""
        found = self.city.run(itinerary, wait=0)
        while found["state"] == "waiting" and found["look_again_in"] <= 5 and wait > 0:
            found, wait = self.city.run(wait=2), wait - 2
        return found

    def there(self, server: Server) -> bool:
        return bool(said(server, f"SHOW DATABASES LIKE '{DATABASE}'"))

    def differing(self) -> dict[str, Any]:
        """What each server has that the other has not, for messages."""
        sides = (self.source, self.target)
        rows = [set(said(side, "SELECT writer, number FROM office.written")) for side in sides]
        return {
            "only on the source": sorted(rows[0] - rows[1])[:5],
            "only on the target": sorted(rows[1] - rows[0])[:5],
            "positions": [said(side, "SELECT @@gtid_slave_pos, @@gtid_binlog_pos") for side in sides],
            "sessions": [said(side, "SHOW PROCESSLIST") for side in sides],
            "replicas": [said(side, "SHOW ALL SLAVES STATUS") for side in sides],
        }

    def clear(self) -> None:
        """Let the servers serve the next story."""
        for server in (self.source, self.target):
            said(server, "STOP ALL SLAVES")
            for row in said(server, "SHOW ALL SLAVES STATUS"):
                said(server, f"RESET SLAVE '{row[0]}' ALL")
            for name in (DATABASE, "govhub_move"):
                said(server, f"DROP DATABASE IF EXISTS {name}")
            ours = "SELECT User, Host FROM mysql.user WHERE User LIKE 'govhub_migration_%'"
            for user, host in (("app", "%"), ("former", "%"), *said(server, ours)):
                said(server, f"DROP USER IF EXISTS '{user}'@'{host}'")


def missing(server: Server, acknowledged: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Acknowledged rows that are not there."""
    return sorted(set(acknowledged) - set(said(server, "SELECT writer, number FROM office.written")))


def consistent(server: Server) -> bool:
    """Whether every transaction is there as a whole."""
    found = said(server, "SELECT (SELECT COUNT(*) FROM office.written), (SELECT total FROM office.accounts)")[0]
    return int(found[0]) == int(found[1]) > 0
