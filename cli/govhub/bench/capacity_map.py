"""Benchmark of the map: 80,000 racks from the server, drawn by a real Chromium, and panned."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from govhub.bench.capacity import write_powered_hub
from govhub.bench.results import Result, timed
from govhub.core.errors import ToolMissing
from govhub.monitoring.web.app import application
from govhub.monitoring.web.server import server_of
from govhub.ops.capacity.serving import HubSource

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
SCREEN = {"width": 1920, "height": 1080}
PANNED = 3.0
"""Seconds."""
# One move of the pointer a frame, for a while; how many frames were drawn in which time.
_PAN = """seconds => new Promise(done => {
  const floor = document.getElementById('floor'), box = floor.getBoundingClientRect();
  const at = (name, x) => floor.dispatchEvent(new PointerEvent(name,
    {clientX: box.left + 500 + x, clientY: box.top + 300 + x / 3, pointerId: 1, bubbles: true}));
  floor.setPointerCapture = () => {};
  at('pointerdown', 0);
  const before = Number(floor.dataset.frames), began = performance.now();
  let x = 0;
  const step = () => {
    x += 7;
    at('pointermove', Math.abs(x % 800 - 400));
    if (performance.now() - began < seconds * 1000) requestAnimationFrame(step);
    else { at('pointerup', 0); done([Number(floor.dataset.frames) - before, (performance.now() - began) / 1000]); }
  };
  requestAnimationFrame(step);
})"""


def map_page(racks: int, runs: int) -> list[Result]:
    """Time of the map's requests at the server, until it is drawn, and of a frame while it is moved.

    Raises:
        ToolMissing: there is no Chromium, or no playwright.
    """
    with _served(racks) as address:
        return [*_answers(address, racks, runs), *_drawn(address, racks, runs)]


def _answers(address: str, racks: int, runs: int) -> list[Result]:
    """All that the map asks the server for, one after the other: the page, the bytes, the names."""
    result = Result(name=f"capacity-map-server-{racks}", unit="s", limit=0.15)
    sizes: list[int] = []

    def ask() -> None:
        sizes.clear()
        for path in ("/map", "/api/v1/map", "/api/v1/map/names"):
            request = Request(address + path, headers={"Accept-Encoding": "gzip"})  # noqa: S310  # ours, on loopback
            with urlopen(request, timeout=60) as answer:  # noqa: S310
                sizes.append(len(answer.read()))

    first = timed(ask)
    result.ours = [timed(ask) for _ in range(max(runs, 3))]
    result.note = f"{sum(sizes) / 1000:,.0f} kB over the line; the first time, when it is made, {first:.2f} s"
    return [result]


def _drawn(address: str, racks: int, runs: int) -> list[Result]:
    drawn = Result(name=f"capacity-map-drawn-{racks}", unit="s", limit=1.5)
    frame = Result(name=f"capacity-map-frame-{racks}", unit="s", limit=1 / 30)
    with _browser() as browser:
        for _ in range(max(runs, 3)):
            context = browser.new_context(viewport=SCREEN)
            page = context.new_page()
            page.goto(f"{address}/map")
            page.wait_for_selector("#floor[data-drawn]", timeout=60_000)
            drawn.ours.append(float(page.get_attribute("#floor", "data-drawn")) / 1000)
            if int(page.get_attribute("#floor", "data-racks")) < racks:
                raise RuntimeError("not all racks were drawn")
            frames, seconds = page.evaluate(_PAN, PANNED)
            frame.ours.append(seconds / max(frames, 1))
            context.close()
    frame.note = f"{1 / sorted(frame.ours)[len(frame.ours) // 2]:.0f} frames/s at 1920x1080, drawn by the processor"
    return [drawn, frame]


@contextmanager
def _browser() -> Iterator[Any]:
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        raise ToolMissing.one("BEN003", "no Chromium is installed", hint="Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _served(racks: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
        source = HubSource(str(write_powered_hub(Path(scratch) / "synthetic", racks)))
        listener = socket.create_server(("127.0.0.1", 0))
        server = server_of(application(source))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            listener.close()
