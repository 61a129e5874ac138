"""Fixtures of the command line's tests: a machine without habits, and use cases that are data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from govhub.cli import i18n
from govhub.cli.main import main

_HABITS = ("NO_COLOR", "FORCE_COLOR", "TERM", "GOVHUB_LANG", "GOVHUB_DEBUG", "LC_ALL", "LC_MESSAGES", "CI")
Fake = Callable[..., None]


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _HABITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(sys, "argv", ["govhub"])
    i18n.use("en")


@pytest.fixture
def ops(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put functions in the place of a use case: ``ops("plan", make_plan=...)``."""

    def fake(name: str, **functions: Any) -> None:
        module = ModuleType(f"govhub.ops.{name}")
        for key, function in functions.items():
            setattr(module, key, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return fake


Result = tuple[int, str, str]


@pytest.fixture
def govhub(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line: exit code, stdout, stderr."""

    def run(*words: str) -> Result:
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return run
