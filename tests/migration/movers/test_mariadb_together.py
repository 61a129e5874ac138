"""A MariaDB database moves to a server that others write to and a standby follows; and servers that are restarted."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from govhub.core.secrets import Secret
from govhub.lab.mariadb import PASSWORD, Server, binaries, running
from govhub.migration.cutover.sequence import cut_over, roll_back
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.mariadb.assess import SYSTEM
from govhub.migration.movers.mariadb.mover import MariadbMover, Options
from govhub.migration.movers.mariadb.room import held
from govhub.migration.movers.protocol import Direction, Limits, MoveFailed, Stage
from govhub.migration.movers.runner import LocalRunner
from migration.movers.test_mariadb import Writers, fill

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(binaries() is None, reason="MariaDB is not installed")]
SAFE = ("--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1")
OURS = ("--gtid-domain-id=7", "--gtid-strict-mode=1", "--log-slave-updates=1", *SAFE)
TLS = {"ssl": {"verify_mode": "none", "check_hostname": False}}


def said(server: Server, statement: str, **further: Any) -> list[Any]:
    where: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "user": "govhub", "password": PASSWORD, **TLS}
    with pymysql.connect(**(where | {"autocommit": True} | further)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def certificate(folder: Path) -> list[str]:
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=new", "-days", "2"]
    subprocess.run([*words, "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True, capture_output=True)
    (folder / "key.pem").chmod(0o644)
    for part in (folder, *folder.parents):
        if part.stat().st_uid == 0 and part != Path("/"):
            part.chmod(part.stat().st_mode | 0o055)
    return [f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}", f"--ssl-ca={folder / 'cert.pem'}"]


@dataclass(frozen=True)
class InFiles:
    """The host of a test's server: its file of options."""

    server: Server

    def free_bytes(self, path: str) -> int | None:
        return None

    def set(self, name: str, option: str, value: str) -> None:
        self.server.options.write_text(f"# {name}\n[mariadbd]\n{option} = {value.replace(chr(92), chr(92) * 2)}\n")

    def unset(self, name: str) -> None:
        if f"# {name}\n" in self.server.options.read_text():
            self.server.options.write_text("")


def mover_of(servers: tuple[Server, Server], folder: Path, *, files: bool = False, **limits: Any) -> MariadbMover:
    source, target = (
        Endpoint(
            host="127.0.0.1",
            port=item.port,
            database="office",
            user="govhub",
            password=Secret(PASSWORD),
            machine=InFiles(item) if files else None,
        )
        for item in servers
    )
    target = replace(target, options=(("sslmode", "require"),))
    return MariadbMover("office", source, target, LocalRunner(folder), Options(limits=Limits(**limits)))


