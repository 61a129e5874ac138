"""Runs the machine's own tools for the lab's hosts; every failure says which and why."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from govhub.core.errors import GovhubError, ToolMissing
from govhub.core.files import write_atomic

SECONDS = 600.0
SPAWN_SECONDS = 60.0


def run(*command: str | Path, text: str = "", cwd: Path | None = None, more: Mapping[str, str] | None = None) -> str:
    """Run a tool to its end; returns what it printed.

    Args:
        command: The program and its arguments.
        text: What it reads from its standard input.
        cwd: Where it runs.
        more: Environment variables beside those of this process.

    Raises:
        ToolMissing: there is no such program.
        GovhubError: it failed, or did not end in time.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", **(more or {})}
    try:
        done = subprocess.run(
            words, input=text, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except FileNotFoundError as error:
        raise ToolMissing.one(
            "LAB011",
            f"{words[0]} is not installed",
            hint="Debian: apt-get install systemd-container debootstrap nftables",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise GovhubError.one("LAB012", f"{words[0]} did not end after {SECONDS:.0f} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise GovhubError.one(
            "LAB012", f"`{' '.join(words[:3])}` failed ({done.returncode})", detail="\n".join(said[-6:])
        )
    return done.stdout


def spawn(script: str, folder: Path, name: str) -> None:
    """Start a shell script that outlives this process, in a session of its own.

    Its files are ``NAME.sh``, ``NAME.log`` and ``NAME.pid`` in the folder; a program that the script ends in by
    ``exec`` keeps the process number.
    """
    path, pid = folder / f"{name}.sh", folder / f"{name}.pid"
    write_atomic(path, f"#!/bin/sh\necho $$ >'{pid}.new' && mv '{pid}.new' '{pid}'\n{script}", mode=0o700)
    pid.unlink(missing_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        # Not the file itself: another thread's fork may still hold it open for writing.
        words = [shutil.which("setsid") or "setsid", "--fork", "/bin/sh", str(path)]
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True)
    deadline = time.monotonic() + SPAWN_SECONDS
    while not pid.exists():
        if time.monotonic() > deadline:
            raise GovhubError.one("LAB012", f"{path} does not start", hint=f"look at {folder / name}.log")
        time.sleep(0.005)


def spawned(folder: Path, name: str, mark: bytes) -> int | None:
    """The number of a process started so, while it lives; ``mark`` is part of its command line."""
    with suppress(OSError, ValueError):
        pid = int((folder / f"{name}.pid").read_text())
        if mark in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None
