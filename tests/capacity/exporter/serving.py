"""A real ``govhub serve`` and a real Prometheus on loopback, for tests; both end with the test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from govhub.core.settings import Env
from inventory.hubs import BASE, HERE, TODAY, HubFolder

PATIENCE = 60.0
SECOND = """
sites:
  - name: bei
    title: {zh: 备中心, en: Second site}
    region: testcity
    tier: B
    halls:
      - {name: h1, rows: [{names: "r{1..3}", racks: "{01..05}"}]}
      - {name: h2, rows: [{names: "r1", racks: "{01..05}"}]}
"""
"""A second site: a hall with the name of another site's, and nothing known but racks."""
# Without certificates, which take longer to load than a request; nothing here speaks TLS.
_PLAIN: dict[str, Any] = {"timeout": PATIENCE, "trust_env": False, "verify": False}
needs_prometheus = pytest.mark.skipif(
    not shutil.which("prometheus") or not shutil.which("promtool"), reason="Prometheus is not installed"
)


def two_sites(folder: Path) -> HubFolder:
    """The base hub with a power tree, network and ledger, and a second site."""
    found = HubFolder(Path(shutil.copytree(BASE, folder / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    (found.path / "second.yaml").write_text(SECOND, encoding="utf-8")
    return found


@dataclass(frozen=True)
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    address: str
    """``http://host:port``"""

    def get(self, path: str, **headers: str) -> httpx.Response:
        """One request, without a client's own ideas of what it takes."""
        plain = {"Accept": "*/*", "Accept-Encoding": "identity"}
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        return httpx.get(f"{self.address}{path}", headers=plain | given, **_PLAIN)


@contextmanager
def served(hub: str | Path, *options: str, today: date = TODAY) -> Iterator[Served]:
    """``govhub serve HUB`` on a free port, on a day."""
    command = [sys.executable, "-m", "govhub.cli", "serve", str(hub), "--port", "0", "--json", *options]
    environment = os.environ | {Env.TODAY: today.isoformat()}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            yield Served(process, json.loads(line)["address"])
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str
    log: Path

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        answer = httpx.get(f"{self.address}/api/v1/query", params={"query": query}, **_PLAIN).json()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def targets(self) -> list[dict[str, Any]]:
        """Targets that are being scraped."""
        answer = httpx.get(f"{self.address}/api/v1/targets", **_PLAIN).json()
        found: list[dict[str, Any]] = answer["data"]["activeTargets"]
        return found


@contextmanager
def prometheus(folder: Path, config: str) -> Iterator[Prometheus]:
    """Prometheus with a configuration of its own; ready when it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    port, log = free_port(), folder / "prometheus.log"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=os.environ.copy()) as process:
        try:
            found = Prometheus(f"http://127.0.0.1:{port}", log)
            wait_for(lambda: _ready(found.address), "Prometheus answers", log)
            yield found
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_for(condition: Callable[[], bool], what: str, log: Path | None = None) -> None:
    """Look again until it is so."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"not in time: {what} {log.read_text() if log else ''}"
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/-/ready", **_PLAIN).status_code == 200
    except httpx.HTTPError:
        return False
