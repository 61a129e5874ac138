"""What goes wrong during a move of PostgreSQL has a defined outcome, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from govhub.core.errors import GovhubError
from govhub.migration.cutover.sequence import cut_over, roll_back
from govhub.migration.movers.postgresql.dump import DumpMover
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.protocol import Direction, Limits, MoveFailed, Progress, Stage
from govhub.migration.movers.runner import LocalRunner
from migration.movers.pairs import Databases, Pair, Redirect, endpoint, pair, until
from migration.movers.writers import TABLES, Writers, consistent, missing

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
BIG = (
    "CREATE TABLE big (id serial PRIMARY KEY, t text)",
    "INSERT INTO big (t) SELECT repeat(md5(i::text), 8) FROM generate_series(1, 60000) i",
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Servers of our own: they are stopped here."""
    with pair(tmp_path_factory.mktemp("faults")) as both:
        yield both


def codes(progress: Progress) -> set[str]:
    return {item.code for item in progress.problems}


def seen(mover: PostgresMover, code: str, seconds: float = 30) -> Progress:
    end = time.monotonic() + seconds
    while code not in codes(now := mover.progress()):
        assert time.monotonic() < end, now
        time.sleep(0.2)
    return now


def running(databases: Databases, options: Options | None = None) -> PostgresMover:
    mover = databases.mover(options)
    mover.prepare()
    mover.start()
    return mover


def test_a_source_that_goes_down_during_the_copy_is_waited_for(servers: Pair) -> None:
    databases = servers.databases(*TABLES, *BIG)
    mover = running(databases)
    servers.source.stop()
    try:
        now = mover.progress()
        assert codes(now) == {"MOV001"}
        assert (now.stage, now.bytes_done, now.bytes_total, now.lag.bytes) == (None, None, None, None)
        with pytest.raises(MoveFailed):
            mover.freeze()
    finally:
        servers.source.start()
    until(mover)
    assert databases.on_target("SELECT count(*) FROM big") == "60000"
    mover.cancel()


