"""SIGKILL of the worker of a MariaDB move in the middle of a phase; the next one finishes, and no commit is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from govhub.lab.mariadb import binaries
from govhub.ops.migration.records import opened
from govhub.ops.migration.run import open_runs
from migration.city import SYSTEM
from migration.story.offices import Office, consistent, missing, said

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(binaries() is None, reason="MariaDB is not installed")]
WORKER = Path(__file__).with_name("worker.py")
# The switch is where a row could be lost; each story is a whole migration with its way back.
QUICK = (("EnsureSwitched", 12),)
POINTS = [
    pytest.param(phase, number, marks=() if (phase, number) in QUICK else pytest.mark.slow, id=f"{phase}-{number}")
    for phase, numbers in {
        "EnsureTarget": (4, 12),
        "EnsureDatabaseCopy": (6, 12),
        "EnsureWritesStopped": (4, 9),
        "EnsureDrained": (5,),
        "EnsureSwitched": (4, 8, 12, 20),
        "EnsureReverseReplication": (6,),
        "EnsureTargetWritesStopped": (6,),
        "EnsureReverseDrained": (4,),
        "EnsureSwitchedBack": (4, 8, 12),
        "EnsureReplicationRemoved": (5,),
    }.items()
    for number in numbers
]


def worker(office: Office, itinerary: str, phase: str, number: int) -> int:
    words = [office.city.hub, SYSTEM, itinerary, phase, number, office.city.clock().isoformat()]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, str(WORKER), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-2000:]
    return done.returncode


@pytest.mark.parametrize(("phase", "number"), POINTS)
def test_a_killed_worker_is_followed_by_another_that_finishes(office: Office, phase: str, number: int) -> None:
    killed = False
    with office.writers() as writers:
        for begin, goal in (("migrate", "WaitForCutoverApproval"), ("", "WaitForAcceptance"), ("roll-back", None)):
            ended = worker(office, begin, phase, 0 if killed else number)
            if ended == -signal.SIGKILL:
                assert not killed
                killed = True
            with opened("mini", clock=office.city.clock) as record:
                is_open = SYSTEM in open_runs(record)
            found = office.run() if is_open else {"state": "done", "phase": None}
            assert found.get("phase") == goal, (found["reason"], office.differing())
            if goal == "WaitForCutoverApproval":
                office.city.everybody_approves()
    assert killed, "the point was never met"
    assert writers.problems == []
    assert len(writers.acknowledged) > 50
    assert missing(office.source, writers.acknowledged) == []
    assert consistent(office.source)
    assert said(office.source, "SHOW ALL SLAVES STATUS") == []
    assert not office.there(office.target)
