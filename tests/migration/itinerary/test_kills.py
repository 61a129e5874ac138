"""SIGKILL at every boundary of a phase and inside of phases: the next run finishes it, and nothing is done twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from govhub.migration.itinerary.itineraries import CANCEL, MIGRATE, REHEARSE, RETIRE, ROLL_BACK, Itinerary
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import Standing, stand
from govhub.migration.record.store import Database, Record
from migration.city import SYSTEM, City

WORKER = Path(__file__).with_name("worker.py")
FACTS = {"files": True}
# What stands before each itinerary can begin, and how the system stands when it is through.
PARTS: dict[str, tuple[Itinerary, Stage | None, bool]] = {
    "rehearse": (REHEARSE, None, False),
    "migrate": (MIGRATE, Stage.ACCEPTED, True),
    "cancel": (CANCEL, Stage.PLANNED, False),
    "roll-back": (ROLL_BACK, Stage.PLANNED, False),
    "retire": (RETIRE, Stage.RETIRED, True),
}
QUICK = (
    ("rehearse", "inside:EnsureFileCopy"),
    ("migrate", "record:phase-finished:EnsureSwitched"),
    ("roll-back", "inside:EnsureReverseDrained"),
    ("retire", "after:EnsureWiped"),
)


def points() -> Iterator[tuple[str, str]]:
    """Every point of every itinerary."""
    for name, (itinerary, _, _) in PARTS.items():
        for phase in itinerary.of(FACTS):
            yield name, f"record:phase-finished:{phase.name}"
            if phase.name.startswith("Ensure"):
                yield name, f"recorded:phase-started:{phase.name}"
        yield name, "record:migration-run-finished:"
        yield name, "recorded:migration-run-started:"
    for name, phase_name in (
        ("rehearse", "EnsureFileCopy"),
        ("rehearse", "EnsureDrained"),
        ("migrate", "EnsureFileCopy"),
        ("migrate", "EnsureWritesStopped"),
        ("migrate", "EnsureDrained"),
        ("migrate", "EnsureSwitched"),
        ("cancel", "EnsureTargetRemoved"),
        ("roll-back", "EnsureTargetWritesStopped"),
        ("roll-back", "EnsureReverseDrained"),
        ("roll-back", "EnsureSwitchedBack"),
        ("retire", "EnsureWiped"),
    ):
        yield name, f"inside:{phase_name}"
        yield name, f"after:{phase_name}"
    # What was applied for is not applied for twice.
    yield "migrate", "after:EnsureApplication"


ALL = [
    pytest.param(*item, marks=() if item in QUICK else pytest.mark.slow, id=f"{item[0]}-{item[1]}")
    for item in dict.fromkeys((*QUICK, *points()))
]


@pytest.mark.parametrize(("itinerary", "point"), ALL)
def test_a_killed_run_is_finished_by_the_next(city: City, itinerary: str, point: str) -> None:
    before = _prepare(city, itinerary)
    # Until it meets its point: gates are opened and time goes on, as it would for a worker that lives.
    killed = False
    for _ in range(4):
        done = worker(city, itinerary if not _runs(city, itinerary) else "", point)
        if killed := done.returncode == -signal.SIGKILL:
            break
        _go_on(city)
    assert killed, "the point was never met"

    while (result := city.run("" if _open(city) else itinerary))["state"] == "waiting":
        _go_on(city)
    assert result["state"] == "done", result
    _proven(city, itinerary, before)


def worker(city: City, itinerary: str, point: str, *, lease: float = 30.0, wait: float = 0.0) -> Any:
    """A worker process; it has ended when this returns."""
    words = [city.hub, SYSTEM, itinerary, point, lease, city.clock().isoformat(), wait]
    command = [sys.executable, str(WORKER), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def chain(city: City) -> Record:
    address = os.environ.get("GOVHUB_DATABASE") or str(Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "record.db")
    return Record(Database(address), "mini", clock=city.clock)


def _standing(city: City) -> Standing:
    record = chain(city)
    try:
        return stand(SYSTEM, record.events(SYSTEM))
    finally:
        record.database.close()


def _runs(city: City, itinerary: str) -> bool:
    return any(run.itinerary == itinerary for run in _standing(city).runs)


def _open(city: City) -> bool:
    return _standing(city).run is not None


def _go_on(city: City) -> None:
    run = _standing(city).run
    assert run is not None
    assert run.waiting is not None, run.failed
    if run.waiting.phase == "WaitForTrialRun":
        city.clock.forward(days=31)
    else:
        city.everybody_approves()


def _prepare(city: City, itinerary: str) -> dict[str, str]:
    """Bring the system to where the itinerary may begin; returns what users must still have at the end."""
    files = {str(path.relative_to(city.source)): path.read_text() for path in city.source.rglob("*.txt")}
    if itinerary in ("rehearse", "migrate"):
        return files
    assert city.run("migrate")["state"] == "waiting"
    if itinerary == "cancel":
        return files
    city.everybody_approves()
    assert city.run()["phase"] == "WaitForTrialRun"
    # Written by users after the switch: a rollback keeps it.
    (city.live.resolve() / "late.txt").write_text("after the cutover\n")
    files["late.txt"] = "after the cutover\n"
    if itinerary == "retire":
        city.clock.forward(days=31)
        city.run()
        city.everybody_approves()
        assert city.run()["state"] == "done"
    return files


def _proven(city: City, itinerary: str, before: dict[str, str]) -> None:
    _, stage, switched = PARTS[itinerary]
    standing = _standing(city)
    assert standing.run is None
    assert (standing.stage, standing.switched) == (stage, switched)
    record = chain(city)
    events = record.events(SYSTEM)
    record.database.close()
    finished = Counter((item.data["run"], item.data["phase"]) for item in events if item.kind == "phase-finished")
    assert set(finished.values()) == {1}, "a phase was entered twice"
    if itinerary != "rehearse":
        assert city.files() == before
        paper = city.target.with_name("papers.applications").read_text().splitlines()
        assert len(paper) == 1, "asked for twice"
    else:
        assert not city.target.exists()
    if itinerary == "retire":
        assert not city.source.exists()
    if itinerary in ("cancel", "roll-back"):
        (city.source / "again.txt").write_text("users write on the source\n")
        assert city.files() == before | {"again.txt": "users write on the source\n"}
    assert not list(city.data.rglob("*.govhub-part"))
    shutil.rmtree(city.data)
