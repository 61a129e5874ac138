"""A small hub in a lab of its own for each module, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.postgres import Server, running
from live.conftest import lab_of, mini, toolchain

__all__ = ["lab_of", "mini", "postgres_server", "toolchain"]


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Server]:
    with running() as server:
        yield server
