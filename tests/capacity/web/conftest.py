"""Jinzhou's page for the tests, and a real server on a free port of loopback."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from govhub.monitoring.web.access.gate import Gate
from govhub.monitoring.web.access.roles import Role
from govhub.monitoring.web.access.tokens import Tokens, add_token
from govhub.monitoring.web.app import application
from govhub.monitoring.web.server import server_of
from govhub.ops.capacity.serving import HubSource

ROOT = Path(__file__).parents[3]
FAR = date(2099, 12, 31)
OWN, OTHER = "education", "finance"
"""Two departments of Jinzhou."""


@pytest.fixture(scope="session")
def source() -> HubSource:
    """Jinzhou without meters, read once."""
    os.environ["GOVHUB_INVENTORIES"] = str(ROOT / "inventories")
    os.environ["GOVHUB_TODAY"] = "2026-03-02"
    try:
        return HubSource("jinzhou")
    finally:
        del os.environ["GOVHUB_INVENTORIES"], os.environ["GOVHUB_TODAY"]


@pytest.fixture
def people(tmp_path: Path) -> dict[str, str]:
    """A token of each role; the file is ``tmp_path/tokens.toml``."""
    file = tmp_path / "tokens.toml"
    return {
        role.value: add_token(
            file, name=f"the {role.value}", role=role, tenant=OWN if role is Role.DEPARTMENT else "", until=FAR
        )
        for role in Role
    }


@pytest.fixture
def guarded(source: HubSource, people: dict[str, str], tmp_path: Path) -> Starlette:
    """The application behind tokens."""
    return application(source, Gate(Tokens(tmp_path / "tokens.toml")))


@contextmanager
def serving(app: ASGIApp | None = None, make: Callable[[str], ASGIApp] | None = None, **more: Any) -> Iterator[str]:
    """An application on a real socket, or what ``make`` makes for its address; gives the address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    made = make(address) if make else app
    assert made is not None
    server = server_of(made, **more)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive(), "the server did not end"


@pytest.fixture
def reach() -> Iterator[Callable[[Starlette], httpx.Client]]:
    """Serves an application for one test, and gives a client of it."""
    with ExitStack() as stack:

        def client(app: Starlette) -> httpx.Client:
            address = stack.enter_context(serving(app))
            return stack.enter_context(httpx.Client(base_url=address, timeout=30, trust_env=False))

        yield client


def wait_for(true: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
