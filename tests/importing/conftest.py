"""Fixtures of the importers' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.inventory.scaffold import init_hub
from importing.sheets import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A small valid hub and a place for sheets."""
    init_hub(tmp_path / "testcity", "testcity")
    return Desk(tmp_path)
