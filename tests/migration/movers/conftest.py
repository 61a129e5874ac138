"""One pair of servers for all tests that leave them running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from govhub.lab.postgres import binaries
from migration.movers.pairs import Pair, pair


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with pair(tmp_path_factory.mktemp("pair")) as both:
        yield both


@pytest.fixture(autouse=True)
def _left_clean(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "servers" in request.fixturenames:
        request.getfixturevalue("servers").clear()