def following(mover: MariadbMover, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not mover.caught_up():
        assert time.monotonic() < end, mover.progress()
        mover.advance()
        time.sleep(0.1)


@dataclass
class Shared:
    source: Server
    target: Server
    standby: Server

    @property
    def both(self) -> tuple[Server, Server]:
        return self.source, self.target

    def standby_has_everything(self) -> None:
        position = said(self.target, "SELECT @@gtid_binlog_pos")[0][0]
        assert said(self.standby, f"SELECT MASTER_GTID_WAIT('{position}', 20)") == [(0,)], said(
            self.standby, "SHOW SLAVE STATUS"
        )


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """As our role sets servers up: TLS alone, strict about order, numbers of their own, a tenant's data, a standby."""
    tls = certificate(tmp_path_factory.mktemp("certificate"))
    with (
        running(*SAFE, *tls, "--gtid-strict-mode=1") as source,
        running("--server-id=2", *OURS, *tls, "--require-secure-transport=1") as target,
        running("--server-id=3", *OURS, *tls) as standby,
    ):
        said(
            standby,
            f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {target.port}, MASTER_USER = 'govhub', "
            f"MASTER_PASSWORD = '{PASSWORD}', MASTER_SSL = 1, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1",
        )
        said(standby, "START SLAVE")
        yield Shared(source, target, standby)


@pytest.fixture
def shared(three: Shared) -> Iterator[Shared]:
    said(three.target, "CREATE DATABASE tenant")
    said(three.target, "CREATE TABLE tenant.kept (id int AUTO_INCREMENT PRIMARY KEY, at datetime(6))")
    yield three
    for server in three.both:
        for row in said(server, "SHOW ALL SLAVES STATUS"):
            said(server, f"STOP SLAVE '{row[0]}'")
            said(server, f"RESET SLAVE '{row[0]}' ALL")
        for (name,) in said(server, "SHOW DATABASES"):
            if name not in SYSTEM:
                said(server, f"DROP DATABASE `{name}`")
        for user in ("app", "office"):
            said(server, f"DROP USER IF EXISTS {user}@'%'")


@contextmanager
def busy(server: Server, statement: str) -> Iterator[list[int]]:
    """Somebody else writes all the time; how often so far."""
    done, stopped = [0], threading.Event()

    def write() -> None:
        where: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": "govhub",
            "password": PASSWORD,
            **TLS,
        }
        with pymysql.connect(**where, autocommit=True) as connection, connection.cursor() as cursor:
            while not stopped.wait(0.005):
                cursor.execute(statement)
                done[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield done
    finally:
        stopped.set()
        thread.join(30)


WRITE = "INSERT INTO tenant.kept (at) VALUES (NOW(6))"


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "bandwidth", [pytest.param(None, id="in parallel"), pytest.param(1 << 30, id="in one stream", marks=SLOW)]
)
def test_a_database_moves_to_a_server_that_others_write_to_and_a_standby_follows(
    shared: Shared, tmp_path: Path, bandwidth: int | None
) -> None:
    fill(shared.source)
    said(shared.source, "CREATE DATABASE private")
    said(shared.source, "CREATE TABLE private.kept (id int AUTO_INCREMENT PRIMARY KEY)")
    # What an earlier move from the same domain left in the target's log.
    said(shared.target, "CREATE DATABASE former", init_command="SET SESSION gtid_domain_id = 0")
    log = said(shared.target, "SHOW BINARY LOGS")[0][0]
    with (
        Writers(shared.both) as writers,
        busy(shared.target, WRITE) as theirs,
        busy(shared.source, "INSERT INTO private.kept VALUES (NULL)"),
    ):
        writers.further = TLS
        mover = mover_of(shared.both, tmp_path, bandwidth=bandwidth)
        assert [item.summary for item in mover.assess() if item.severity.value == "error"] == []
        mover.prepare()
        mover.start()
        following(mover)
        for turn in range(3):
            outcome = (roll_back if turn == 1 else cut_over)(mover_of(shared.both, tmp_path), writers)
            assert outcome.done, outcome
            time.sleep(0.7)
            now = mover.progress()
            assert now.stage is (Stage.FOLLOWING if turn == 1 else Stage.MOVED), now
            assert now.problems == ()
    there = set(said(shared.target, "SELECT writer, number FROM office.written"))
    assert set(writers.acknowledged) - there == set()
    assert len(writers.acknowledged) > 200
    # Others' data and numbers are as they were, and nothing of them came to the source.
    assert said(shared.target, "SELECT COUNT(*) FROM tenant.kept") == [(theirs[0],)]
    assert said(shared.target, "SHOW BINARY LOGS")[0][0] == log
    assert said(shared.target, "SELECT @@gtid_strict_mode") == [(1,)]
    assert said(shared.source, "SHOW DATABASES LIKE 'tenant'") == []
    assert said(shared.target, "SHOW DATABASES LIKE 'private'") == []
    shared.standby_has_everything()
    checks = "CHECKSUM TABLE office.`局`, office.written, office.part, office.log, tenant.kept"
    assert said(shared.standby, checks) == said(shared.target, checks)
    mover.retire()
    assert said(shared.source, "SHOW ALL SLAVES STATUS") == []
    mover.close()


def test_what_cannot_be_shared_is_said_before_anything_is_changed(shared: Shared, tmp_path: Path) -> None:
    fill(shared.source)
    before = said(shared.target, "SELECT @@gtid_binlog_pos")
    mover = mover_of(shared.both, tmp_path)

    def errors() -> str:
        with pytest.raises(MoveFailed) as caught:
            mover.prepare()
        return "; ".join(item.summary for item in caught.value.diagnostics)

    said(shared.target, "SET GLOBAL gtid_domain_id = 0")
    found = errors()
    for part in ("has databases already: tenant", "replicas follow", "strict about an order"):
        assert part in found
    said(shared.target, "SET GLOBAL gtid_domain_id = 7")
    said(shared.target, "CREATE DATABASE office", init_command="SET SESSION sql_log_bin = 0")
    said(shared.target, "CREATE TABLE office.theirs (id int)", init_command="SET SESSION sql_log_bin = 0")
    assert "database office is not empty" in errors()
    said(shared.source, "CREATE DATABASE tenant")
    assert "both servers have databases called tenant" in errors()
    assert said(shared.target, "SELECT @@gtid_binlog_pos") == before
    mover.close()


