"""A controller is killed (SIGKILL) before a word to a server; the next one goes on from what is on the servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govhub.lab.postgres import PASSWORD
from migration.movers.pairs import Databases, Pair, endpoint
from migration.movers.test_postgresql_live import _STATE
from migration.movers.writers import TABLES, Writers, consistent, missing

pytestmark = pytest.mark.postgres
DRIVER = Path(__file__).with_name("driver.py")
# Shares of all words of a run, so that they stay spread over it when it grows.
SHARES = [pytest.param(i / 48, marks=() if i in (12, 36) else pytest.mark.slow, id=f"{i}of48") for i in range(1, 48)]
STORY = ["copy", "forward", "back", "forward"]


def plan_of(databases: Databases, lead: Path, do: list[str]) -> dict[str, Any]:
    sides = {
        "source": endpoint(databases.pair.source, databases.old),
        "target": endpoint(databases.pair.target, databases.new),
    }
    plain = {
        side: {name: value for name, value in asdict(where).items() if value and name != "password"}
        for side, where in sides.items()
    }
    return {
        **plain,
        "move": f"move-{databases.old}",
        "folder": str(databases.pair.folder),
        "lead": str(lead),
        "addresses": {"source": databases.source, "target": databases.target},
        "do": do,
    }


def controller(plan: dict[str, Any], fatal: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DRIVER_PASSWORD": PASSWORD}
    command = [sys.executable, str(DRIVER), json.dumps(plan), str(fatal)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)


def until_done(plan: dict[str, Any]) -> int:
    done = controller(plan)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout)


@pytest.fixture(scope="module")
def words(servers: Pair, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many words each leg of the story takes without a kill."""
    databases = servers.databases(*TABLES)
    lead = tmp_path_factory.mktemp("words") / "lead"
    counts = {}
    for index, leg in enumerate(STORY):
        counts[f"{index}{leg}"] = until_done(plan_of(databases, lead, [leg]))
    return counts


@pytest.mark.parametrize("share", SHARES)
def test_a_killed_move_is_finished_by_the_next_controller(
    servers: Pair, words: dict[str, int], share: float, tmp_path: Path
) -> None:
    databases = servers.databases(*TABLES, "INSERT INTO counted (writer) SELECT -1 WHERE false")
    lead = tmp_path / "lead"
    lead.write_text(databases.source)
    at, killed = share * sum(words.values()), False
    with Writers(databases.source, rate=300, led_by=lead) as writers:
        for index, leg in enumerate(STORY):
            plan = plan_of(databases, lead, [leg])
            count = words[f"{index}{leg}"]
            if 0 < at <= count:
                ended = controller(plan, max(1, int(at)))
                assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr[-2000:]
                killed = ended.returncode != 0
                # It had less to say this time, for it asked less often how far things are: in the next leg then.
                at = count if killed else count + 20
            at -= count
            until_done(plan)
            time.sleep(0.15)
        time.sleep(0.2)
    assert killed
    assert lead.read_text() == databases.target
    assert writers.problems == []
    assert len(writers.acknowledged) > 100
    assert missing(databases.target, writers.acknowledged) == []
    assert consistent(databases.target)


@pytest.mark.parametrize("fatal", [12, *(pytest.param(number, marks=pytest.mark.slow) for number in (3, 20, 28))])
def test_a_killed_cancellation_is_finished_by_the_next_one(servers: Pair, tmp_path: Path, fatal: int) -> None:
    databases = servers.databases(*TABLES)
    before = databases.on_source(_STATE)
    until_done(plan_of(databases, tmp_path / "lead", ["copy"]))
    ended = controller(plan_of(databases, tmp_path / "lead", ["cancel"]), fatal)
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    until_done(plan_of(databases, tmp_path / "lead", ["cancel"]))
    assert databases.on_source(_STATE) == before


@pytest.mark.slow
def test_any_order_of_kills_and_cutovers_keeps_every_acknowledged_commit(servers: Pair, tmp_path: Path) -> None:
    turn = iter(range(1000))

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(st.tuples(st.integers(1, 90), st.floats(0, 0.3)), min_size=2, max_size=5))
    def story(kills: list[tuple[int, float]]) -> None:
        databases = servers.databases(*TABLES)
        lead = tmp_path / f"lead{next(turn)}"
        lead.write_text(databases.source)
        with Writers(databases.source, rate=200, count=3, led_by=lead) as writers:
            direction = "copy"
            for fatal, pause in kills:
                plan = plan_of(databases, lead, [direction])
                controller(plan, fatal)
                time.sleep(pause)
                controller(plan, fatal // 2 + 1)
                until_done(plan)
                direction = "back" if direction == "forward" else "forward"
            time.sleep(0.1)
        assert writers.problems == []
        assert missing(lead.read_text(), writers.acknowledged) == []
        assert consistent(lead.read_text())

    story()
