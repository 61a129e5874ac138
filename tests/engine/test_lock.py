"""The hub's lock: one run at a time, a lease, a heartbeat, and a way past runs that died."""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.conftest import OpenBucket
from engine.racer import race, worker
from govhub.core.errors import LockHeld
from govhub.engine.bucket import Bucket
from govhub.engine.lease import Holder, HubLock, current_holder
from govhub.engine.state import State

ROUNDS = 24
RIVALS = 4


def holder(**more: Any) -> Holder:
    """A lock of this very process, unless told otherwise."""
    lock = HubLock(State("x", _Nowhere()), "other", "up")
    return replace(Holder(**json.loads(lock._document())), **more)


def put(bucket: Bucket, document: Holder, hub: str = "mini") -> None:
    bucket.put(State(hub, bucket).own("lock.json"), json.dumps(asdict(document)).encode())


def ended_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


class _Nowhere:
    url = shown = ""

    def get(self, key: str) -> bytes | None: ...
    def put(self, key: str, data: bytes) -> None: ...
    def put_new(self, key: str, data: bytes) -> bool:
        return False

    def swap(self, key: str, old: bytes, new: bytes | None) -> bool:
        return False

    def delete(self, key: str) -> None: ...
    def keys(self, prefix: str) -> list[str]:
        return []


def test_a_held_lock_names_its_owner_and_the_way_out(bucket: Bucket) -> None:
    state = State("mini", bucket)
    with HubLock(state, "run-1", "up"):
        with pytest.raises(LockHeld) as caught, HubLock(state, "run-2", "destroy"):
            pytest.fail("both hold the lock")
        found = caught.value.diagnostics[0]
        assert (found.code, int(caught.value.exit)) == ("LCK001", 5)
        for part in ("tester", socket.gethostname(), str(os.getpid()), "up", "run-1"):
            assert part in found.summary
        seen = current_holder(state)
        assert seen is not None
        assert seen.run == "run-1"
    assert current_holder(state) is None


def test_a_lock_is_given_back_when_the_run_fails(bucket: Bucket) -> None:
    state = State("mini", bucket)
    with pytest.raises(RuntimeError), HubLock(state, "run-1", "up"):
        raise RuntimeError
    with HubLock(state, "run-2", "up") as lock:
        assert lock.taken_reason == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"host": "elsewhere", "until": "2020-01-01T00:00:00+00:00"}, "lease ended"),
        ({"boot": "another-boot"}, "rebooted"),
        ({"started": "1"}, "has ended"),
        ({"pid": 0}, "has ended"),
    ],
    ids=["expired on another host", "another boot", "process number used again", "no such process"],
)
def test_a_dead_lock_is_taken_over_with_a_record_of_whose_and_why(
    bucket: Bucket, change: dict[str, Any], why: str
) -> None:
    put(bucket, holder(run="dead-run", **change))
    with HubLock(State("mini", bucket), "run-2", "up") as lock:
        assert lock.taken_over is not None
        assert lock.taken_over.run == "dead-run"
        assert why in lock.taken_reason
    assert bucket.get(".govhub/mini/lock.json") is None


def test_the_lock_of_a_process_that_has_ended_is_taken_over_before_its_lease_ends(bucket: Bucket) -> None:
    put(bucket, holder(pid=ended_process(), started="12345", until=in_seconds(3600)))
    with HubLock(State("mini", bucket), "run-2", "up") as lock:
        assert "has ended" in lock.taken_reason


@pytest.mark.parametrize("change", [{}, {"host": "elsewhere", "pid": 1, "started": "1", "boot": "x"}])
def test_a_lease_that_runs_is_respected_here_and_on_other_hosts(bucket: Bucket, change: dict[str, Any]) -> None:
    put(bucket, holder(until=in_seconds(3600), **change))
    before = bucket.get(".govhub/mini/lock.json")
    with pytest.raises(LockHeld), HubLock(State("mini", bucket), "run-2", "up"):
        pytest.fail("a living lock was taken")
    assert bucket.get(".govhub/mini/lock.json") == before


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        json.dumps(asdict(holder(until="soon"))).encode(),
        json.dumps(asdict(holder(until="2999-01-01T00:00:00"))).encode(),
        json.dumps(asdict(holder(until=7))).encode(),
        json.dumps(asdict(holder(until=None))).encode(),
    ],
)
def test_a_damaged_lock_is_replaced_and_the_record_says_so(bucket: Bucket, document: bytes) -> None:
    bucket.put(".govhub/mini/lock.json", document)
    assert current_holder(State("mini", bucket)) is None
    with HubLock(State("mini", bucket), "run-2", "up") as lock:
        assert lock.taken_over is None
        assert lock.taken_reason == "it cannot be read"
        now = current_holder(State("mini", bucket))
        assert now is not None
        assert now.run == "run-2"


