"""Two runs at once: one works, the other says who is working; a killed run's lock does not block."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govhub.core.exits import Exit
from govhub.engine.lease import current_holder
from govhub.ops.status import status

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def labs(lab_of: Callable[[str], LabHub]) -> dict[str, LabHub]:
    """Both hubs under one home, as on one person's machine."""
    return {name: lab_of(name) for name in ("mini", "twin")}


@pytest.fixture(scope="module")
def hub(labs: dict[str, LabHub]) -> LabHub:
    return labs["mini"]


def until(worker: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    """Read the worker's lines until an event of a kind; a worker that never says it fails the test."""
    seen = []
    for line in worker.stdout or ():
        seen.append(line)
        event: dict[str, Any] = json.loads(line)
        if event.get("event") == kind:
            return event
    worker.communicate()
    pytest.fail(f"the worker ended without {kind}: {seen[-3:]}")


def end(worker: subprocess.Popen[str]) -> dict[str, Any]:
    """What the worker said last."""
    out, _ = worker.communicate(timeout=120)
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    assert worker.returncode == found["exit"]
    return found


def test_two_hubs_at_once_both_work(labs: dict[str, LabHub]) -> None:
    workers = {name: hub.worker("up") for name, hub in labs.items()}
    ended = {name: end(worker) for name, worker in workers.items()}
    assert {name: (item["exit"], item["status"]) for name, item in ended.items()} == {
        "mini": (0, "done"),
        "twin": (0, "done"),
    }
    labs["mini"].assert_converged()
    labs["twin"].assert_converged("main", "edge")


def test_of_two_ups_of_one_hub_the_second_is_told_who_works(hub: LabHub, tmp_path: Path) -> None:
    hub.edit("systems.yaml", "school-enrolment:1.0.0", "school-enrolment:1.1.0")
    go = tmp_path / "go"
    first = hub.worker("up", WORKER_HOLD=f"shard-started={go}", GOVHUB_ACTOR="li.wei")
    until(first, "shard-started")
    before = hub.versions()
    second = end(hub.worker("up", GOVHUB_ACTOR="zhang.min"))
    assert second["exit"] == Exit.LOCKED
    holder = current_holder(hub.session().state)
    assert holder is not None
    assert f"mini is locked by li.wei@{holder.host} (process {first.pid}, up, run {holder.run})" in second["error"]
    assert status(str(hub.folder))["lock"]["actor"] == "li.wei"
    assert hub.versions() == before
    go.touch()
    assert end(first)["status"] == "done"
    assert current_holder(hub.session().state) is None
    hub.assert_converged()


def test_two_ups_that_start_in_the_same_moment_do_not_both_write(hub: LabHub) -> None:
    hub.edit("systems.yaml", "school-enrolment:1.1.0", "school-enrolment:1.2.0")
    workers = [hub.worker("up") for _ in range(3)]
    ended = [end(worker) for worker in workers]
    # The late one may find the work done; what may not happen is that two of them do it.
    assert sum(item["status"] == "done" for item in ended) == 1
    assert all(item["status"] in ("done", "unchanged") or item["exit"] == Exit.LOCKED for item in ended)
    hub.assert_converged()


def test_the_lock_of_a_killed_run_is_taken_over_and_that_is_recorded(hub: LabHub, tmp_path: Path) -> None:
    hub.edit("systems.yaml", "school-enrolment:1.2.0", "school-enrolment:1.3.0")
    worker = hub.worker("up", WORKER_HOLD=f"shard-started={tmp_path / 'never'}", GOVHUB_ACTOR="li.wei")
    until(worker, "shard-started")
    holder = current_holder(hub.session().state)
    assert holder is not None
    worker.kill()
    worker.communicate(timeout=30)
    left = current_holder(hub.session().state)
    assert left is not None, "the killed run's lock should still be there"
    result = hub.up()
    assert result.status == "done", result.problems
    taken = hub.events(result, "lock-taken-over")
    assert [item["data"]["from_run"] for item in taken] == [holder.run]
    assert f"its process {holder.pid} has ended" in taken[0]["data"]["reason"]
    hub.assert_converged()
