"""SIGKILL of the worker in the middle of a phase; the next one finishes the run, and no acknowledged commit is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from govhub.lab.postgres import Server
from migration.movers.writers import Writers, consistent, missing
from migration.story.towns import DATABASE, Town
from migration.story.workers import killed, open_run, start

pytestmark = pytest.mark.postgres
Points = dict[str, tuple[int, ...]]
QUICK: Points = {"EnsureDatabaseCopy": (12,), "EnsureSwitched": (14,), "EnsureSwitchedBack": (14,)}
# Before which word to a server each worker dies; each of them is followed by the next one of the list.
REHEARSE: Points = {
    "EnsureTarget": (10, 40),
    "WaitForTarget": (2,),
    "EnsureDatabaseCopy": (12, 20),
    "EnsureReplication": (3,),
    "EnsureVerification": (4,),
    "EnsureDrained": (2,),
    "EnsureFinalVerification": (4,),
    "EnsureServiceTest": (2,),
    "EnsureRehearsalRemoved": (4, 12),
}
MIGRATE: Points = {
    "EnsureApplication": (5,),
    "EnsureTarget": (10, 40),
    "EnsureBackup": (1, 2),
    "EnsureDatabaseCopy": (12, 20),
    "WaitForDatabaseCopy": (2,),
    "EnsureReplication": (3,),
    "EnsureVerification": (4,),
    "EnsureWritesStopped": (4, 24),
    "WaitForWritesStopped": (2,),
    "EnsureDrained": (6,),
    "EnsureFinalVerification": (4, 8),
    "EnsureSwitched": (5, 14, 24),
    "WaitForSwitched": (3,),
    "EnsureReverseReplication": (2, 8),
    "WaitForReverseReplication": (2,),
    "EnsureServiceTest": (2,),
}
ROLL_BACK: Points = {
    "EnsureTargetWritesStopped": (2, 4),
    "EnsureReverseDrained": (5,),
    "EnsureReverseVerification": (4,),
    "EnsureSwitchedBack": (5, 14, 24),
    "EnsureWritesAllowed": (2,),
    "EnsureReplicationRemoved": (6, 14),
    "EnsureServiceTest": (2,),
}
CANCEL: Points = {
    "EnsureWritesAllowed": (2,),
    "EnsureReplicationRemoved": (4, 12),
    "EnsureTargetRemoved": (2, 4),
}
RETIRE: Points = {
    "EnsureReplicationRemoved": (4, 12),
    "EnsureArchive": (2, 3),
    "WaitForArchive": (),
    "EnsureWiped": (1, 3),
    "WaitForWiped": (1,),
}


def relay(town: Town, itinerary: str, points: Points, goal: str | None) -> int:
    """Have worker after worker die at its point; then one that lives comes to ``goal``. How many died."""
    died = 0
    for phase, numbers in points.items():
        for number in numbers:
            run = open_run(town)
            begin = itinerary if run is None or run.itinerary != itinerary else ""
            assert killed(town, begin, phase, number), f"{phase}-{number} was never met"
            died += 1
    run = open_run(town)
    assert run is not None
    assert run.itinerary == itinerary
    found = town.run()
    assert (found["state"], found["phase"]) == (("done", None) if goal is None else ("waiting", goal)), found
    return died


def entered_once(town: Town) -> bool:
    """No phase of a run is in the record twice."""
    found = Counter((item["run"], item["phase"]) for item in town.events("phase-finished"))
    return set(found.values()) == {1}


def slots(server: Server) -> str:
    return server.query("postgres", "SELECT count(*) FROM pg_replication_slots")


def databases(server: Server) -> list[str]:
    return server.query("postgres", "SELECT datname FROM pg_database").splitlines()


def all_back(town: Town, writers: Writers) -> None:
    """Every acknowledged commit is on the source again, and nothing of the move is."""
    assert writers.problems == []
    assert len(writers.acknowledged) > 100
    assert missing(town.old, writers.acknowledged) == []
    assert consistent(town.old)
    assert slots(town.source) == "0"
    assert entered_once(town)


def test_workers_that_are_killed_are_followed_by_others_that_finish(town: Town) -> None:
    """A few of the points below, in one story."""
    with town.writers() as writers:
        quick = {name: QUICK[name] for name in ("EnsureDatabaseCopy",)}
        assert relay(town, "migrate", quick, "WaitForCutoverApproval") == 1
        town.city.everybody_approves()
        assert killed(town, "", "EnsureSwitched", 14)
        assert town.run()["phase"] == "WaitForAcceptance"
        assert relay(town, "roll-back", {"EnsureSwitchedBack": (14,)}, None) == 1
    all_back(town, writers)


@pytest.mark.slow
def test_a_rehearsal_is_finished_whoever_is_killed(town: Town) -> None:
    with town.writers() as writers:
        assert relay(town, "rehearse", REHEARSE, None) == 12
    assert writers.longest_gap < 10
    assert missing(town.old, writers.acknowledged) == []
    assert not [name for name in databases(town.target) if name.startswith(DATABASE)]
    assert slots(town.source) == "0"
    assert entered_once(town)


@pytest.mark.slow
def test_a_migration_and_its_way_back_are_finished_whoever_is_killed(town: Town) -> None:
    names = list(MIGRATE)
    gate = names.index("EnsureWritesStopped")
    before, after = ({name: MIGRATE[name] for name in part} for part in (names[:gate], names[gate:]))
    # Several workers die while writes are stopped; each takes seconds to begin.
    town.declare(trial=0, pause=900)
    with town.writers() as writers:
        assert relay(town, "migrate", before, "WaitForCutoverApproval") == 10
        town.city.everybody_approves()
        assert relay(town, "migrate", after, "WaitForAcceptance") == 14
        assert missing(town.new, list(writers.acknowledged)) == []
        assert relay(town, "roll-back", ROLL_BACK, None) == 11
    all_back(town, writers)


@pytest.mark.slow
def test_a_cancelled_migration_is_cleared_away_whoever_is_killed(town: Town) -> None:
    with town.writers() as writers:
        assert town.run("migrate")["phase"] == "WaitForCutoverApproval"
        assert relay(town, "cancel", CANCEL, None) == 5
    assert missing(town.old, writers.acknowledged) == []
    assert consistent(town.old)
    assert DATABASE not in databases(town.target)
    assert slots(town.source) == "0"
    assert entered_once(town)


@pytest.mark.slow
def test_a_source_is_retired_whoever_is_killed(town: Town) -> None:
    with town.writers() as writers:
        assert town.run("migrate")["phase"] == "WaitForCutoverApproval"
        town.city.everybody_approves()
        assert town.run()["phase"] == "WaitForAcceptance"
        town.city.everybody_approves()
        assert town.run()["state"] == "done"
        assert town.run("retire")["phase"] == "WaitForRetirementApproval"
        town.city.everybody_approves()
        assert relay(town, "retire", RETIRE, None) == 7
    assert missing(town.new, writers.acknowledged) == []
    assert consistent(town.new)
    assert DATABASE not in databases(town.source)
    assert entered_once(town)


def test_of_two_workers_on_one_record_one_is_killed_and_the_other_moves_the_database(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = town.target.database("record").replace("postgres://", "postgresql://")
    monkeypatch.setenv("GOVHUB_DATABASE", address)
    hanging = tmp_path / "hanging"
    with town.writers() as writers:
        first = start(town, "migrate", "EnsureDatabaseCopy", 12, HANG=str(hanging), LEASE="6")
        until(hanging.exists)
        second = start(town, "", "-", 0, WAIT="60", LEASE="6")
        with pytest.raises(TimeoutError):
            until(lambda: second.poll() is not None, 8)
        # It waits for the one that lives, and touches nothing.
        assert town.events("lease-taken-over") == []
        first.kill()
        first.communicate()
        out, errors = second.communicate(timeout=240)
        assert second.returncode == 0, errors[-2000:]
        assert '"phase": "WaitForCutoverApproval"' in out
        town.city.everybody_approves()
        assert town.run()["phase"] == "WaitForAcceptance"
    assert [item["from"]["pid"] for item in town.events("lease-taken-over")] == [first.pid]
    assert entered_once(town)
    assert missing(town.new, writers.acknowledged) == []
    assert consistent(town.new)
    monkeypatch.delenv("GOVHUB_DATABASE")


def until(true: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for it.

    Raises:
        TimeoutError: it did not happen.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen")
        time.sleep(0.3)
