"""What a real Prometheus says, says by half, or does not say: on every page, never blank and never an error."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from capacity.web.conftest import ROOT, wait_for
from govhub.monitoring.web.app import application
from govhub.ops.capacity.server import ServeRequest, feeds_of
from govhub.ops.capacity.serving import HubSource

needs_prometheus = pytest.mark.skipif(not shutil.which("prometheus"), reason="Prometheus is not installed")
Reach = Callable[[Starlette], httpx.Client]
RULES = """
groups:
  - name: test
    rules:
      - alert: HallFull
        expr: vector(1)
        labels: {severity: critical, hub: jinzhou, site: jz-a, hall: h1}
        annotations: {summary: "h1 <b>is</b> full", runbook_url: "javascript:alert(1)"}
      - alert: OfAnotherHub
        expr: vector(1)
        labels: {severity: critical, hub: elsewhere}
      - alert: NotYet
        expr: vector(1)
        for: 1h
        labels: {severity: warning, hub: jinzhou}
"""


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(ROOT / "inventories"))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def metered(racks: list[str], watts: float) -> Iterator[str]:
    """Meters of both feeds of some racks, as a page of metrics."""
    lines = []
    for rack in racks:
        names = zip(("site", "hall", "row", "rack"), rack.split("/"), strict=True)
        labels = ",".join(f'{name}="{value}"' for name, value in names)
        lines += [f'govhub_meter_rack_power_watts{{hub="jinzhou",{labels},side="{side}"}} {watts}' for side in "ab"]

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = ("\n".join(lines) + "\n").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    (folder / "rules.yml").write_text(RULES)
    jobs = [{"job_name": "meters", "static_configs": [{"targets": [target]}]}]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--web.listen-address={address}"], stdout=log, stderr=log, env={"PATH": os.environ["PATH"]}
        )
    try:
        yield f"http://{address}", process
    finally:
        process.terminate()
        process.wait(30)


def rows(client: httpx.Client) -> str:
    return client.get("/", headers={"Accept": "text/html"}).text


@needs_prometheus
def test_half_of_the_meters_then_none_then_a_server_that_is_none(tmp_path: Path, reach: Reach) -> None:
    bare = HubSource("jinzhou")
    loads = bare.halls().columns.loads
    addresses = bare.halls().columns.racks.addresses
    full = [rack for rack, watts in zip(addresses, loads.watts.tolist(), strict=True) if watts > 0]
    with metered(full[::2], 400.0) as target, prometheus(tmp_path, target) as (address, process):
        wait_for(lambda: answers(address), 30)
        source = HubSource("jinzhou", feeds_of(ServeRequest(hub="jinzhou", prometheus=address)))
        wait_for(lambda: looked(source)["live"]["coverage"]["known"] == len(full[::2]), 30)
        wait_for(lambda: len(looked_alerts(source)) == 2, 30)
        client = reach(application(source, every=3600))

        measured = client.get("/api/v1/overview").json()["figures"]["power.measured"]
        assert measured["numerator"] == len(full[::2]) * 800
        assert measured["coverage"]["of"] == len(addresses)
        assert measured["age_seconds"] is not None
        percent = len(full[::2]) * 100 // len(addresses)
        page = rows(client)
        assert f"coverage {percent} %" in page
        assert "some meters are silent" in page
        assert "MTR011" in page, "and which"
        trees = [client.get("/api/v1/power", params={"hall": hall}).json() for hall in source.halls().columns.halls]
        halves = [item["measured"] for tree in trees for item in tree["elements"]]
        # Where one meter below is silent nothing is said, but how many tell.
        silent = [item["coverage"]["known"] < item["coverage"]["of"] for item in halves]
        assert [item["numerator"] is None for item in halves] == silent
        assert any(0 < item["coverage"]["known"] < item["coverage"]["of"] for item in halves)
        tree = client.get("/power", params={"hall": source.halls().columns.halls[0], "lang": "en"}).text
        assert "measured, kW" in tree
        alerts = client.get("/alerts").text
        assert "HallFull" in alerts
        assert "h1 &lt;b&gt;is&lt;/b&gt; full" in alerts
        assert "OfAnotherHub" not in alerts
        assert "javascript:" not in alerts
        states = {item["name"]: item["state"] for item in client.get("/api/v1/alerts").json()["alerts"]}
        assert states == {"HallFull": "firing", "NotYet": "pending"}

        process.terminate()
        process.wait(30)
        source.refresh()
        assert source.status()["live"]["state"] == "down"
        for path in ("/", "/alerts", "/wall", "/forecast", "/map", "/power", "/network", "/departments", "/export"):
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 200, path
            assert "Prometheus does not answer" in answer.text or path == "/export"
        assert "unknown" in rows(client)
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/v1/overview").json()["figures"]["power.measured"]["numerator"] is None


def test_what_answers_is_no_prometheus(reach: Reach) -> None:
    with metered([], 0) as target:
        source = HubSource("jinzhou", feeds_of(ServeRequest(hub="jinzhou", prometheus=f"http://{target}")))
        client = reach(application(source, every=3600))

        assert client.get("/api/v1/status").json()["live"]["state"] == "down"
        assert client.get("/api/v1/alerts").json()["state"] == "down"
        assert "MTR006" in rows(client)


def test_a_prometheus_that_never_answers_delays_the_look_and_no_page(reach: Reach) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = HubSource("jinzhou")
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        source._feeds = feeds_of(ServeRequest(hub="jinzhou", prometheus=address))
        client = reach(application(source, every=0.1))
        for _ in range(5):
            started = time.monotonic()
            assert client.get("/api/v1/overview").status_code == 200
            assert time.monotonic() - started < 5
            time.sleep(0.2)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/-/ready", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def looked(source: HubSource) -> dict[str, dict[str, dict[str, int]]]:
    source.refresh()
    time.sleep(0.3)
    return source.status()


def looked_alerts(source: HubSource) -> list[object]:
    looked(source)
    return list(source.alerts()["alerts"])
