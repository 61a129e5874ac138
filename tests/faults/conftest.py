"""A small hub in a lab of its own for each module, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from govhub.lab.postgres import Server, binaries, running
from live.conftest import lab_of, mini, toolchain

__all__ = ["lab_of", "mini", "postgres_server", "toolchain"]


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running() as server:
        yield server
