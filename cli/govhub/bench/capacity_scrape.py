"""Benchmarks of the exporter: rendering against prometheus-client, and a real server that is scraped over HTTP."""

from __future__ import annotations

import http.client
import multiprocessing
import random
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from govhub.bench.capacity import powered_hub, write_powered_hub
from govhub.bench.results import Result, timed
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.blocks import Block, head, written
from govhub.monitoring.metrics.catalogue import FAMILIES, RACK
from govhub.monitoring.metrics.halls import rack_values
from govhub.monitoring.metrics.places import Places

SERIES = 8
"""Families of one rack that are rendered: 80,000 racks are 640,000 series."""
SIZE = 43_200
"""Racks of which a server shows about 640,000 series: all families, fifteen a rack."""
RENDER_LIMIT, MEMORY_LIMIT, HALL_LIMIT = 1.2, 400.0, 0.05
"""Seconds for everything, MiB, and seconds for a hall."""
_GIVE_UP = 120


def render(sizes: Iterable[int], stock: int, runs: int) -> list[Result]:
    """Eight series a rack with new values every time; beside it prometheus-client over the same samples.

    The client's families are filled beforehand, which a collector would have to do at each scrape: it is measured
    without. Both texts are compared, byte by byte.

    Args:
        sizes: racks.
        stock: the size that prometheus-client renders, too.
        runs: of each.
    """
    out = []
    for racks in sizes:
        bulk = _Bulk(racks)
        result = Result(name=f"capacity-scrape-render-{racks}", unit="s")
        result.limit = RENDER_LIMIT if racks == stock else None
        result.note = f"{len(bulk.rows) * SERIES:,} series, all values new"
        client = Result(name=f"capacity-scrape-against-client-{racks}", unit="s")
        for run in range(runs):
            bulk.change(run)
            text: list[bytes] = []
            result.ours.append(timed(lambda: text.append(bulk.text())))  # noqa: B023
            if racks == stock:
                client.ours.append(result.ours[-1])
                registry = _registry(bulk)
                theirs: list[bytes] = []
                client.stock.append(timed(lambda: theirs.append(generate_latest(registry))))  # noqa: B023
                if text != theirs:
                    raise RuntimeError("prometheus-client writes something else")
        out += [result, client] if racks == stock else [result]
    return out


def scrape(sizes: Iterable[int], runs: int) -> list[Result]:
    """A hub behind a real server in a process of its own: first and later scrapes, one hall, and its memory."""
    out = []
    for racks in sizes:
        with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
            folder = write_powered_hub(Path(scratch) / "synthetic", racks)
            out += _scraped(folder, racks, runs)
    return out


def _scraped(folder: Path, racks: int, runs: int) -> list[Result]:
    results = {
        part: Result(name=f"capacity-scrape-{part}-{racks}", unit="MiB" if part == "memory" else "s")
        for part in ("first", "plain", "gzip", "hall-first", "hall", "memory")
    }
    results["hall-first"].limit = results["hall"].limit = HALL_LIMIT
    if racks == SIZE:
        results["first"].limit = results["plain"].limit = RENDER_LIMIT
        results["memory"].limit = MEMORY_LIMIT
    for _ in range(runs):
        with _server(folder) as served:
            # The first answer has the hub's columns and tree behind it, whoever asks.
            served.get("/metrics/hub", packed=True)
            results["hall-first"].ours.append(timed(lambda: served.get("/metrics/a/h002", packed=True)))
            results["hall"].ours.append(timed(lambda: served.get("/metrics/a/h002", packed=True)))
            results["first"].ours.append(timed(lambda: served.get("/metrics", packed=True)))
            results["gzip"].ours.append(timed(lambda: served.get("/metrics", packed=True)))
            size = len(served.get("/metrics", packed=False))
            results["plain"].ours.append(timed(lambda: served.get("/metrics", packed=False)))
            results["memory"].ours.append(served.memory())
            series = served.series()
    results["first"].note = f"{series:,} series, {size / 1e6:.0f} MB"
    return list(results.values())


class _Bulk:
    """Eight families of racks, with values that are never the same and never round."""

    def __init__(self, racks: int) -> None:
        columns = Columns(powered_hub(racks))
        self.rows = [address.split("/") for address in columns.racks.addresses]
        self.columns = {name: values.copy() for name, values in [*rack_values(Halls(columns)).items()][:SERIES]}
        places = Places(columns)
        self._places = [places.of(hall) for hall in columns.halls]

    def change(self, run: int) -> None:
        draw = random.Random(run)  # noqa: S311  # a sample, not a secret
        for values in self.columns.values():
            values[:] = [draw.uniform(0, 6000) for _ in self.rows]

    def text(self) -> bytes:
        out = []
        for name, values in self.columns.items():
            out.append(head(name))
            out += [written(Block(name, place.plain, values[place.racks])).text for place in self._places]
        return b"".join(out)


@dataclass(frozen=True, slots=True)
class _Served:
    process: int
    port: int

    def get(self, path: str, *, packed: bool) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_GIVE_UP)
        # As long as it takes: what is measured is the whole answer, never an old one.
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "60"} | ({"Accept-Encoding": "gzip"} if packed else {})
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200 or (answer.getheader("Content-Encoding") == "gzip") is not packed:
            raise RuntimeError(f"{path} is answered with {answer.status}")
        return body

    def memory(self) -> float:
        """MiB that the process had at most."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def series(self) -> int:
        line = self.get("/metrics", packed=False).rpartition(b"govhub_exporter_series ")[2]
        return int(float(line))


@contextmanager
def _server(folder: Path) -> Iterator[_Served]:
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=_serve, args=(str(folder), its))
    process.start()
    try:
        if not mine.poll(_GIVE_UP):
            raise RuntimeError("the server does not start")
        port = mine.recv()
        assert process.pid is not None
        yield _Served(process.pid, port)
    finally:
        process.terminate()
        process.join()


def _serve(folder: str, told: Connection) -> None:
    from govhub.ops.capacity.server import ServeRequest, serve

    serve(ServeRequest(hub=folder, port=0), lambda _, address: told.send(int(address.rpartition(":")[2])))


def _registry(bulk: _Bulk) -> CollectorRegistry:
    """The same samples in prometheus-client's own families."""

    class Collector:
        def __init__(self) -> None:
            self.families = []
            for name, values in bulk.columns.items():
                family = GaugeMetricFamily(name, FAMILIES[name].help, labels=RACK)
                for row, value in zip(bulk.rows, values.tolist(), strict=True):
                    family.add_metric(row, value)
                self.families.append(family)

        def collect(self) -> Iterator[GaugeMetricFamily]:
            yield from self.families

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return registry