@SLOW
def test_a_tenants_empty_database_is_taken_closed_and_given_back(shared: Shared, tmp_path: Path) -> None:
    fill(shared.source)
    said(shared.target, "CREATE DATABASE office CHARACTER SET utf8mb4")
    said(shared.target, "CREATE USER office@'%' IDENTIFIED BY 'office-password'")
    said(shared.target, "GRANT ALL ON office.* TO office@'%'")
    mover = mover_of(shared.both, tmp_path)
    mover.prepare()
    mover.start()
    with pytest.raises(pymysql.err.MySQLError, match="locked"):
        said(shared.target, "SELECT 1", user="office", password="office-password")
    following(mover)
    mover.cancel()
    word = {"user": "office", "password": "office-password"}
    assert said(shared.target, "SHOW TABLES IN office", **word) == []
    assert said(shared.target, "SHOW DATABASES LIKE 'govhub_move'") == []
    shared.standby_has_everything()
    mover.close()


@pytest.mark.parametrize(
    "files", [pytest.param(True, id="in its files"), pytest.param(False, id="looked at", marks=SLOW)]
)
def test_a_target_that_is_restarted_takes_over_no_other_database(shared: Shared, tmp_path: Path, files: bool) -> None:
    fill(shared.source)
    mover = mover_of(shared.both, tmp_path, files=files)
    mover.prepare()
    killing = threading.Timer(0.15, shared.target.kill)
    killing.start()
    with suppress(MoveFailed):
        # In the middle of it, or right afterwards where it was quicker.
        mover.start()
    killing.join()
    shared.target.start()
    # The next worker's connections are its own.
    mover.close()
    mover.start()
    following(mover)

    shared.target.kill()
    for statement in (
        "CREATE DATABASE private",
        "CREATE TABLE private.kept (id int PRIMARY KEY)",
        "INSERT INTO private.kept VALUES (1)",
        "INSERT INTO office.written VALUES (5, 5, 'later')",
    ):
        said(shared.source, statement)
    shared.target.start()
    mover.close()
    end = time.monotonic() + 20
    if files:
        while not said(shared.target, "SELECT 1 FROM office.written WHERE writer = 5"):
            assert time.monotonic() < end, mover.progress()
            time.sleep(0.1)
        assert mover.advance().problems == ()
        assert said(shared.target, "SHOW DATABASES LIKE 'private'") == []
    else:
        while not said(shared.target, "SHOW DATABASES LIKE 'private'"):
            assert time.monotonic() < end, mover.progress()
            time.sleep(0.1)
        assert [item.code for item in mover.progress().problems] == ["MOV307"]
        (named,) = mover.advance().problems
        assert (named.code, "private" in named.summary) == ("MOV307", True)
        said(shared.target, "DROP DATABASE private")
        said(shared.target, "DELETE FROM govhub_move.state WHERE name = 'intruders'")
        following(mover)
        said(shared.source, "INSERT INTO private.kept VALUES (2)")
        said(shared.source, "INSERT INTO office.written VALUES (5, 6, 'later')")
        following(mover)
        assert said(shared.target, "SHOW DATABASES LIKE 'private'") == []
    assert said(shared.target, "SELECT COUNT(*) FROM office.written WHERE writer = 5") == [(1 if files else 2,)]
    mover.cancel()
    assert shared.target.options.read_text() == ""
    mover.close()


@SLOW
def test_logs_that_the_move_alone_has_the_source_keep_are_bounded(shared: Shared, tmp_path: Path) -> None:
    fill(shared.source)
    mover = mover_of(shared.both, tmp_path, retained=200_000)
    mover.prepare()
    mover.start()
    following(mover)
    mover.protect()
    # The target reads a kilobyte a second, and the source goes on to further logs meanwhile.
    said(shared.target, f"STOP SLAVE '{mover.name}'")
    said(shared.target, "SET GLOBAL read_binlog_speed_limit = 1")
    said(shared.target, f"START SLAVE '{mover.name}'")
    more = "INSERT INTO office.`局` (name, data) SELECT '文', REPEAT('x', 300) FROM office.seq_1_to_800"
    for _ in range(3):
        said(shared.source, more)
        said(shared.source, "FLUSH BINARY LOGS")
    end = time.monotonic() + 5
    while held(mover.channel(Direction.FORWARD), back=False) < 200_000:
        assert time.monotonic() < end
        time.sleep(0.1)
    with pytest.raises(MoveFailed) as caught:
        mover.protect()
    assert caught.value.diagnostics[0].code == "MOV051"
    assert mover.progress().stage is Stage.PREPARED
    said(shared.target, "SET GLOBAL read_binlog_speed_limit = 0")
    mover.start()
    following(mover)
    mover.close()


