"""A full disk and Ctrl-C: a clear end, nothing lost, and the next run is fine."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from faults.cli import command, environment, govhub
from govhub.core.events import first_broken_link
from govhub.engine.lease import current_holder
from govhub.ops.runs import runs_folder

if TYPE_CHECKING:
    from govhub.core.events import Event
    from live.conftest import LabHub

pytestmark = pytest.mark.engine
KIB = 1024


@pytest.fixture(scope="module")
def disk(mini: LabHub) -> Iterator[Path]:
    """A small disk under the hub's state, key and run folders."""
    folder = mini.home / "hubs"
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "govhub-test", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fill the disk up to ``leave`` bytes."""
    path = disk / "filler"
    free = os.statvfs(disk)
    with path.open("wb") as file:
        file.write(b"\0" * max(free.f_bavail * free.f_frsize - leave, 0))
    return path


def twist(hub: LabHub, number: int) -> None:
    """A change in several layers, new each time: a quota, and what the systems run."""
    path = hub.folder / "systems.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f":1.0.{number}", f":1.0.{number + 1}"), encoding="utf-8")


ROOM = [0, 8, 96, 400]


@pytest.mark.parametrize("kib", ROOM)
def test_a_full_disk_ends_a_run_with_one_message_and_loses_nothing(mini: LabHub, disk: Path, kib: int) -> None:
    number = ROOM.index(kib)
    if number:
        twist(mini, number - 1)
    filler = fill(disk, kib * KIB)
    done = govhub("up", str(mini.folder), "--yes", "--wait", "0")
    full = done.returncode != 0
    if full:
        assert done.returncode == 1
        assert any(word in done.stdout + done.stderr for word in ("GOV003", "disk is full", "no space left")), (
            done.stderr
        )
    else:
        assert kib > 48, "a run needs some room: this disk was not full at all"
    filler.unlink()
    assert current_holder(mini.session().state) is None, "the lock was given back"
    result = mini.up(wait=0)
    assert result.status in (("done", "unchanged") if number else ("done",)), result.problems
    assert result.problems == []
    mini.assert_converged()
    assert mini.up(wait=0).status == "unchanged"


def test_a_plan_that_cannot_be_saved_leaves_no_half_file(mini: LabHub, disk: Path) -> None:
    assert mini.up(wait=0).status in ("done", "unchanged")
    twist(mini, 3)
    target = disk / "plan.json"
    target.write_text("the plan of before")
    filler = fill(disk, 0)
    done = govhub("plan", str(mini.folder), "--out", str(target))
    assert done.returncode == 1
    assert "GOV003" in done.stderr
    assert target.read_text() == "the plan of before"
    filler.unlink()
    assert [path.name for path in disk.iterdir() if path.name.startswith(".")] == []
    assert govhub("plan", str(mini.folder), "--out", str(target)).returncode == 0
    assert govhub("up", str(mini.folder), "--yes", "--plan", str(target), "--wait", "0").returncode == 0
    mini.assert_converged()


def test_a_limit_on_file_sizes_ends_a_run_with_a_message_too(mini: LabHub) -> None:
    """Without root there is no small disk; a quota on file sizes makes the same writes fail."""
    mini.up(wait=0)
    twist(mini, 4)
    done = subprocess.run(
        command("up", str(mini.folder), "--yes", "--wait", "0"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2 * KIB, 2 * KIB)),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "GOV004" in done.stderr
    mini.up(wait=0)
    mini.assert_converged()


def started(hub: LabHub, *, event: str = "shard-started", stack: str = "") -> subprocess.Popen[str]:
    """An ``up`` that has come as far as this event."""
    before = set(runs_folder("mini").iterdir()) if runs_folder("mini").exists() else set()
    process = subprocess.Popen(
        command("up", str(hub.folder), "--yes", "--wait", "0"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        new = set(runs_folder("mini").iterdir()) - before if runs_folder("mini").exists() else set()
        for folder in new:
            path = folder / "events.ndjson"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            if any(f'"kind":"{event}"' in line and stack in line for line in lines):
                return process
        time.sleep(0.02)
    out, err = process.communicate(timeout=10)
    pytest.fail(f"the run never got there: {out}{err}")


def ended(process: subprocess.Popen[str], seconds: float) -> tuple[float, str]:
    """Seconds until the end, and what was printed."""
    begin = time.monotonic()
    out, err = process.communicate(timeout=seconds)
    assert "Traceback" not in out + err
    assert "GOV001" not in out + err
    return time.monotonic() - begin, out + err


def last_run() -> tuple[str, Path]:
    folder = max(runs_folder("mini").iterdir())
    document = folder / "result.json"
    return (json.loads(document.read_text())["status"] if document.exists() else "none"), folder


def again(hub: LabHub) -> None:
    """The next run converges, and nothing of the stopped one is left."""
    assert hub.no_engines_within(5) == []
    assert current_holder(hub.session().state) is None
    assert first_broken_link(last_run()[1] / "events.ndjson") is None
    result = hub.up(wait=0)
    assert result.status in ("done", "unchanged"), result.problems
    assert result.problems == []
    hub.assert_converged()


def cleared(hub: LabHub) -> None:
    assert hub.destroy().status in ("done", "unchanged")
    assert hub.live() == {}


def test_one_interrupt_stops_after_what_is_being_done(mini: LabHub) -> None:
    cleared(mini)
    process = started(mini, stack="/tenants/")
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    seconds, text = ended(process, 60)
    assert process.returncode == 130, text
    assert seconds < 30
    assert "interrupt" in text.lower()
    assert last_run()[0] == "interrupted"
    again(mini)


def test_two_interrupts_end_it_now(mini: LabHub) -> None:
    cleared(mini)
    process = started(mini, stack="/systems/")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.15)
    process.send_signal(signal.SIGINT)
    seconds, text = ended(process, 60)
    assert process.returncode == 130, text
    assert seconds < 10
    again(mini)


def test_an_interrupt_before_the_engines_start_writes_nothing(mini: LabHub) -> None:
    twist(mini, 5)
    documents = mini.documents()
    process = started(mini, event="run-started")
    process.send_signal(signal.SIGINT)
    _, text = ended(process, 60)
    assert process.returncode == 130, text
    assert mini.documents() == documents
    again(mini)


def test_an_engine_that_is_killed_half_way_stops_the_layers_above_it(mini: LabHub) -> None:
    """They would wait for what it has left undone; nothing is lost, and the next run goes on."""
    cleared(mini)

    def kill(event: Event) -> None:
        if event.kind == "step" and "/tenants/" in event.data["shard"]:
            for pid, name in mini.engines():
                if name == "pulumi":
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    result = mini.up(listener=kill, wait=0)
    assert result.status == "failed"
    untried = {job.shard.stack: job.reason for job in result.jobs if job.status == "not tried"}
    assert untried == dict.fromkeys(("services", "systems", "monitoring"), "the engine of tenants ended half-way")
    again(mini)
