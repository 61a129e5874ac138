"""Nothing of a command outlives it, or whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from govhub.hosts import leash

LEASH = [sys.executable, "-I", leash.__file__, str(os.getpid())]
# A child in a session of its own, as Mitogen's brokers are, that would go on for a minute.
STRAY = "setsid sh -c 'echo $$ >stray; exec sleep 60' & while [ ! -s stray ]; do sleep 0.01; done; "


def gone(path: Path, seconds: float = 5.0) -> bool:
    pid = int(path.read_text())
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(0.02)
    return True


def written(path: Path, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return path.exists()


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_commands_and_its_strays_end_with_it(tmp_path: Path, code: int) -> None:
    done = subprocess.run([*LEASH, "sh", "-c", f"{STRAY} exit {code}"], cwd=tmp_path, check=False, timeout=20)
    assert done.returncode == code
    assert gone(tmp_path / "stray")


def test_a_killed_command_gives_the_signals_number(tmp_path: Path) -> None:
    done = subprocess.run([*LEASH, "sh", "-c", "kill -9 $$"], cwd=tmp_path, check=False, timeout=20)
    assert done.returncode == 128 + signal.SIGKILL


def test_all_ends_when_the_leash_itself_is_killed(tmp_path: Path) -> None:
    process = subprocess.Popen([*LEASH, "sh", "-c", f"{STRAY} sleep 60"], cwd=tmp_path)
    assert written(tmp_path / "stray")
    process.kill()
    process.wait(timeout=10)
    assert gone(tmp_path / "stray")


def test_all_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    words = [*LEASH[:3], "PARENT", "sh", "-c", f"{STRAY} sleep 60"]
    starter = f"import os, subprocess; subprocess.run([str(os.getpid()) if w == 'PARENT' else w for w in {words!r}])"
    process = subprocess.Popen([sys.executable, "-c", starter], cwd=tmp_path)
    assert written(tmp_path / "stray")
    process.kill()
    process.wait(timeout=10)
    assert gone(tmp_path / "stray")


def test_nothing_begins_when_whoever_started_it_is_gone_already(tmp_path: Path) -> None:
    words = [*LEASH[:3], "1", "touch", str(tmp_path / "begun")]
    done = subprocess.run(words, check=False, timeout=20)
    assert done.returncode == 128 + signal.SIGKILL
    assert not (tmp_path / "begun").exists()
