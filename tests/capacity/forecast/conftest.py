"""A real Prometheus with months of data, made by promtool from OpenMetrics text."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from govhub.cli import i18n

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 3, 2)
ROOT = Path(__file__).parents[3]
Serve = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(ROOT / "tests" / "hubs"))
    monkeypatch.setenv("GOVHUB_TODAY", TODAY.isoformat())
    i18n.use("en")


def midnight(day: date) -> float:
    """The beginning of a day in the hub's time zone."""
    return datetime.combine(day, datetime.min.time(), SHANGHAI).timestamp()


@pytest.fixture(scope="session")
def prometheus() -> Serve:
    """Serve OpenMetrics text by a real Prometheus on a free port."""
    missing = [name for name in ("prometheus", "promtool") if not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install prometheus)")

    @contextlib.contextmanager
    def serve(text: Path) -> Iterator[str]:
        data = text.parent / "tsdb"
        blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h"]
        subprocess.run([*blocks, str(text), str(data)], check=True, capture_output=True, timeout=120)
        config = text.with_name("prometheus.yml")
        config.write_text("global: {scrape_interval: 1m}\n", encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}"]
        command += ["--storage.tsdb.retention.time=20y", f"--web.listen-address=127.0.0.1:{port}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            _ready(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)

    return serve


def _ready(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "Prometheus ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/-/ready", timeout=2):
            return
        time.sleep(0.1)
    pytest.fail("Prometheus did not become ready")


def days_back(number: int) -> date:
    """A day before the tests' today; 1 is yesterday."""
    return TODAY - timedelta(days=number)
