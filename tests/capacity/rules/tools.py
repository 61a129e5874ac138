"""The real promtool, amtool, Prometheus and Alertmanager, and a hub's generated files."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from govhub.monitoring.columns import Columns
from govhub.monitoring.rules.files import alert_files, rule_files
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.scope import Scope, scope_of
from govhub.monitoring.rules.texts import Texts
from govhub.ops.capacity.places import columns_of

INVENTORIES = Path(__file__).parents[3] / "inventories"


def tool(name: str) -> str:
    """The path of a program; the test is skipped without it."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed (Debian: prometheus, prometheus-alertmanager)")
    return found


def run(*words: str | Path) -> tuple[int, str]:
    """Exit code and all output of a tool."""
    name, *rest = words
    done = subprocess.run([tool(str(name)), *map(str, rest)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def hub_columns(name: str) -> Columns:
    return columns_of(str(INVENTORIES / name))


def hub_scope(name: str) -> Scope:
    return scope_of(hub_columns(name))


def all_files(scope: Scope, language: str = "en") -> dict[str, str]:
    """All rules and tests of a hub."""
    return rule_files(scope) | alert_files(scope, Limits(), Texts(language))


def lay(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(*words: str | Path, ready: str, log: Path) -> Iterator[None]:
    """A server, from the moment that ``ready`` answers until the end of the block."""
    name, *rest = words
    with log.open("wb") as out:
        process = subprocess.Popen([tool(str(name)), *map(str, rest)], stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: _answers(ready) or process.poll() is not None, 20)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait(10)


def until(holds: Callable[[], object], seconds: float) -> None:
    """Wait for it.

    Raises:
        AssertionError: it did not come to hold.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
