"""Fixtures of the policies' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.inventory.loader import Hub
from policies import objects


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """The test hub without exceptions, with all rules at their default levels."""
    return objects.hub(tmp_path / "testcity")
