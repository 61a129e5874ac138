"""Requests that are too large, too slow, hostile or too many; the server goes on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from capacity.web.conftest import serving, wait_for
from govhub.monitoring.web import limits, server
from govhub.monitoring.web.app import application
from govhub.ops.capacity.serving import HubSource

Reach = Callable[[Starlette], httpx.Client]
ASKED = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def raw(address: str, data: bytes, seconds: float = 10) -> bytes:
    """What comes back for bytes that no client would send."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as connection:
        connection.sendall(data)
        found = b""
        try:
            while part := connection.recv(65_536):
                found += part
        except (TimeoutError, ConnectionResetError):
            pass
        return found


HOSTILE = {
    "another host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"421"),
    "no host": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
    "two lengths": (
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"400",
    ),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", b"400"),
    "headers without end": (ASKED.encode() + b"X-Long: " + b"a" * 20_000, b"400"),
    "many headers": (ASKED.encode() + b"Connection: close\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    "a long address": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", b"414"),
    "a path upwards": (b"GET /assets/../../app.py HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", b"404"),
    "another method": (b"DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", b"405"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_hostile_is_refused_and_the_next_one_served(source: HubSource, kind: str) -> None:
    data, status = HOSTILE[kind]
    with serving(application(source, hosts=("127.0.0.1",))) as address:
        answer = raw(address, data)

        assert answer.split(b"\r\n")[0].split()[1] == status
        assert b"Traceback" not in answer
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200


def test_a_body_that_is_too_large_is_not_read_to_its_end(source: HubSource, reach: Reach) -> None:
    client = reach(application(source))
    client.get("/login")

    assert client.post("/login", content=b"a" * 5000).status_code == 413
    assert client.post(
        "/diff", content=b'{"before": 1}' * 2_000_000, headers={"Sec-Fetch-Site": "none"}
    ).status_code in (
        403,
        413,
    )
    assert client.post("/login", content=b"&" * 4000).status_code in (400, 403)


def test_slow_clients_are_let_go(source: HubSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.5)
    with serving(application(source)) as address:
        parts = urlsplit(address)
        started = time.monotonic()
        half = "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\ntoken="
        with (
            socket.create_connection((parts.hostname, parts.port), timeout=10) as silent,
            socket.create_connection((parts.hostname, parts.port), timeout=10) as header,
            socket.create_connection((parts.hostname, parts.port), timeout=10) as body,
        ):
            header.sendall(ASKED.encode())
            body.sendall(half.encode())
            for wait in range(6):
                time.sleep(0.2)
                try:
                    header.sendall(f"X-{wait}: a\r\n".encode())
                except (BrokenPipeError, ConnectionResetError):
                    break
            else:
                pytest.fail("headers may go on for ever, line by line")
            assert ended(silent)
            assert b" 408 " in body.recv(4096)
        assert time.monotonic() - started < 8
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(10) == b""
    except ConnectionResetError:
        return True


def test_a_client_that_takes_no_answer_is_let_go(source: HubSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STUCK_SECONDS", 0.5)
    with serving(application(source)) as address:
        parts = urlsplit(address)
        with socket.socket() as greedy:
            greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            greedy.settimeout(10)
            greedy.connect((parts.hostname, parts.port))
            asset = "/assets/vendor/uplot-1.6.32.min.js"
            one = httpx.get(address + asset, headers={"Accept-Encoding": "identity"}, trust_env=False)
            whole = 400 * len(one.content)
            greedy.sendall(f"GET {asset} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 400)
            # More than the buffers of both ends hold: then the server waits for the client, and not for long.
            time.sleep(4)
            got = 0
            try:
                while part := greedy.recv(1_000_000):
                    got += len(part)
            except ConnectionResetError:
                pass
            assert got < whole, "it was let go before all was sent"
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200


def test_connections_that_stay_open_do_not_keep_it_from_ending(source: HubSource) -> None:
    with serving(application(source)) as address:
        parts = urlsplit(address)
        idle = socket.create_connection((parts.hostname, parts.port))
        started = time.monotonic()
    assert time.monotonic() - started < 10
    idle.close()


@pytest.mark.slow
def test_a_thousand_requests_a_second_are_survived(source: HubSource) -> None:
    """Offered for ten seconds; what cannot be served is refused or waits, and afterwards all is as before."""
    paths = ("/healthz", "/", "/api/v1/overview", "/api/v1/map")
    with serving(application(source)) as address:
        before = {path: httpx.get(address + path, trust_env=False).status_code for path in paths}
        statuses: list[int] = []
        lock = threading.Lock()
        end = time.monotonic() + 10

        def offer(number: int) -> None:
            with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
                mine, turn = [], 0
                while time.monotonic() < end:
                    due = end - 10 + (turn * 40 + number) / 1000
                    time.sleep(max(0.0, due - time.monotonic()))
                    mine.append(client.get(paths[turn % len(paths)] if turn % 10 == 0 else "/healthz").status_code)
                    turn += 1
            with lock:
                statuses.extend(mine)

        with ThreadPoolExecutor(40) as pool:
            list(pool.map(offer, range(40)))
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) > 0.9 * len(statuses)
        wait_for(lambda: httpx.get(f"{address}/healthz", trust_env=False).status_code == 200)
        assert {path: httpx.get(address + path, trust_env=False).status_code for path in paths} == before
        print(f"{len(statuses) / 10:.0f} requests a second")  # noqa: T201  # for whoever runs it with -s
