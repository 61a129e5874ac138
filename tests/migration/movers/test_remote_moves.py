"""Whole movers whose tools run on a mover host, over a real SSH server where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from govhub.core.secrets import Secret
from govhub.lab import mariadb
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.files.mover import FileMover
from govhub.migration.movers.files.rsync import Place
from govhub.migration.movers.mariadb.mover import MariadbMover
from govhub.migration.movers.postgresql.dump import DumpMover
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.protocol import Limits, Stage
from govhub.migration.movers.remote import SshRunner
from migration.movers.pairs import Pair, endpoint, until
from migration.movers.shells import Loopback, Pipe, sshd, sshd_program
from migration.movers.test_files import listing, tree  # noqa: F401 - a fixture

Make = Callable[[], SshRunner]
TABLES = (
    "CREATE TABLE a (id int PRIMARY KEY, note text); INSERT INTO a SELECT g, 'n' || g FROM generate_series(1, 20000) g",
    "CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)",
    "INSERT INTO b SELECT g, g FROM generate_series(1, 9000) g",
    "CREATE INDEX ON b (a)",
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()

    def of(shell: Pipe | Loopback) -> Make:
        return lambda: SshRunner(shell, str(tmp_path / "far"), "mini/school/register", tmp_path / "near")

    if sshd_program() is None:
        yield of(Pipe())
        return
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd") as reach:
        tunnel = Loopback(reach, tmp_path / "sshd")
        yield of(tunnel)
        tunnel.close()


def left(tmp_path: Path) -> list[Path]:
    """Files of either side: whatever a mover passes on is gone when it is through."""
    return [path for side in ("far", "near") for path in (tmp_path / side).rglob("*") if path.is_file()]


@pytest.mark.postgres
def test_postgresql_is_copied_online_and_changes_follow(servers: Pair, make: Make, tmp_path: Path) -> None:
    databases = servers.databases(*TABLES)
    old, new = endpoint(servers.source, databases.old), endpoint(servers.target, databases.new)
    mover = PostgresMover(f"move-{databases.old}", old, new, make())
    databases.movers.append(mover)
    mover.prepare()
    mover.start()
    until(mover)
    databases.on_source("INSERT INTO a VALUES (20001, 'late')")
    until(mover, Stage.FOLLOWING)
    mover.freeze()
    mover.drain(timeout=30)
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'b'"
    count = f"SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), ({indexes})"
    assert databases.on_target(count) == databases.on_source(count) == "20001|9000|2"
    assert left(tmp_path) == []
    mover.thaw()


@pytest.mark.postgres
@pytest.mark.parametrize("bandwidth", [None, 20_000_000])
def test_postgresql_is_dumped_and_restored_offline(
    servers: Pair, make: Make, tmp_path: Path, bandwidth: int | None
) -> None:
    databases = servers.databases(*TABLES)
    old, new = endpoint(servers.source, databases.old), endpoint(servers.target, databases.new)
    mover = DumpMover(f"move-{databases.old}", old, new, make(), Options(limits=Limits(bandwidth=bandwidth)))
    databases.movers.append(mover)
    mover.prepare()
    mover.start()
    mover.freeze()
    mover.drain(timeout=60)
    assert databases.on_target("SELECT count(*), sum(id) FROM a") == databases.on_source(
        "SELECT count(*), sum(id) FROM a"
    )
    assert left(tmp_path) == []
    mover.thaw()


@pytest.mark.slow
@pytest.mark.skipif(mariadb.binaries() is None, reason="MariaDB is not installed")
def test_mariadb_is_copied(make: Make, tmp_path: Path) -> None:
    with mariadb.running() as source, mariadb.running("--server-id=2") as target:
        ends = [
            Endpoint(host="127.0.0.1", port=port, database="office", user="govhub", password=Secret(mariadb.PASSWORD))
            for port in (source.port, target.port)
        ]
        mover = MariadbMover("office", ends[0], ends[1], make())
        mover.source.rows("CREATE DATABASE office CHARACTER SET utf8mb4")
        mover.source.rows("CREATE TABLE office.t AS SELECT seq AS id FROM office.seq_1_to_20000")
        mover.source.rows("ALTER TABLE office.t ADD PRIMARY KEY (id)")
        mover.prepare()
        mover.start()
        assert mover.target.value("SELECT count(*) FROM office.t") == 20_000
        assert left(tmp_path) == []
        mover.cancel()
        mover.close()


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_files_are_copied_with_every_name(tree: Path, make: Make) -> None:  # noqa: F811
    new = tree.parent / "new"
    mover = FileMover("files", Place(path=str(tree)), Place(path=str(new)), make())
    assert mover.assess() == []
    mover.prepare()
    mover.start()
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    assert listing(new) == listing(tree)
