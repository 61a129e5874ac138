"""A small hub with a power tree and a fabric, its meters as real processes, and a Prometheus of made-up meters."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from govhub.inventory.loader import Hub, load
from govhub.lab.meters import processes
from govhub.lab.meters.center import Meters, missing
from govhub.lab.meters.plan import plan_of
from govhub.lab.scratch import free_port
from govhub.monitoring.columns import Columns
from inventory.hubs import BASE, HERE

SECONDS = 30.0
packages = pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}")


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """8 racks with two feeds each, 2 leaves and 2 spines."""
    folder = Path(shutil.copytree(BASE, tmp_path_factory.mktemp("hub") / "testcity"))
    shutil.copy(HERE / "more" / "power.yaml", folder)
    hub = load(folder).hub
    assert hub is not None
    return hub


@pytest.fixture(scope="session")
def columns(city: Hub) -> Columns:
    return Columns(city)


@pytest.fixture(scope="module")
def meters(city: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meters]:
    """The metering of the small hub, polled every second."""
    if packages_missing := missing():
        pytest.skip(f"not installed: {', '.join(packages_missing)}")
    patch = pytest.MonkeyPatch()
    patch.setenv("GOVHUB_HOME", str(tmp_path_factory.mktemp("home")))
    found = Meters(city.name)
    try:
        found.up(plan_of(city, {}), interval=1)
        yield found
    finally:
        found.down()
        patch.undo()


def until(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for something, and fail when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


@dataclass
class MadeUp:
    """A real Prometheus that scrapes one target, whose text a test writes."""

    url: str
    text: str = ""
    version: int = 0

    def tell(self, text: str) -> None:
        """Have the meters tell this, and wait until Prometheus has it."""
        self.version += 1
        self.text = f"{text}version {self.version}\n"

        def asked() -> bool:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?query=version", timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
            return [item["value"][1] for item in found] == [str(self.version)]

        until(asked)


@contextmanager
def served(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """A web server on the loopback for a while; its ``host:port``."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUp]:
    tmp_path = tmp_path_factory.mktemp("prometheus")
    program = processes.program("prometheus")
    if program is None:
        pytest.skip("not installed: prometheus")
    found = MadeUp("")

    class Target(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(found.text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with served(Target) as target:
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "made-up", "static_configs": [{"targets": [target]}]}],
        }
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))
        address = f"127.0.0.1:{free_port()}"
        command = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, f"--web.listen-address={address}"], cwd=tmp_path, stdout=log, stderr=log
            )
        try:
            until(lambda: processes.answers(address, "/-/ready"))
            found.url = f"http://{address}"
            yield found
        finally:
            process.terminate()
            process.wait(timeout=20)
