"""A system's database from an old server to a new one, by `migrate run`, while its application writes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from govhub.ops.migration.records import opened
from migration.city import SYSTEM
from migration.movers.writers import consistent, missing
from migration.story.towns import Town, count

pytestmark = pytest.mark.postgres


def events(town: Town) -> list[Any]:
    with opened("mini", clock=town.city.clock) as record:
        return record.events(SYSTEM)


def evidence(town: Town, phase: str) -> dict[str, Any]:
    found = [item for item in events(town) if item.kind == "phase-finished" and item.data["phase"] == phase]
    return dict(found[-1].data["evidence"]["register"])


def test_a_database_is_moved_while_it_is_written_to_accepted_and_its_source_retired(town: Town) -> None:
    with town.writers() as writers:
        parked = town.run("migrate")
        assert (parked["state"], parked["phase"]) == ("waiting", "WaitForCutoverApproval"), parked
        before = count(town.old)
        town.city.everybody_approves()
        trial = town.run()
        assert (trial["state"], trial["phase"]) == ("waiting", "WaitForAcceptance"), trial
        since = len(writers.acknowledged)
        time.sleep(0.5)
        # The application has found the new server.
        assert len(writers.acknowledged) > since
    assert missing(town.new, writers.acknowledged) == []
    assert consistent(town.new)
    assert count(town.new) > before > 0
    assert writers.problems == []
    assert evidence(town, "EnsureFinalVerification")["verdict"] == "pass"
    assert evidence(town, "EnsureFinalVerification")["coverage"]["rungs"]["hashes"]["tables"] == 3
    assert 0 < evidence(town, "EnsureSwitched")["pause_seconds"] < 60
    assert len(evidence(town, "EnsureBackup")["sha256"]) == 64

    town.city.everybody_approves()
    assert town.run()["state"] == "done"
    assert town.run("retire")["phase"] == "WaitForRetirementApproval"
    town.city.everybody_approves()
    assert town.run()["state"] == "done"
    assert town.source.query("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'enrolment'") == "0"
    assert town.source.query("postgres", "SELECT count(*) FROM pg_replication_slots") == "0"
    assert town.target.query("enrolment", "SELECT count(*) FROM pg_namespace WHERE nspname = 'govhub_move'") == "0"
    assert missing(town.new, writers.acknowledged) == []


def test_a_rollback_keeps_what_users_wrote_to_the_target(town: Town) -> None:
    with town.writers() as writers:
        town.run("migrate")
        town.city.everybody_approves()
        assert town.run()["phase"] == "WaitForAcceptance"
        time.sleep(0.5)
        there = count(town.new)
        back = town.run("roll-back")
        assert back["state"] == "done", back
        time.sleep(0.5)
    assert count(town.old) > there
    assert missing(town.old, writers.acknowledged) == []
    assert consistent(town.old)
    assert writers.problems == []
    assert evidence(town, "EnsureReverseVerification")["verdict"] == "pass"
    # Nothing of it stands in the way of the next try.
    assert town.run("migrate")["phase"] == "WaitForCutoverApproval"
    assert town.run("cancel")["state"] == "done"
    assert town.target.query("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'enrolment'") == "0"
    assert town.source.query("postgres", "SELECT count(*) FROM pg_replication_slots") == "0"


def test_a_rehearsal_stops_nobody_and_leaves_nothing(town: Town) -> None:
    with town.writers() as writers:
        done = town.run("rehearse")
        assert done["state"] == "done", done
    assert writers.longest_gap < 5
    assert missing(town.old, writers.acknowledged) == []
    names = town.target.query("postgres", "SELECT string_agg(datname, ' ') FROM pg_database")
    assert "enrolment" not in names
    assert town.source.query("postgres", "SELECT count(*) FROM pg_replication_slots") == "0"
