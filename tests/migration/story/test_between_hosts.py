"""File trees between two hosts behind real SSH: nothing of a key, a process or a note stays on either."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from govhub.core.settings import connections_file
from govhub.migration.movers.files.relay import allowed
from govhub.ops.migration.records import opened
from govhub.ops.migration.run import open_runs
from migration.city import PEOPLE, SYSTEM, City
from migration.story.doors import Door, door, sshd

pytestmark = pytest.mark.skipif(
    sshd() is None or shutil.which("rsync") is None, reason="neither sshd nor the lab's tree, or no rsync"
)
OLD, NEW = "127.0.0.3", "127.0.0.4"
WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def behind() -> Iterator[Door]:
    with door(OLD, NEW) as found:
        yield found


@dataclass
class Shelf:
    """The hub, and both folders."""

    city: City
    old: Path
    new: Path

    def run(self, itinerary: str = "", wait: float = 90) -> dict[str, Any]:
        found = self.city.run(itinerary, wait=0)
        while found["state"] == "waiting" and found["look_again_in"] <= 5 and wait > 0:
            found, wait = self.city.run(wait=2), wait - 2
        return found

    def to_acceptance(self) -> None:
        parked = self.run("migrate")
        assert parked["phase"] == "WaitForCutoverApproval", parked["reason"]
        self.city.everybody_approves()
        trial = self.run()
        assert trial["phase"] == "WaitForAcceptance", trial["reason"]

    def evidence(self, phase: str) -> dict[str, Any]:
        with opened("mini", clock=self.city.clock) as record:
            events = record.events(SYSTEM)
        found = [item for item in events if item.kind == "phase-finished" and item.data["phase"] == phase]
        return dict(found[-1].data["evidence"]["papers"])


@pytest.fixture
def shelf(city: City, behind: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    # The port alone is ours: it is no part of how hosts are reached.
    (bin_ / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -p {behind.port} "$@"\n')
    (bin_ / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    found = Shelf(city, tmp_path / "srv-old" / "papers", tmp_path / "srv" / "new" / "papers")
    for number in range(6):
        (found.old / f"2026/{number:02}").mkdir(parents=True)
        (found.old / f"2026/{number:02}/form 局.txt").write_text(f"applicant {number}\n" * 500)
    (found.old / "index.txt").write_text("6 forms\n")
    (found.old / "index.txt").chmod(0o640)
    (found.old / "link").symlink_to("index.txt")
    people = "".join(
        f"    - {{name: {name}, party: {party}, {of}key: {city.public(name)}}}\n"
        for name, (party, tenant) in PEOPLE.items()
        for of in (f"tenant: {tenant}, " if tenant else "",)
    )
    (city.hub / "migration.yaml").write_text(
        f"migration:\n  trial_days: 0\n  write_pause_seconds: 90\n  approvers:\n{people}"
        "sources:\n  - {name: old-server, tenant: education, lab: true}\n"
        f"migrations:\n  - system: {SYSTEM}\n"
        "    window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}\n"
        f"    moves:\n      - {{name: papers, kind: files, source: old-server, path: {found.old}, "
        f"to: node1, to_path: {found.new}}}\n"
    )
    file = connections_file("mini")
    file.parent.mkdir(parents=True, exist_ok=True)
    hosts = {"old-server": asdict(behind.reach(OLD)), "node1": asdict(behind.reach(NEW))}
    file.write_text(json.dumps({"hosts": hosts, "variables": {}, "networks": {}}))
    return found


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (path.lstat().st_mode, b"" if path.is_symlink() else path.read_bytes())
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_a_tree_is_moved_to_another_host_accepted_and_its_source_retired(shelf: Shelf) -> None:
    before = tree(shelf.old)
    shelf.to_acceptance()
    assert tree(shelf.new) == before
    verified = shelf.evidence("EnsureFinalVerification")
    assert (verified["verdict"], verified["coverage"]["files_with_digest"]) == ("pass", 7)
    assert shelf.evidence("EnsureSwitched")["pause_seconds"] > 0
    (shelf.new / "later.txt").write_text("written on the new host")
    shelf.city.everybody_approves()
    assert shelf.run()["state"] == "done"
    assert shelf.run("retire")["phase"] == "WaitForRetirementApproval"
    shelf.city.everybody_approves()
    # Who was not led to the new host is found before anything is removed.
    (shelf.old / "stray.txt").write_text("by somebody who was not led to the new host")
    failed = shelf.run()
    assert (failed["state"], failed["phase"]) == ("failed", "EnsureArchive")
    assert "MOV205" in failed["reason"]
    (shelf.old / "stray.txt").rename(shelf.old.parent / "stray.txt")
    done = shelf.run()
    assert done["state"] == "done", done["reason"]
    assert not shelf.old.exists()
    assert tree(shelf.new).keys() == before.keys() | {"later.txt"}
    assert [item.name for item in shelf.new.parent.iterdir()] == ["papers"]
    with tarfile.open(shelf.evidence("EnsureArchive")["archive"]) as found:
        assert "./2026/03/form 局.txt" in found.getnames()


@pytest.mark.slow
def test_a_rollback_brings_back_what_was_written_and_refuses_to_lose_what_was_written_behind_it(shelf: Shelf) -> None:
    shelf.to_acceptance()
    (shelf.new / "later.txt").write_text("written on the new host")
    (shelf.new / "index.txt").unlink()
    (shelf.old / "stray.txt").write_text("by somebody who was not led to the new host")
    failed = shelf.run("roll-back")
    assert (failed["state"], failed["phase"]) == ("failed", "EnsureReverseDrained")
    assert "MOV205" in failed["reason"]
    assert (shelf.old / "stray.txt").exists()
    (shelf.old / "stray.txt").rename(shelf.old.parent / "stray.txt")
    done = shelf.run()
    assert done["state"] == "done", done["reason"]
    assert (shelf.old / "later.txt").read_text() == "written on the new host"
    assert not (shelf.old / "index.txt").exists()
    assert not shelf.new.exists()
    assert list(shelf.new.parent.iterdir()) == []


@pytest.mark.slow
def test_whoever_still_writes_is_found_and_let_in_again(shelf: Shelf) -> None:
    assert shelf.run("migrate")["phase"] == "WaitForCutoverApproval"
    shelf.city.everybody_approves()
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.01):
            (shelf.old / "log.txt").write_text("x" * (number := number + 1))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        failed = shelf.run()
    finally:
        stop.set()
        writer.join()
    assert (failed["state"], failed["phase"]) == ("failed", "EnsureDrained"), failed["reason"]
    assert "MOV203" in failed["reason"]
    assert "let in again" in failed["reason"]
    assert shelf.run()["phase"] == "WaitForAcceptance"
    assert tree(shelf.new) == tree(shelf.old)


def test_a_rehearsal_and_a_cancelled_move_leave_nothing(shelf: Shelf) -> None:
    before = tree(shelf.old)
    assert shelf.run("rehearse")["state"] == "done"
    assert shelf.run("migrate")["phase"] == "WaitForCutoverApproval"
    assert shelf.run("cancel")["state"] == "done"
    assert tree(shelf.old) == before
    assert list(shelf.new.parent.iterdir()) == []


def test_the_host_that_is_not_ours_runs_nothing_but_rsyncs_server_for_the_folder() -> None:
    wanted = ["rsync", "--server", "--sender", "-logDtprHAXSe.iLsfxCIvu", "--partial-dir", ".x", ".", "/srv/papers/"]
    assert allowed(wanted, "/srv/papers/")
    assert not allowed(wanted, "/srv/other/")
    for words in (
        ["sh", "-c", "id"],
        ["rsync", "--server"],
        [*wanted[:-2], "--log-file=/etc/cron.d/x", ".", "/srv/papers/"],
        [*wanted[:-2], "$(id)", ".", "/srv/papers/"],
        [*wanted[:-1], "/etc/", ".", "/srv/papers/"],
    ):
        assert not allowed(words, "/srv/papers/"), words


# Each story is a whole migration with its way back.
QUICK = (("EnsureReverseDrained", 5),)
POINTS = [
    pytest.param(phase, number, marks=() if (phase, number) in QUICK else pytest.mark.slow, id=f"{phase}-{number}")
    for phase, numbers in {
        "EnsureTarget": (5, 9),
        "EnsureFileCopy": (4, 8, 14),
        "EnsureDrained": (4, 6),
        "EnsureFinalVerification": (2,),
        "EnsureSwitched": (3, 4, 5),
        "EnsureReverseDrained": (3, 4, 5),
        "EnsureSwitchedBack": (2,),
        "EnsureServiceTest": (3,),
    }.items()
    for number in numbers
]


@pytest.mark.parametrize(("phase", "number"), POINTS)
def test_a_killed_worker_is_followed_by_another_that_finishes(shelf: Shelf, phase: str, number: int) -> None:
    before, killed = tree(shelf.old), False
    for begin, goal in (("migrate", "WaitForCutoverApproval"), ("", "WaitForAcceptance"), ("roll-back", None)):
        words = [shelf.city.hub, SYSTEM, begin, phase, 0 if killed else number, shelf.city.clock().isoformat()]
        environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
        command = [sys.executable, str(WORKER), *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-2000:]
        killed |= done.returncode != 0
        with opened("mini", clock=shelf.city.clock) as record:
            is_open = SYSTEM in open_runs(record)
        found = shelf.run() if is_open else {"state": "done", "phase": None}
        assert found.get("phase") == goal, found["reason"]
        if goal == "WaitForCutoverApproval":
            shelf.city.everybody_approves()
        elif goal == "WaitForAcceptance":
            assert tree(shelf.new) == before
            (shelf.new / "later.txt").write_text("written on the new host")
    assert killed, "the point was never met"
    assert (shelf.old / "later.txt").read_text() == "written on the new host"
    assert tree(shelf.old).keys() == before.keys() | {"later.txt"}
    assert list(shelf.new.parent.iterdir()) == []
