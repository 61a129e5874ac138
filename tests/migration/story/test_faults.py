"""What goes wrong while a run is under way: each has an outcome that the record tells, and users lose nothing."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from govhub.core.errors import PolicyViolation
from govhub.lab.postgres import Server, running
from govhub.migration.movers.postgresql.copying import Copying
from govhub.ops.migration.records import opened
from migration.city import SYSTEM, City
from migration.movers.pairs import SETTINGS
from migration.movers.writers import Writers, consistent, missing
from migration.story.towns import DATABASE, Town, at, count, past_the_freeze
from migration.story.wire import Wire, wire

pytestmark = pytest.mark.postgres
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="mounts a small file system")
MANY = "INSERT INTO written SELECT {}, i, 0, now(), repeat(md5(i::text), 24) FROM generate_series(1, {}) i"


def still_writing(writers: Writers) -> bool:
    since = len(writers.acknowledged)
    time.sleep(0.7)
    return len(writers.acknowledged) > since


def parked(town: Town) -> None:
    found = town.run("migrate")
    assert (found["state"], found["phase"]) == ("waiting", "WaitForCutoverApproval"), found


def copying(town: Town) -> None:
    """Begin, and come back in the middle of the copy.

    The servers copy by themselves, as they do where they are reached over SSH: what the worker itself carries is
    through when its turn is.
    """
    past_the_freeze(town.old, MANY.format(700, 60000))
    with patch.object(Copying, "_way", lambda self, _: str(self._mover.registry.keep("way", "native"))):
        found = town.city.run("migrate")
    assert (found["state"], found["phase"]) == ("waiting", "EnsureDatabaseCopy"), found


def recovered(town: Town) -> None:
    """Servers try again by themselves a few seconds later; until then a run says that they refuse."""
    end = time.monotonic() + 60
    while (found := town.run())["state"] == "failed" and time.monotonic() < end:
        time.sleep(1)
    assert found["phase"] == "WaitForCutoverApproval", found


def finish(town: Town, writers: Writers) -> None:
    """From the gate to acceptance, with everything that was acknowledged."""
    town.city.everybody_approves()
    found = town.run()
    assert found["phase"] == "WaitForAcceptance", found
    assert still_writing(writers)
    writers.stop()
    assert missing(town.new, writers.acknowledged) == []
    assert consistent_but_for(town, 700)


def consistent_but_for(town: Town, writer: int) -> bool:
    past_the_freeze(town.new, f"DELETE FROM written WHERE writer = {writer}")
    return consistent(town.new)


@pytest.mark.slow
def test_a_source_that_goes_down_during_the_copy_is_waited_for(town: Town) -> None:
    copying(town)
    town.source.stop()
    try:
        found = town.run()
        assert (found["state"], found["phase"]) == ("failed", "EnsureDatabaseCopy")
        assert "MOV001" in found["reason"]
    finally:
        town.source.start()
    with town.writers() as writers:
        recovered(town)
        finish(town, writers)


@contextmanager
def by_wire(town: Town) -> Iterator[Wire]:
    """The move reaches the source by a line that can be cut; users have their own."""
    file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
    with wire(town.source.port) as line:
        text = file.read_text().replace(f"127.0.0.1:{town.source.port}/", f"127.0.0.1:{line.port}/")
        file.write_text(text)
        yield line


@pytest.mark.slow
def test_a_line_that_is_cut_during_the_copy_stops_nobody(town: Town) -> None:
    with by_wire(town) as line, town.writers() as writers:
        copying(town)
        line.cut()
        found = town.run()
        assert (found["state"], found["phase"]) == ("failed", "EnsureDatabaseCopy")
        assert "MOV001" in found["reason"]
        assert still_writing(writers)
        line.mend()
        recovered(town)
        finish(town, writers)


def test_a_line_that_is_cut_in_the_pause_of_writes_is_said_and_mended_by_the_next_run(town: Town) -> None:
    with by_wire(town) as line, town.writers() as writers:
        parked(town)
        town.city.everybody_approves()
        found = town.run(steps=at(EnsureDrained=line.cut))
        assert (found["state"], found["phase"]) == ("failed", "EnsureDrained"), found
        assert "could not be let in again" in found["reason"]
        line.mend()
        # Writes are still stopped: the next worker drains, compares and switches, within what is left of the pause.
        assert town.run()["phase"] == "WaitForAcceptance"
        assert still_writing(writers)
    assert missing(town.new, writers.acknowledged) == []
    assert consistent(town.new)


@ROOT
@pytest.mark.slow
def test_a_full_target_is_named_and_the_copy_goes_on_when_there_is_room(town: Town) -> None:
    with small_disk(town.target.folder / "small", "24m") as (place, grow):
        town.target.query("postgres", f"CREATE TABLESPACE small LOCATION '{place}'")
        town.target.query("postgres", f"CREATE DATABASE {DATABASE} TEMPLATE template0 TABLESPACE small")
        with town.writers() as writers:
            copying(town)
            found = town.run()
            assert (found["state"], found["phase"]) == ("failed", "EnsureDatabaseCopy"), found
            assert "MOV055" in found["reason"]
            assert still_writing(writers)
            grow("400m")
            recovered(town)
            assert town.run("cancel")["state"] == "done"
        town.target.query("postgres", f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        town.target.query("postgres", "DROP TABLESPACE small")
    assert missing(town.old, writers.acknowledged) == []


@pytest.mark.slow
def test_a_lost_slot_is_found_before_writes_are_stopped(town: Town) -> None:
    with town.writers() as writers:
        parked(town)
        lose_the_slot(town)
        town.city.everybody_approves()
        found = town.run()
        assert (found["state"], found["phase"]) == ("failed", "EnsureWritesStopped"), found
        assert "MOV053" in found["reason"]
        assert still_writing(writers)
        # What follows a gap in the log cannot be trusted: it is begun anew.
        assert town.run("cancel")["state"] == "done"
        parked(town)
        finish(town, writers)


def lose_the_slot(town: Town) -> None:
    name = town.target.query(DATABASE, "SELECT subname FROM pg_subscription")
    past_the_freeze(town.new, f'ALTER SUBSCRIPTION "{name}" DISABLE')
    town.source.query("postgres", "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    town.source.query("postgres", "SELECT pg_reload_conf()")
    for number in range(3):
        past_the_freeze(town.old, MANY.format(700 + number, 30000))
        town.source.query(DATABASE, "SELECT pg_switch_wal()")
        town.source.query(DATABASE, "CHECKPOINT")
    town.source.query("postgres", "ALTER SYSTEM RESET max_slot_wal_keep_size")
    town.source.query("postgres", "SELECT pg_reload_conf()")
    for number in range(3):
        past_the_freeze(town.old, f"DELETE FROM written WHERE writer = {700 + number}")


@ROOT
@pytest.mark.slow
def test_a_source_whose_disk_would_fill_is_freed_of_the_move(city: City) -> None:
    settings = ("max_wal_size=48MB", "min_wal_size=32MB")
    with running(*SETTINGS, *settings) as source, running(*SETTINGS) as target:
        source.stop()
        with log_on_a_small_disk(source, "400m"):
            source.start()
            town = Town(city, source, target)
            town.begin()
            with town.writers() as writers:
                parked(town)
                name = town.target.query(DATABASE, "SELECT subname FROM pg_subscription")
                past_the_freeze(town.new, f'ALTER SUBSCRIPTION "{name}" DISABLE')
                for number in range(30):
                    past_the_freeze(town.old, MANY.format(1000 + number, 15000))
                    found = town.run()
                    if town.events("return-triggered"):
                        break
                (given_up,) = town.events("return-triggered")
                assert (given_up["trigger"], given_up["action"]) == ("source_room", "report")
                assert "MOV051" in given_up["problem"]
                assert found["phase"] == "WaitForCutoverApproval"
                assert source.query(DATABASE, "SELECT count(*) FROM pg_replication_slots") == "0"
                assert still_writing(writers)
                town.city.everybody_approves()
                stopped = town.run()
                assert (stopped["state"], stopped["phase"]) == ("failed", "EnsureWritesStopped"), stopped
                assert "begin again" in stopped["reason"]
                assert still_writing(writers)
                assert town.run("cancel")["state"] == "done"
            assert missing(town.old, writers.acknowledged) == []
            source.stop()


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[tuple[Path, Callable[[str], object]]]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(place)], check=True)
    try:
        subprocess.run(["chown", "--reference", str(place.parent), str(place)], check=True)
        yield place, lambda more: subprocess.run(["mount", "-o", f"remount,size={more}", str(place)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def log_on_a_small_disk(server: Server, size: str) -> Iterator[None]:
    log = server.folder / "data" / "pg_wal"
    kept = server.folder / "log-before"
    subprocess.run(["cp", "-a", str(log), str(kept)], check=True)
    with small_disk(log, size):
        subprocess.run(["cp", "-a", f"{kept}/.", str(log)], check=True)
        subprocess.run(["chmod", "700", str(log)], check=True)
        yield


def test_a_clock_that_is_wrong_is_found_before_anything_is_touched_and_before_the_pause(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = "govhub.migration.moving.guards.now"
    with town.writers() as writers, monkeypatch.context() as wrong:
        wrong.setattr(ours, lambda: datetime.now(UTC) + timedelta(minutes=5))
        found = town.run("migrate")
        assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
        assert "[MOV117] the source's clock is 300 s behind" in found["reason"]
        wrong.undo()
        parked(town)
        town.city.everybody_approves()
        wrong.setattr(ours, lambda: datetime.now(UTC) - timedelta(minutes=5))
        found = town.run()
        assert (found["state"], found["phase"]) == ("failed", "EnsureWritesStopped")
        assert "ahead of" in found["reason"]
        assert still_writing(writers)
        wrong.undo()
        assert town.run()["phase"] == "WaitForAcceptance"
    assert missing(town.new, writers.acknowledged) == []


@pytest.mark.slow
def test_a_definition_that_changes_during_the_copy_has_to_be_changed_on_both_sides(town: Town) -> None:
    with town.writers() as writers:
        copying(town)
        past_the_freeze(town.old, "ALTER TABLE accounts ADD COLUMN extra int")
        found = town.run()
        assert (found["state"], found["phase"]) == ("failed", "EnsureDatabaseCopy"), found
        assert "MOV052" in found["reason"]
        past_the_freeze(town.new, "ALTER TABLE accounts ADD COLUMN extra int")
        recovered(town)
        finish(town, writers)


@pytest.mark.slow
def test_another_character_set_is_found_before_anything_is_touched(town: Town) -> None:
    town.target.query(
        "postgres",
        f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    found = town.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "MOV113" in found["reason"]
    assert town.source.query("postgres", "SELECT count(*) FROM pg_replication_slots") == "0"
    town.target.query("postgres", f"DROP DATABASE {DATABASE}")
    assert town.run()["phase"] == "WaitForCutoverApproval"


@pytest.mark.slow
def test_a_row_written_behind_our_back_stops_the_cutover_and_not_the_users(town: Town) -> None:
    with town.writers() as writers:
        parked(town)
        past_the_freeze(town.new, "INSERT INTO accounts VALUES (77, 0)")
        past_the_freeze(town.old, "INSERT INTO accounts VALUES (77, 0)")
        town.city.everybody_approves()
        end = time.monotonic() + 60
        while (found := town.city.run())["state"] == "waiting" and time.monotonic() < end:
            time.sleep(1)
        assert (found["state"], found["phase"]) == ("failed", "EnsureWritesStopped"), found
        assert "MOV056" in found["reason"]
        assert still_writing(writers)
        past_the_freeze(town.new, "DELETE FROM accounts WHERE id = 77")
        # It waits until changes follow again.
        while (found := town.run())["state"] == "failed" and time.monotonic() < end:
            time.sleep(1)
        assert found["phase"] == "WaitForAcceptance", found
    assert missing(town.new, writers.acknowledged) == []


def test_approvals_that_expired_or_are_about_another_plan_stop_nobodys_writes(town: Town) -> None:
    with town.writers() as writers:
        parked(town)
        town.city.approve("chen")
        with pytest.raises(PolicyViolation, match="speaks for the department"):
            # The department's own, for the provider.
            town.city.approve("chen", party="provider")
        town.city.approve("zhao")
        town.city.approve("qian")
        town.city.clock.forward(hours=73)
        found = town.run()
        assert (found["state"], found["phase"]) == ("waiting", "WaitForCutoverApproval")
        assert "APR006" in found["reason"]
        town.city.everybody_approves()
        town.declare(trial=0, pause=60, extra="effort: 7")
        found = town.run()
        assert (found["state"], found["phase"]) == ("waiting", "WaitForCutoverApproval")
        assert "APR007" in found["reason"] or "missing" in found["reason"]
        with opened("mini", clock=town.city.clock) as record:
            (changed,) = [item for item in record.events(SYSTEM) if item.kind == "plan-changed"]
        assert changed.data["sent_back"] is True
        assert still_writing(writers)
        before = count(town.old)
        town.city.everybody_approves()
        assert town.run()["phase"] == "WaitForAcceptance"
    assert count(town.new) > before
    assert missing(town.new, writers.acknowledged) == []
