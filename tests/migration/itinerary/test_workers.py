"""Several workers on PostgreSQL: one is killed in a phase, the other one finishes, and nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from govhub.core.errors import GovhubError, LockHeld
from govhub.core.events import Event
from govhub.lab.postgres import Server, binaries, running
from govhub.migration.record.lease import Lease, new_owner
from migration.city import SYSTEM, City
from migration.itinerary.test_kills import WORKER, chain


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running() as found:
        yield found


@pytest.fixture
def shared(city: City, server: Server, monkeypatch: pytest.MonkeyPatch) -> City:
    """The city with its record in PostgreSQL."""
    address = server.database("record")
    monkeypatch.setenv("GOVHUB_DATABASE", address.replace("postgres://", "postgresql://"))
    return city


def start(city: City, itinerary: str, point: str, *, wait: float) -> subprocess.Popen[str]:
    words = [city.hub, SYSTEM, itinerary, point, 3.0, city.clock().isoformat(), wait]
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, words)],
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def events_of(city: City) -> list[Event]:
    record = chain(city)
    try:
        return record.events(SYSTEM)
    finally:
        record.database.close()


@pytest.mark.postgres
def test_a_worker_that_is_killed_in_a_phase_is_taken_over_by_another(
    shared: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "hanging"
    monkeypatch.setenv("HANGING", str(hanging))
    first = start(shared, "migrate", "hang:EnsureFileCopy", wait=0)
    _until(hanging.exists, 60)
    # The second one is there while the first one lives: it waits, and does not touch the system.
    second = start(shared, "migrate", "-", wait=25)
    time.sleep(4)
    assert second.poll() is None
    assert not any(item.kind == "lease-taken-over" for item in events_of(shared))
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert '"phase": "WaitForCutoverApproval"' in out
    shared.everybody_approves()
    assert shared.run()["phase"] == "WaitForTrialRun"

    events = events_of(shared)
    taken = [item for item in events if item.kind == "lease-taken-over"]
    assert [item.data["from"]["pid"] for item in taken] == [first.pid]
    finished = [item.data["phase"] for item in events if item.kind == "phase-finished"]
    assert len(finished) == len(set(finished))
    started = [item.data["phase"] for item in events if item.kind == "phase-started"]
    assert started.count("EnsureFileCopy") == 1, "the attempt was gone on with, not begun anew"
    assert len(shared.target.with_name("papers.applications").read_text().splitlines()) == 1
    assert shared.live.resolve() == shared.target.resolve()


@pytest.mark.postgres
def test_a_worker_that_stood_still_cannot_write_over_its_successor(shared: City) -> None:
    record, other = chain(shared), chain(shared)
    mine, theirs = new_owner(), new_owner()
    with Lease(record, SYSTEM, mine, seconds=600):
        with pytest.raises(LockHeld), Lease(other, SYSTEM, theirs):
            pass
        # As if this process had been stopped for longer than its lease.
        with record.database.transaction() as link:
            link.execute(sa.text("UPDATE govhub_leases SET until = 0"))
        with Lease(other, SYSTEM, theirs) as taken:
            assert taken.taken_from is not None
            with pytest.raises(GovhubError, match="taken"):
                record.append("phase-finished", SYSTEM, {}, key="late", owner=mine)
            other.append("phase-finished", SYSTEM, {}, key="right", owner=theirs)
    assert [item.data["key"] for item in record.events(SYSTEM)] == ["right"]
    record.database.close()
    other.database.close()


def _until(true: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    assert callable(true)
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.5)
