"""After the switch: what goes wrong there sends users back by itself, with what they wrote, or is said."""

from __future__ import annotations

import time
from typing import Any

import pytest

from govhub.ops.migration.holding import Hold, hold
from migration.city import SYSTEM
from migration.movers.writers import consistent, missing
from migration.story.towns import DATABASE, Town, at, past_the_freeze

pytestmark = pytest.mark.postgres


def actions(town: Town) -> list[tuple[str, str]]:
    return [(item["trigger"], item["action"]) for item in town.events("return-triggered")]


def to_acceptance(town: Town, **more: Any) -> dict[str, Any]:
    assert town.run("migrate")["phase"] == "WaitForCutoverApproval"
    town.city.everybody_approves()
    return town.run(**more)


def test_a_service_test_that_fails_brings_users_back_with_what_they_wrote(town: Town) -> None:
    def break_it() -> None:
        time.sleep(0.5)
        past_the_freeze(town.new, "CREATE SCHEMA govhub_probe")

    with town.writers() as writers:
        found = to_acceptance(
            town,
            # The service test makes a schema of this name, and takes it back.
            steps=at(
                EnsureServiceTest=break_it,
                EnsureTargetWritesStopped=lambda: past_the_freeze(town.new, "DROP SCHEMA govhub_probe"),
            ),
        )
        assert (found["itinerary"], found["state"]) == ("roll-back", "done"), found
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
    (fired,) = town.events("return-triggered")
    assert (fired["trigger"], fired["action"]) == ("service_test_failed", "return")
    assert "already exists" in fired["problem"]
    assert missing(town.old, writers.acknowledged) == []
    assert consistent(town.old)
    assert writers.problems == []


@pytest.mark.slow
def test_a_switch_that_fails_lets_users_write_where_they_did(town: Town) -> None:
    with town.writers() as writers:
        found = to_acceptance(
            town,
            steps=at(EnsureSwitched=lambda: past_the_freeze(town.old, "ALTER TABLE accounts ADD COLUMN late int")),
        )
        assert (found["itinerary"], found["state"]) == ("roll-back", "done"), found
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
    (fired,) = town.events("return-triggered")
    assert (fired["trigger"], fired["action"]) == ("switch_failed", "return")
    assert "MOV052" in fired["problem"]
    assert missing(town.old, writers.acknowledged) == []


def test_a_row_of_the_source_that_is_not_the_targets_is_found_while_everybody_writes(town: Town) -> None:
    with town.writers() as writers:
        assert to_acceptance(town)["phase"] == "WaitForAcceptance"
        (first,) = town.events("target-compared")
        # Rows that are just being written are no difference, and rows that nobody could look at are no proof.
        assert first["evidence"]["register"]["verdict"] in ("pass", "could not verify")
        assert actions(town) == []
        row = "writer = 0 AND number IN (0, 3)"
        past_the_freeze(town.old, f"UPDATE written SET note = 'by somebody' WHERE {row}")
        town.city.clock.forward(hours=25)
        found = town.run()
        assert (found["itinerary"], found["phase"]) == ("migrate", "WaitForAcceptance")
        assert actions(town) == [("mismatch", "report")]
        rows = [f"public.written writer=0, number={number}" for number in (0, 3)]
        assert sorted(town.events("return-triggered")[0]["evidence"]["rows"]) == rows

        # Where the rules say so it goes back; the proof on the way back fails, and users go on where they are.
        town.declare(trial=0, pause=60, rules="automatic_return: {mismatch: return}")
        town.city.clock.forward(hours=25)
        failed = town.run()
        assert (failed["itinerary"], failed["phase"]) == ("roll-back", "EnsureReverseVerification"), failed
        assert "public.written" in failed["reason"]
        assert "let in again" in failed["reason"]
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
        past_the_freeze(town.old, f"UPDATE written SET note = repeat('注', number) WHERE {row}")
        assert town.run()["state"] == "done"
    assert missing(town.old, writers.acknowledged) == []
    assert consistent(town.old)
    assert writers.problems == []


@pytest.mark.slow
def test_a_source_that_stays_behind_is_held_then_tried_and_at_last_gone_back_to(town: Town) -> None:
    rules = "automatic_return: {reverse_lag: return, lag_size: 1Mi}"
    town.declare(trial=0, pause=60, rules=rules)
    with town.writers() as writers:
        assert to_acceptance(town)["phase"] == "WaitForAcceptance"
        assert actions(town) == []
        name = town.source.query(DATABASE, "SELECT subname FROM pg_subscription")
        past_the_freeze(town.old, f'ALTER SUBSCRIPTION "{name}" DISABLE')
        many = "INSERT INTO written SELECT 900, i, 0, now(), repeat('x', 900) FROM generate_series(1, 4000) i"
        past_the_freeze(town.new, many)
        hold(Hold(hub=str(town.city.hub), system=SYSTEM, reason="the line is being mended", clock=town.city.clock))
        assert town.run()["itinerary"] == "migrate"
        assert actions(town) == [("reverse_lag", "held")]
        hold(Hold(hub=str(town.city.hub), system=SYSTEM, held=False, clock=town.city.clock))
        town.declare(trial=0, pause=3, rules=rules)
        failed = town.run()
        assert (failed["itinerary"], failed["phase"]) == ("roll-back", "EnsureReverseDrained"), failed
        assert "let in again" in failed["reason"]
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
        past_the_freeze(town.old, f'ALTER SUBSCRIPTION "{name}" ENABLE')
        town.declare(trial=0, pause=60, rules=rules)
        assert town.run()["state"] == "done"
    assert actions(town) == [("reverse_lag", "held"), ("reverse_lag", "return")]
    assert missing(town.old, writers.acknowledged) == []
    assert town.source.query(DATABASE, "SELECT count(*) FROM written WHERE writer = 900") == "4000"


@pytest.mark.slow
def test_a_source_that_is_gone_sends_nobody_back(town: Town) -> None:
    town.declare(trial=0, pause=60, rules="automatic_return: {reverse_lag: return}")
    with town.writers() as writers:
        assert to_acceptance(town)["phase"] == "WaitForAcceptance"
        town.source.stop()
        try:
            found = town.run()
            assert (found["itinerary"], found["phase"]) == ("migrate", "WaitForAcceptance"), found
            assert actions(town) == [("reverse_lag", "way back interrupted")]
            assert "MOV001" in town.events("return-triggered")[0]["problem"]
            since = len(writers.acknowledged)
            time.sleep(0.5)
            assert len(writers.acknowledged) > since
        finally:
            town.source.start()
    assert missing(town.new, writers.acknowledged) == []


def test_a_rehearsal_says_that_the_pause_would_be_too_long(town: Town) -> None:
    # The clock of the record stands still in these tests.
    slow = at(EnsureFinalVerification=lambda: town.city.clock.forward(seconds=100))
    assert town.run("rehearse", steps=slow)["state"] == "done"
    assert actions(town) == [("write_pause", "rehearsal")]
    assert town.events("return-triggered")[0]["evidence"]["allowed"] == 60
