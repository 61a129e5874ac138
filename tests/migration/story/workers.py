"""Workers in processes of their own, and what is known of a run between two of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from govhub.migration.record.standing import RunStanding, stand
from govhub.ops.migration.records import opened
from migration.city import SYSTEM
from migration.story.towns import Town

WORKER = Path(__file__).with_name("worker.py")


def start(town: Town, itinerary: str, phase: str, number: int, **settings: str) -> subprocess.Popen[str]:
    """A worker; ``settings`` are for its environment."""
    words = [town.city.hub, SYSTEM, itinerary, phase, number, town.city.clock().isoformat()]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)} | settings
    command = [sys.executable, str(WORKER), *map(str, words)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed(town: Town, itinerary: str, phase: str, number: int, **settings: str) -> bool:
    """Whether a worker came to its point; else it came to the end of what there was to do."""
    worker = start(town, itinerary, phase, number, **settings)
    _, errors = worker.communicate(timeout=240)
    assert worker.returncode in {0, -signal.SIGKILL}, errors[-2000:]
    return worker.returncode == -signal.SIGKILL


def open_run(town: Town) -> RunStanding | None:
    """The run that is open, as the record has it."""
    with opened("mini", clock=town.city.clock) as record:
        return stand(SYSTEM, record.events(SYSTEM)).run


def on_the_target(town: Town) -> bool:
    """Where users are, as the record has it."""
    with opened("mini", clock=town.city.clock) as record:
        return stand(SYSTEM, record.events(SYSTEM)).switched
