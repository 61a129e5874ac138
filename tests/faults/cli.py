"""The command line in a process of its own, as people and pipelines start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

Done = subprocess.CompletedProcess[str]


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "govhub.cli", *args]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GOVHUB_LANG": "en", **(more or {})}


def govhub(*args: str, env: Mapping[str, str] | None = None, seconds: float = 120) -> Done:
    """Run to the end; the result is checked for what no command may ever print."""
    done = subprocess.run(
        command(*args),
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert "GOV001" not in done.stdout + done.stderr, done.stderr
    return done
