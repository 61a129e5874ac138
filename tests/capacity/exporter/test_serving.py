"""``govhub serve`` as a process: it starts, looks at its files, lives with invalid ones, and ends when told to."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from capacity.exporter.serving import PATIENCE, Served, served, two_sites, wait_for
from govhub.core.errors import InvalidInput
from govhub.core.settings import Env
from govhub.ops.capacity import server as serving
from govhub.ops.capacity.serving import HubSource
from inventory.hubs import TODAY


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Env.TODAY, TODAY.isoformat())


def value(server: Served, name: str) -> float:
    """A sample without labels of the hub's page."""
    lines = server.get("/metrics/hub").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    with served(two_sites(tmp_path).path) as server:
        assert server.get("/healthz").json()["hub"] == "testcity"
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def test_an_invalid_edit_keeps_the_last_state_and_a_mended_one_is_taken(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    valid, loaded = "govhub_exporter_hub_valid", "govhub_exporter_hub_loaded_timestamp_seconds"
    rack = 'govhub_rack_units{hall="h1",rack="04",row="r2",site="jz"} '
    with served(folder.path) as server:
        first = value(server, loaded)
        assert value(server, valid) == 1
        assert f"{rack}12.0\n" in server.get("/metrics/jz/h1").text

        folder.edit("places.yaml", "units: 12", "units: twelve")
        wait_for(lambda: value(server, valid) == 0, "the edit is seen")
        assert value(server, loaded) == first
        assert f"{rack}12.0\n" in server.get("/metrics/jz/h1").text
        assert server.get("/healthz").json()["hub_valid"] is False

        folder.edit("places.yaml", "units: twelve", "units: 14")
        wait_for(lambda: value(server, valid) == 1, "the mended file is seen")
        assert value(server, loaded) > first
        assert f"{rack}14.0\n" in server.get("/metrics/jz/h1").text
        server.process.terminate()
        assert server.process.stderr is not None
        assert "the last valid state is shown" in server.process.stderr.read()


def test_many_ask_at_once_while_slow_ones_dawdle(tmp_path: Path) -> None:
    with served(two_sites(tmp_path).path) as server:
        host, port = server.address.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow:")
        failed: list[int] = []

        def ask() -> None:
            for _ in range(25):
                status = server.get("/metrics/jz/h1", Accept_Encoding="gzip").status_code
                if status != 200:
                    failed.append(status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        for connection in slow:
            connection.close()
        assert failed == []
        with socket.create_connection((host, int(port))) as hostile:
            hostile.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n")
            assert hostile.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
        assert server.get("/healthz").status_code == 200


def test_a_hub_that_is_not_valid_is_not_served(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    folder.edit("places.yaml", "units: 12", "units: twelve")
    done = serve(str(folder.path))
    assert done.returncode == 3
    assert "units" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = serve(str(two_sites(tmp_path).path), "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "EXP001" in done.stderr
    assert "--port" in done.stderr


def test_answers_wait_for_no_acknowledgement() -> None:
    with (
        serving._listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_it_may_be_told_at_once(tmp_path: Path) -> None:
    # It has said where it is, and does not run yet.
    with served(two_sites(tmp_path).path) as server:
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0


def test_only_loopback_is_served_without_a_login(tmp_path: Path) -> None:
    done = serve(str(two_sites(tmp_path).path), "--host", "0.0.0.0")
    assert done.returncode == 64
    assert "WEB001" in done.stderr


def test_files_that_are_only_touched_change_nothing(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    watched = HubSource(str(folder.path))
    first = watched.state()
    watched.refresh()
    assert watched.state().halls is first.halls
    (folder.path / "places.yaml").touch()
    watched.refresh()
    again = watched.state()
    assert (again.halls is first.halls, again.loaded) == (True, first.loaded)


def test_a_hub_that_goes_away_is_shown_as_it_was(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    watched = HubSource(str(folder.path))
    first = watched.state()
    folder.path.rename(tmp_path / "elsewhere")
    watched.refresh()
    gone = watched.state()
    assert (gone.halls is first.halls, gone.valid) == (True, False)
    (tmp_path / "elsewhere").rename(folder.path)
    watched.refresh()
    back = watched.state()
    assert (back.halls is first.halls, back.valid) == (True, True)


def test_a_hub_that_does_not_exist_is_told() -> None:
    with pytest.raises(InvalidInput):
        HubSource("nowhere")


def serve(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "govhub.cli", "serve", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
