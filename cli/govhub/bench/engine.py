"""Benchmarks of the engine's path: create, nothing to do, drift; ours and stock in turn on one lab cluster."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from govhub.bench.results import Result, timed
from govhub.bench.stock import StockEngine
from govhub.bench.synthetic import write_hub
from govhub.core.settings import Env, settings_of
from govhub.engine.live import list_live
from govhub.lab.cluster import LabCluster
from govhub.lab.postgres import Server, running
from govhub.ops.destroy import destroy
from govhub.ops.drift import drift
from govhub.ops.lab import lab_down, lab_up
from govhub.ops.requests import RunRequest
from govhub.ops.session import open_session
from govhub.ops.up import up
from govhub.stacks.graph import DesiredObject


@dataclass(slots=True)
class Arena:
    """One lab and one hub; ours and the stock engine take turns on it, each on an empty cluster."""

    hub: Path
    base: Path
    round: int = 0

    @property
    def objects(self) -> list[DesiredObject]:
        """What both engines create: the tenants stack."""
        graph = open_session(str(self.hub)).graph
        return [item for item in graph if item.shard.stack == "tenants"]

    @property
    def kubeconfig(self) -> Path:
        """The lab's."""
        return LabCluster(self.hub.name, "main").kubeconfig

    def request(self) -> RunRequest:
        """An `up` of the whole hub without waiting for workloads, of which there are none."""
        return RunRequest(hub=str(self.hub), wait=0, confirm=(self.hub.name,))

    def ours_up(self) -> None:
        """Our whole `up`: load, verify, look at the cluster, plan, ledger, engine, events."""
        result = up(self.request())
        if result.status not in ("done", "unchanged"):
            raise RuntimeError(f"up {result.status}: {result.problems[:1]}")

    def ours_destroy(self) -> None:
        """Back to an empty cluster."""
        result = destroy(self.request())
        if result.status != "done":
            raise RuntimeError(f"destroy {result.status}: {result.leftovers[:3]}")

    def settle(self) -> None:
        """Wait until the cluster has finished deleting: the next measurement starts on a quiet one."""
        kube = LabCluster(self.hub.name, "main").connect()
        while list_live(kube, self.hub.name):
            time.sleep(0.5)

    def stock(self, backend: str | None = None) -> StockEngine:
        """A fresh stock engine over the same objects."""
        self.round += 1
        return StockEngine.make(self.objects, self.base / f"stock-{self.round}", self.kubeconfig, backend)


def own_place(home: Path, state: str | None = None) -> AbstractContextManager[None]:
    """Runs, state and labs of their own for a benchmark; the user's are not touched."""
    return settings_of({Env.HOME: str(home), Env.STATE: state})


@contextmanager
def arena(objects: int, state: str | None = None) -> Iterator[Arena]:
    """A lab of its own for one benchmark, taken down afterwards; ``state`` is where ours is kept, a folder if none."""
    with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch, own_place(Path(scratch) / "home", state):
        base = Path(scratch)
        hub = write_hub(base / "synthetic", objects=objects)
        try:
            lab_up(str(hub), None, lambda _: None)
            yield Arena(hub, base)
        finally:
            lab_down(str(hub))


def create_and_after(objects: int, runs: int, names: set[str], stop_after: float | None = None) -> list[Result]:
    """Create, nothing to do and drift: ours and stock in turn.

    Args:
        objects: How many objects the tenants stack has.
        runs: Pairs to measure.
        names: Which of the results are wanted: create, noop, drift.
        stop_after: End the stock engine's `up` after that many seconds.
    """
    label = f"{objects}"
    create = Result(name=f"create-{label}", unit="s", limit=0.25 if objects >= 3000 else 0.35)
    noop = Result(name=f"noop-{label}", unit="s", limit=1.0)
    look = Result(name=f"drift-{label}", unit="s", limit=0.3, note="ours: drift; stock: refresh")
    with arena(objects) as place:
        for _ in range(runs):
            _our_round(place, create, noop, look)
            _stock_round(place, create, noop, look, stop_after)
    return [item for item in (create, noop, look) if item.name.partition("-")[0] in names]


def in_postgresql(objects: int, runs: int) -> list[Result]:
    """Create with the state of both in a PostgreSQL, and how much room each takes there."""
    create = Result(name=f"create-{objects}-postgresql", unit="s", limit=0.35)
    size = Result(name=f"state-{objects}-postgresql", unit="MiB")
    with running() as server, arena(objects, server.database("ours")) as place:
        for number in range(runs):
            create.ours.append(timed(place.ours_up))
            size.ours.append(_mebibytes(server, "ours"))
            place.ours_destroy()
            stock = place.stock(server.database(f"stock{number}"))
            create.stock.append(timed(stock.up))
            size.stock.append(_mebibytes(server, f"stock{number}"))
            stock.destroy()
            place.settle()
    return [create, size]


def _mebibytes(server: Server, database: str) -> float:
    """What a database takes on the disk, less what an empty one takes."""
    empty = int(server.query("postgres", "SELECT pg_database_size('template1')"))
    return (int(server.query("postgres", f"SELECT pg_database_size('{database}')")) - empty) / 2**20


def growth(sizes: tuple[int, ...], runs: int) -> list[Result]:
    """Our create, no-op and drift at several sizes; no stock tool, the sizes are compared with each other."""
    out = []
    for objects in sizes:
        create = Result(name=f"growth-create-{objects}", unit="s")
        noop = Result(name=f"growth-noop-{objects}", unit="s")
        look = Result(name=f"growth-drift-{objects}", unit="s")
        with arena(objects) as place:
            for _ in range(runs):
                _our_round(place, create, noop, look)
        out += [create, noop, look]
    return out


def _our_round(place: Arena, create: Result, noop: Result, look: Result) -> None:
    create.ours.append(timed(place.ours_up))
    noop.ours.append(timed(place.ours_up))
    look.ours.append(timed(lambda: drift(str(place.hub))))
    place.ours_destroy()


def _stock_round(place: Arena, create: Result, noop: Result, look: Result, stop_after: float | None) -> None:
    stock = place.stock()
    if stop_after is None:
        create.stock.append(timed(stock.up))
        noop.stock.append(timed(stock.up))
        look.stock.append(timed(stock.refresh))
        stock.destroy()
        place.settle()
        return
    seconds, finished = _bounded(stock, stop_after)
    create.stock.append(seconds)
    create.stock_stopped = create.stock_stopped or not finished
    create.note = f"stock stopped after {stop_after:.0f} s" if not finished else ""


def _bounded(stock: StockEngine, seconds: float) -> tuple[float, bool]:
    """Run the stock `up`, ending its process after ``seconds``; returns the time and whether it finished."""
    started = time.monotonic()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            stock.up()
        except BaseException as error:  # noqa: BLE001  # reported below, in the caller's thread
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    finished = not thread.is_alive()
    if not finished:
        for pid in _children():
            os.kill(pid, signal.SIGKILL)
        thread.join(30)
    elif failure:
        raise failure[0]
    return time.monotonic() - started if finished else seconds, finished


def _children() -> list[int]:
    """Our own pulumi processes."""
    own = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"pulumi" in command:
            own.append(int(path.parent.name))
    return own