def test_half_a_lock_of_a_torn_disk_is_replaced_too(state: State) -> None:
    state.bucket.put(".govhub/mini/lock.json", b'{"run": "x", "acto\xff')
    with HubLock(state, "run-2", "up") as lock:
        assert lock.taken_reason == "it cannot be read"


def test_the_heartbeat_renews_the_lease_for_longer_than_it_lasts(bucket: Bucket) -> None:
    state = State("mini", bucket)
    with HubLock(state, "run-1", "up", lease=timedelta(seconds=0.6)) as lock:
        first = current_holder(state)
        time.sleep(1.5)
        later = current_holder(state)
        assert first is not None
        assert later is not None
        assert datetime.fromisoformat(later.until) > datetime.fromisoformat(first.until) + timedelta(seconds=0.9)
        assert later.gone(datetime.now(UTC)) == ""
        assert not lock.lost.is_set()
    assert current_holder(state) is None


def test_a_lock_that_somebody_took_is_noticed_told_and_not_given_back_for_them(bucket: Bucket) -> None:
    state, told = State("mini", bucket), threading.Event()
    with HubLock(state, "run-1", "up", lease=timedelta(seconds=0.3)) as lock:
        lock.when_lost(told.set)
        put(bucket, holder(run="thief"))
        assert lock.lost.wait(5)
        assert told.wait(5)
        again: list[int] = []
        lock.when_lost(lambda: again.append(1))
        assert again == [1], "a late listener is told at once"
    now = current_holder(state)
    assert now is not None
    assert now.run == "thief"


def test_release_never_races_with_a_renewal(bucket: Bucket) -> None:
    state = State("mini", bucket)
    for number in range(30):
        with HubLock(state, f"run-{number}", "up", lease=timedelta(milliseconds=30)) as lock:
            time.sleep(0.01 + number / 2000)
        assert not lock.lost.is_set()
        assert current_holder(state) is None, f"round {number}: the lock stayed behind"


def _prepare(bucket: Bucket) -> None:
    """A third of the locks are free, a third expired, a third of a dead process."""
    pid = ended_process()
    for number in range(ROUNDS):
        if number % 3 == 1:
            put(bucket, holder(host="elsewhere", until=in_seconds(-5)), f"race{number}")
        elif number % 3 == 2:
            put(bucket, holder(pid=pid, started="1"), f"race{number}")


def _judge(results: list[tuple[int, bool]]) -> None:
    assert len(results) == ROUNDS * RIVALS
    winners = Counter(number for number, won in results if won)
    assert {number: winners[number] for number in range(ROUNDS) if winners[number] != 1} == {}


def test_of_threads_that_race_exactly_one_holds_the_lock(bucket: Bucket, address: str) -> None:
    _prepare(bucket)
    gate, results = threading.Barrier(RIVALS), queue.SimpleQueue[tuple[int, bool]]()
    rivals = [
        threading.Thread(target=race, args=(address, f"thread-{index}", ROUNDS, gate, results))
        for index in range(RIVALS)
    ]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(120)
    _judge([results.get() for _ in range(results.qsize())])


def test_of_processes_that_race_exactly_one_holds_the_lock(
    bucket: Bucket, address: str, open_again: OpenBucket
) -> None:
    _prepare(bucket)
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(RIVALS), context.Queue()
    rivals = [
        context.Process(target=worker, args=(address, f"process-{index}", ROUNDS, gate, results))
        for index in range(RIVALS)
    ]
    for rival in rivals:
        rival.start()
    found = [results.get(timeout=120) for _ in range(ROUNDS * RIVALS)]
    for rival in rivals:
        rival.join(60)
        assert rival.exitcode == 0
    _judge(found)
    left = [key for key in open_again().keys(".govhub/") if key.endswith("lock.json")]
    assert left == [], "everybody gave the lock back"
