"""Two servers for all stories of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from govhub.lab import mariadb
from govhub.lab.postgres import Server, binaries, running
from migration.city import City
from migration.movers.pairs import SETTINGS
from migration.story.clearing import town_of
from migration.story.offices import Office
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


@pytest.fixture(scope="module")
def mariadbs() -> Iterator[tuple[mariadb.Server, mariadb.Server]]:
    # The second address is what some stories know the source by.
    with (
        mariadb.running("--bind-address=127.0.0.1,127.0.0.2") as source,
        mariadb.running("--server-id=2") as target,
    ):
        yield source, target


@pytest.fixture
def office(city: City, mariadbs: tuple[mariadb.Server, mariadb.Server]) -> Iterator[Office]:
    found = Office(city, *mariadbs)
    found.begin()
    yield found
    found.clear()
