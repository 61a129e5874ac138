"""Fixtures of the engine side's tests: buckets of both kinds, and the small hub as a graph."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from govhub.core.settings import Env
from govhub.engine.bucket import Bucket, FolderBucket, open_bucket
from govhub.engine.state import State
from govhub.inventory.loader import Hub, load
from govhub.lab.postgres import Server, binaries, running
from govhub.stacks.graph import Graph
from govhub.stacks.render import render

MINI = Path(__file__).parents[1] / "hubs" / "mini"
_numbers = itertools.count()
OpenBucket = Callable[[], Bucket]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running() as server:
        yield server


@pytest.fixture(params=["folder", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty bucket, of both kinds."""
    if request.param == "folder":
        return str(tmp_path / "state")
    server: Server = request.getfixturevalue("postgres_server")
    return server.database(f"bucket{next(_numbers)}")


@pytest.fixture
def open_again(address: str) -> OpenBucket:
    """Opens the same bucket anew, as another process would."""
    return lambda: open_bucket(address)


@pytest.fixture
def bucket(open_again: OpenBucket) -> Bucket:
    return open_again()


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A state in a folder."""
    return State("mini", FolderBucket(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the small hub's folder, to edit."""
    target = tmp_path / "inventories" / "mini"
    shutil.copytree(MINI, target)
    return target


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for state and keys of this test alone."""
    monkeypatch.setenv(Env.HOME, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def mini_hub() -> Hub:
    loaded = load(MINI)
    assert loaded.hub is not None, loaded.problems
    return loaded.hub


@pytest.fixture
def graph(mini_hub: Hub) -> Graph:
    found = render(mini_hub)
    assert len(found) > 60
    return found
