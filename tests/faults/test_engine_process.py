"""The engine as a child process: one that hangs, dies, floods, or is told to stop. No cluster is needed."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pulumi.automation.errors import CommandError

from faults.processes import alive, gone
from govhub.core.secrets import REDACTOR, Secret
from govhub.engine import command
from govhub.engine.command import LINE_CHARACTERS, TAIL_LINES, EngineCommand, EngineTimeoutError

HANGS = """
trap '' INT
echo started
sleep 300 &
echo $! >"$PIDS"
sh -c 'trap "" INT TERM; sleep 300' &
echo $! >>"$PIDS"
echo $$ >>"$PIDS"
wait; wait; sleep 300
"""
ENDS_BUT_ITS_CHILD_DOES_NOT = """
sh -c 'trap "" INT TERM HUP; sleep 300' >/dev/null 2>&1 &
echo $! >"$PIDS"
trap 'exit 130' INT
while :; do sleep 0.1; done
"""


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GRACE_SECONDS", 1.0)


def engine(tmp_path: Path, script: str, *, timeout: float = 20.0) -> EngineCommand:
    path = tmp_path / "pulumi"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return EngineCommand(path, "3.259.0", timeout=timeout)


def run(made: EngineCommand, tmp_path: Path, **more: str) -> tuple[str, str]:
    environment = {"PIDS": str(tmp_path / "pids"), **more}
    result = made.run(["up"], str(tmp_path), environment)
    return result.stdout, result.stderr


def pids(tmp_path: Path, count: int) -> list[int]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
        if len(found) == count:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    pytest.fail("the engine never started its children")


def test_an_engine_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(EngineTimeoutError):
        run(engine(tmp_path, HANGS, timeout=1.0), tmp_path)
    assert time.monotonic() - started < 9
    assert gone(pids(tmp_path, 3)), "a process of the engine is left"


def test_a_child_that_outlives_an_engine_that_obeyed_is_ended_too(tmp_path: Path) -> None:
    with pytest.raises(EngineTimeoutError):
        run(engine(tmp_path, ENDS_BUT_ITS_CHILD_DOES_NOT, timeout=1.0), tmp_path)
    assert gone(pids(tmp_path, 1))


def test_a_child_that_an_ended_engine_leaves_behind_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "LINGER_SECONDS", 0.5)
    started = time.monotonic()
    out, _ = run(engine(tmp_path, 'echo done; sleep 300 & echo $! >"$PIDS"; exit 0'), tmp_path)
    assert out == "done"
    assert time.monotonic() - started < 5
    assert gone(pids(tmp_path, 1))


def test_an_engine_that_dies_at_once_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        run(engine(tmp_path, "echo 'error: no such thing' >&2; exit 1"), tmp_path)
    assert "error: no such thing" in str(caught.value)


def test_an_engine_that_is_no_program_is_an_error_of_the_system(tmp_path: Path) -> None:
    made = EngineCommand(tmp_path / "nothing", "3.259.0", timeout=5)
    with pytest.raises((OSError, CommandError)):
        run(made, tmp_path)


FLOODS = {
    "many lines": "yes 0123456789012345678901234567890123456789 | head -c 100000000; echo end",
    "one line": "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo end",
    "one line on stderr": "(head -c 100000000 /dev/zero | tr '\\0' x; echo) >&2; echo end",
    "no text": "head -c 30000000 /dev/urandom; echo; echo end",
}
_MEASURED = """
import resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(":")
from govhub.engine.command import EngineCommand
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
done = EngineCommand(Path(sys.argv[1]), "3.259.0", timeout=100).run(["up"], ".", {})
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown // 1024, len(done.stdout), len(done.stderr), done.stdout.endswith("end"))
"""


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_output_does_not_fill_the_memory(tmp_path: Path, kind: str) -> None:
    made = engine(tmp_path, FLOODS[kind])
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, made.command, ":".join(sys.path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        timeout=120,
    )
    grown, out, err, ended = done.stdout.split()
    assert int(grown) < 60, "MiB"
    assert max(int(out), int(err)) <= TAIL_LINES * LINE_CHARACTERS
    assert ended == "True", "the end is what counts"


def test_output_is_scrubbed_line_by_line_and_handed_on(tmp_path: Path) -> None:
    REDACTOR.add(Secret("process-canary-1"))
    lines: list[str] = []
    made = engine(tmp_path, "echo the process-canary-1; echo 'an process-canary-1' >&2")
    result = made.run(["up"], str(tmp_path), {}, on_output=lines.append, on_error=lines.append)
    assert (result.stdout, result.stderr) == ("the [secret]", "an [secret]")
    assert sorted(lines) == ["an [secret]", "the [secret]"]


def test_interrupt_asks_the_engine_and_kill_ends_it(tmp_path: Path) -> None:
    made = engine(tmp_path, 'trap "echo asked; exit 3" INT\necho $$ >"$PIDS"\nwhile :; do sleep 0.05; done')

    def ask() -> None:
        pids(tmp_path, 1)
        time.sleep(0.2)
        made.interrupt()

    timer = threading.Thread(target=ask)
    timer.start()
    with pytest.raises(CommandError) as caught:
        run(made, tmp_path)
    timer.join()
    assert "asked" in str(caught.value)

    (tmp_path / "pids").unlink()
    deaf = engine(tmp_path, 'trap "" INT TERM\necho $$ >"$PIDS"\nsleep 300')

    def insist() -> None:
        pids(tmp_path, 1)
        deaf.interrupt()
        time.sleep(0.2)
        deaf.kill()

    timer = threading.Thread(target=insist)
    timer.start()
    with pytest.raises(CommandError):
        run(deaf, tmp_path)
    timer.join()
    assert gone(pids(tmp_path, 1))


def test_a_stop_between_two_commands_is_not_forgotten(tmp_path: Path) -> None:
    made = engine(tmp_path, "sleep 300")
    made.kill()
    started = time.monotonic()
    with pytest.raises(CommandError):
        run(made, tmp_path)
    assert time.monotonic() - started < 5


def test_the_engine_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    made = engine(tmp_path, 'echo $$ >"$PIDS"\nexec sleep 300')
    script = (
        "import sys\nfrom pathlib import Path\nsys.path[:0] = sys.argv[2].split(':')\n"
        "from govhub.engine.command import EngineCommand\n"
        "EngineCommand(Path(sys.argv[1]), '3.259.0', timeout=100).run(['up'], '.', {})\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, made.command, ":".join(sys.path)],
        env=os.environ | {"PIDS": str(tmp_path / "pids")},
        cwd=tmp_path,
    )
    (child,) = pids(tmp_path, 1)
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone([child])


def test_the_measured_memory_is_that_of_this_kind_of_machine() -> None:
    """ru_maxrss counts KiB on Linux; on another system the flood's limit would mean something else."""
    assert sys.platform == "linux"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 10_000