def test_cut_connections_are_made_again_and_nothing_is_lost(servers: Pair) -> None:
    databases = servers.databases(*TABLES, *BIG)
    with Writers(databases.source) as writers:
        mover = running(databases)
        for _ in range(6):
            databases.on_source("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
            time.sleep(0.3)
        until(mover)
        databases.on_source("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
        assert cut_over(mover, Redirect(databases, writers)).done
        time.sleep(0.3)
    assert missing(databases.target, writers.acknowledged) == []
    assert consistent(databases.target)


def test_log_that_grows_beyond_the_limit_is_given_free_and_the_copy_begins_again(servers: Pair) -> None:
    databases = servers.databases(*TABLES, *BIG)
    mover = running(databases, Options(limits=Limits(retained=8 << 20)))
    until(mover)
    name = mover.replication(Direction.FORWARD).subscriptions()[0]
    databases.on_target(f"ALTER SUBSCRIPTION {name} DISABLE")
    databases.on_source("INSERT INTO big (t) SELECT repeat(md5(i::text), 8) FROM generate_series(1, 60000) i")
    assert "MOV054" in codes(mover.progress())
    with pytest.raises(MoveFailed, match="the copy was given up"):
        mover.advance()
    assert databases.on_source("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == "0"
    calm = databases.mover(Options(limits=Limits(retained=1 << 30)))
    calm.start()
    until(calm)
    assert databases.on_target("SELECT count(*) FROM big") == "120000"
    calm.cancel()


def test_a_lost_slot_is_said_and_start_copies_again(servers: Pair) -> None:
    databases = servers.databases(*TABLES, *BIG)
    mover = running(databases)
    until(mover)
    name = databases.on_source("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
    databases.on_target(f"ALTER SUBSCRIPTION {name} DISABLE")
    servers.source.query("postgres", "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    servers.source.query("postgres", "SELECT pg_reload_conf()")
    for _ in range(4):
        databases.on_source("INSERT INTO big (t) SELECT repeat(md5(i::text), 8) FROM generate_series(1, 30000) i")
        databases.on_source("SELECT pg_switch_wal()")
        databases.on_source("CHECKPOINT")
    assert mover.progress().stage is Stage.BROKEN
    assert "MOV053" in codes(mover.progress())
    assert not mover.caught_up()
    servers.source.query("postgres", "ALTER SYSTEM RESET max_slot_wal_keep_size")
    servers.source.query("postgres", "SELECT pg_reload_conf()")
    mover.start()
    until(mover)
    assert databases.on_target("SELECT count(*) FROM big") == "180000"
    mover.cancel()


def test_a_schema_that_changes_during_the_move_blocks_the_cutover_until_both_sides_have_it(servers: Pair) -> None:
    databases = servers.databases(*TABLES)
    mover = running(databases)
    until(mover)
    databases.on_source("ALTER TABLE written ADD COLUMN extra int")
    now = mover.progress()
    assert (now.stage, codes(now)) == (Stage.BROKEN, {"MOV052"})
    assert "public.written differs" in now.problems[0].detail
    outcome = cut_over(mover, Redirect(databases))
    assert (outcome.done, outcome.returned) == (False, True)
    databases.on_target("ALTER TABLE written ADD COLUMN extra int")
    until(mover)
    assert cut_over(mover, Redirect(databases)).done


def test_a_row_that_was_changed_behind_our_back_stops_it_visibly(servers: Pair) -> None:
    databases = servers.databases(*TABLES)
    mover = running(databases)
    until(mover)
    with pytest.raises(GovhubError, match="read-only"):
        servers.target.query(databases.new, "INSERT INTO counted VALUES (77, 1)")
    databases.on_target("INSERT INTO counted VALUES (77, 1)")
    databases.on_source("INSERT INTO counted VALUES (77, 2)")
    now = seen(mover, "MOV056")
    assert now.stage is Stage.BROKEN
    outcome = cut_over(mover, Redirect(databases), pause=3)
    assert outcome.returned
    assert databases.on_source("INSERT INTO accounts VALUES (1000) RETURNING 1") == "1"
    databases.on_target("DELETE FROM counted WHERE id = 77")
    until(mover)
    assert cut_over(mover, Redirect(databases)).done
    assert databases.on_target("SELECT writer FROM counted WHERE id = 77") == "2"


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small file system")
def test_a_full_target_is_named_and_the_copy_goes_on_when_there_is_room(servers: Pair, tmp_path: Path) -> None:
    databases = servers.databases(*TABLES, *BIG)
    place = servers.target.folder / f"small-{databases.new}"
    place.mkdir()
    # A table space of its own: on a full disk for the log, a server stops altogether.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=777", "tmpfs", str(place)], check=True)
    try:
        subprocess.run(["chown", "--reference", str(servers.target.folder), str(place)], check=True)
        servers.target.query("postgres", f"CREATE TABLESPACE {databases.new} LOCATION '{place}'")
        servers.target.query(
            "postgres", f"CREATE DATABASE {databases.new} TEMPLATE template0 TABLESPACE {databases.new}"
        )
        mover = running(databases)
        now = seen(mover, "MOV055", 40)
        assert now.stage is Stage.BROKEN
        subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)
        until(mover)
        assert databases.on_target("SELECT count(*) FROM big") == "60000"
        databases.clear()
        servers.target.query("postgres", f"DROP DATABASE {databases.new} WITH (FORCE)")
        servers.target.query("postgres", f"DROP TABLESPACE {databases.new}")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("bandwidth", [None, 8 << 20])
def test_an_offline_move_has_the_same_way_back(servers: Pair, bandwidth: int | None) -> None:
    databases = servers.databases(*TABLES, *BIG)
    with Writers(databases.source, rate=200) as writers:
        mover = DumpMover(
            f"move-{databases.old}",
            endpoint(servers.source, databases.old),
            endpoint(servers.target, databases.new),
            LocalRunner(servers.folder),
            Options(limits=Limits(bandwidth=bandwidth)),
        )
        mover.prepare()
        mover.start()
        assert mover.caught_up()
        hooks = Redirect(databases, writers)
        outcome = cut_over(mover, hooks)
        assert outcome.done, outcome
        # 60,000 rows of 256 bytes take their time at 8 MiB a second.
        assert bandwidth is None or outcome.seconds["drain"] > 1.8
        time.sleep(0.5)
        assert roll_back(mover, hooks).done
        time.sleep(0.2)
    assert missing(databases.source, writers.acknowledged) == []
    assert consistent(databases.source)
    mover.close()
