"""Fixtures of the migration's tests: a hub whose systems move between folders, people with keys, and a clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration.city import City, make_city


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_ACTOR", "operator")
    monkeypatch.delenv("GOVHUB_DATABASE", raising=False)
    return make_city(tmp_path)
