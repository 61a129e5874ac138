"""SIGKILL of the worker in the middle of a phase; the next one finishes the run, and no acknowledged commit is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from govhub.ops.migration.records import opened
from migration.city import SYSTEM
from migration.movers.writers import consistent, missing
from migration.story.towns import Town

pytestmark = pytest.mark.postgres
WORKER = Path(__file__).with_name("worker.py")
QUICK = (("EnsureDatabaseCopy", 12), ("EnsureSwitched", 14), ("EnsureSwitchedBack", 14))
POINTS = [
    pytest.param(phase, number, marks=() if (phase, number) in QUICK else pytest.mark.slow, id=f"{phase}-{number}")
    for phase, numbers in {
        "EnsureTarget": (10, 40),
        "EnsureDatabaseCopy": (12, 20),
        "EnsureWritesStopped": (4, 8),
        "EnsureDrained": (4,),
        "EnsureFinalVerification": (2,),
        "EnsureSwitched": (5, 14, 24),
        "EnsureReverseReplication": (8,),
        "EnsureTargetWritesStopped": (4,),
        "EnsureReverseDrained": (3,),
        "EnsureSwitchedBack": (5, 14, 24),
        "EnsureReplicationRemoved": (6, 14),
    }.items()
    for number in numbers
]


def worker(town: Town, itinerary: str, phase: str, number: int) -> int:
    words = [town.city.hub, SYSTEM, itinerary, phase, number, town.city.clock().isoformat()]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, str(WORKER), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-2000:]
    return done.returncode


@pytest.mark.parametrize(("phase", "number"), POINTS)
def test_a_killed_worker_is_followed_by_another_that_finishes(town: Town, phase: str, number: int) -> None:
    killed = False
    with town.writers() as writers:
        for begin, goal in (("migrate", "WaitForCutoverApproval"), ("", "WaitForAcceptance"), ("roll-back", None)):
            ended = worker(town, begin, phase, 0 if killed else number)
            if ended == -signal.SIGKILL:
                assert not killed
                killed = True
            found = town.run() if _open(town) else {"state": "done", "phase": None}
            assert found.get("phase") == goal, found
            if goal == "WaitForCutoverApproval":
                town.city.everybody_approves()
    assert killed, "the point was never met"
    assert writers.problems == []
    assert len(writers.acknowledged) > 100
    assert missing(town.old, writers.acknowledged) == []
    assert consistent(town.old)
    assert town.source.query("postgres", "SELECT count(*) FROM pg_replication_slots") == "0"


def _open(town: Town) -> bool:
    from govhub.ops.migration.run import open_runs

    with opened("mini", clock=town.city.clock) as record:
        return SYSTEM in open_runs(record)
