"""Two servers for all stories of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from govhub.lab.postgres import Server, binaries, running
from migration.city import City
from migration.movers.pairs import SETTINGS
from migration.story.clearing import town_of
from migration.story.towns import Town


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Server, Server]]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with running(*SETTINGS) as source, running(*SETTINGS) as target:
        yield source, target


@pytest.fixture
def town(city: City, two: tuple[Server, Server]) -> Iterator[Town]:
    with town_of(city, two) as found:
        yield found