APP: dict[str, Any] = {"user": "app", "password": "app-password"}


def refused(server: Server, statement: str) -> None:
    with pytest.raises(pymysql.err.MySQLError, match="denied"):
        said(server, statement, **APP)


def test_who_works_in_other_databases_with_the_same_account_goes_on(shared: Shared, tmp_path: Path) -> None:
    source, target = shared.both
    fill(source)
    for server, other in ((source, "market"), (target, "tenant")):
        said(server, f"CREATE DATABASE IF NOT EXISTS {other}")
        said(server, f"CREATE TABLE {other}.seen (id int AUTO_INCREMENT PRIMARY KEY)")
        said(server, "CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'app-password'")
        said(server, f"GRANT ALL ON {other}.* TO app@'%'")
    write = "INSERT INTO office.log (of) VALUES (1)"
    mover = mover_of(shared.both, tmp_path)
    assert [item.summary for item in mover.assess() if item.severity.value == "error"] == []
    mover.prepare()
    mover.start()
    following(mover)
    where: dict[str, Any] = {"host": "127.0.0.1", "port": source.port, "database": "market", **APP, **TLS}
    with pymysql.connect(**where) as early, early.cursor() as cursor:
        # It has written, and would commit in the pause.
        cursor.execute(write)
        mover.freeze()
        with pytest.raises(pymysql.err.MySQLError):
            early.commit()
    refused(source, write)
    said(source, "INSERT INTO market.seen () VALUES ()", **APP)
    mover.drain()
    mover.freeze()
    mover.finish()
    mover.finish()
    said(target, write, **APP)
    said(target, "INSERT INTO tenant.seen () VALUES ()", **APP)
    refused(source, write)
    said(source, "INSERT INTO market.seen () VALUES ()", **APP)
    mover.reverse()

    mover.freeze(Direction.BACK)
    refused(target, write)
    said(target, "INSERT INTO tenant.seen () VALUES ()", **APP)
    mover.drain(Direction.BACK)
    mover.finish(Direction.BACK)
    said(source, write, **APP)
    assert said(source, "SELECT COUNT(*) FROM office.log") == said(target, "SELECT COUNT(*) + 1 FROM office.log")
    mover.cancel()
    said(source, write, **APP)
    said(target, "INSERT INTO tenant.seen () VALUES ()", **APP)
    assert said(source, "SELECT COUNT(*) FROM market.seen") == [(2,)]
    mover.close()


def test_rights_that_cannot_be_taken_are_said_before_the_move(shared: Shared, tmp_path: Path) -> None:
    fill(shared.source)
    said(shared.source, "CREATE DATABASE office_old")
    said(shared.source, "CREATE USER office@'%'")
    said(shared.source, "GRANT ALL ON `office%`.* TO office@'%'")
    mover = mover_of(shared.both, tmp_path)
    found = [item for item in mover.assess() if "by one pattern" in item.summary]
    assert [item.detail for item in found] == ["office@% (office%)"]

    said(shared.source, "GRANT ALL ON office_old.* TO app@'%'")
    said(shared.source, "CREATE USER mover@'127.0.0.1' IDENTIFIED BY 'mover-password'")
    said(shared.source, "GRANT ALL ON *.* TO mover@'127.0.0.1'")
    weak = replace(mover.source.endpoint, user="mover", password=Secret("mover-password"))
    try:
        there = MariadbMover("office", weak, mover.target.endpoint, LocalRunner(tmp_path), Options())
        assert [item.detail for item in there.assess() if "must not take" in item.summary] == ["app@%"]
        assert not [item for item in mover.assess() if "must not take" in item.summary]
        there.close()
    finally:
        said(shared.source, "DROP USER mover@'127.0.0.1'")
    mover.close()
