"""What goes wrong while writes are stopped: they are let in again where they were, and the next run tries anew."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from govhub.ops.migration.records import opened
from migration.city import SYSTEM
from migration.movers.writers import consistent, missing
from migration.story.towns import Town

pytestmark = pytest.mark.postgres


def test_a_pause_that_takes_too_long_ends_by_itself(town: Town) -> None:
    with town.writers() as writers:
        town.run("migrate")
        town.city.everybody_approves()
        town.declare(trial=0, pause=0.001)
        failed = town.run()
        assert (failed["state"], failed["phase"]) == ("failed", "EnsureWritesStopped"), failed
        assert "MOV061" in failed["reason"]
        assert "let in again" in failed["reason"]
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
        town.declare(trial=0, pause=60)
        assert town.run()["phase"] == "WaitForAcceptance"
    assert missing(town.new, writers.acknowledged) == []
    assert consistent(town.new)


def test_a_difference_that_is_found_while_writes_are_stopped_sends_everything_back(town: Town) -> None:
    town.source.query("enrolment", "INSERT INTO written (writer, number, account, note) VALUES (99, 1, 0, 'as it was')")
    with town.writers() as writers:
        town.run("migrate")
        change = "SET transaction_read_only = off; UPDATE written SET note = '{}' WHERE writer = 99"
        town.target.query("enrolment", change.format("by somebody"))
        town.city.everybody_approves()
        failed = town.run()
        assert (failed["state"], failed["phase"]) == ("failed", "EnsureFinalVerification"), failed
        assert "public.written" in failed["reason"]
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
        # The next try stops writes again, and drains what was written meanwhile.
        town.target.query("enrolment", change.format("as it was"))
        assert town.run()["phase"] == "WaitForAcceptance"
    assert missing(town.new, writers.acknowledged) == []


def test_what_stands_in_the_way_is_said_before_anything_is_touched(town: Town) -> None:
    town.source.query("enrolment", "CREATE TABLE loose (word text)")
    found = town.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "MOV111" in found["reason"]
    assert town.target.query("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'enrolment'") == "0"


@pytest.mark.parametrize(
    "move",
    [
        "{name: other, kind: mariadb, source: old-server, database: other}",
        "{name: other, kind: application, source: old-server, unit: web.service}",
        "{name: other, kind: files, source: old-server, path: /srv/other, to: node1}",
    ],
)
def test_what_no_run_moves_yet_is_refused_before_one_is_begun(town: Town, move: str) -> None:
    file = town.city.hub / "migration.yaml"
    file.write_text(file.read_text() + f"      - {move}\n")
    found = town.run("migrate")
    assert (found["state"], [item["code"] for item in found["problems"]]) == ("refused", ["RUN016"])
    with opened("mini", clock=town.city.clock) as record:
        assert SYSTEM not in record.chains()


def test_addresses_that_cannot_be_read_are_refused(town: Town) -> None:
    file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
    for text, mode in ((f"{SYSTEM}/register: {{from: here}}\n", 0o600), (file.read_text(), 0o644)):
        file.write_text(text)
        file.chmod(mode)
        found = town.run("migrate")
        assert [item["code"] for item in found["problems"]] == ["RUN019"], found
