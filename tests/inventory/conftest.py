"""Fixtures of the inventory's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inventory.hubs import BASE, HubFolder


@pytest.fixture
def base(tmp_path: Path) -> HubFolder:
    """A copy of the base hub."""
    return HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
