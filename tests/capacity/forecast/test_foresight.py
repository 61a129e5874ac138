"""The forecast of ``serve`` is made by a process of its own: it is waited for by nobody, and outlives nobody."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from capacity.exporter.serving import PATIENCE, served, wait_for
from govhub.core.settings import hub_home
from govhub.monitoring.columns import Columns
from govhub.ops.capacity.foreseeing import child
from govhub.ops.capacity.foresight import AGAIN, LONGEST, Foresight
from govhub.ops.capacity.places import columns_of
from govhub.ops.capacity.serving import Foreseen

from .conftest import ROOT, TODAY
from .hubs import history

DAYS = 60


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_772_409_600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder() -> Path:
    """The small hub's history: eight racks that grow."""
    found = hub_home("mini") / "capacity" / "history"
    history(found, lambda _, back: 3000 + 10.0 * (DAYS - back), DAYS)
    return found


@pytest.fixture
def columns() -> Columns:
    return columns_of("mini")


@contextmanager
def foresight(clock: Clock) -> Iterator[Foresight]:
    found = Foresight(clock)
    try:
        yield found
    finally:
        found.close()
        assert multiprocessing.active_children() == []


def made(by: Foresight, columns: Columns) -> Foreseen:
    """What it says when nothing is being made any more."""
    wait_for(lambda: by.look(columns).document["state"] != "making", "it is made")
    return by.look(columns)


def held(folder: Path) -> Path:
    """A part of the history that whoever reads it waits for, as on a disk that does not answer."""
    month = folder / TODAY.strftime("%Y-%m")
    month.mkdir(parents=True, exist_ok=True)
    pipe = month / "power_held.parquet"
    os.mkfifo(pipe)
    return pipe


def children(parent: int) -> list[int]:
    """Processes that a process has started and that have not ended, but for those that clean up behind it."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            words = status.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z" and b"resource_tracker" not in words:
            found.append(int(status.parent.name))
    return found


def test_a_look_waits_for_nothing_and_the_next_takes_it_in(folder: Path, columns: Columns) -> None:
    clock = Clock()
    with foresight(clock) as found:
        pipe = held(folder)
        first = found.look(columns)
        assert (first.document["state"], first.document["forecasts"], first.figures) == ("making", [], ())
        number = multiprocessing.active_children()[0].pid
        assert found.look(columns).document["state"] == "making"
        assert [item.pid for item in multiprocessing.active_children()] == [number], "one at a time"
        pipe.write_bytes(b"no parquet")
        told = made(found, columns)
        assert told.document["state"] == "ok"
        assert told.document["history_days"] == DAYS
        assert {item.history_days for item in told.figures if item.resource == "power"} == {DAYS}
        assert found.look(columns).document == told.document
        assert multiprocessing.active_children() == []


def test_days_that_are_added_make_a_newer_one_and_the_old_stays_until_then(folder: Path, columns: Columns) -> None:
    with foresight(Clock()) as found:
        before = made(found, columns)
        history(folder, lambda _, back: 2000.0, DAYS + 5)
        meanwhile = found.look(columns)
        assert meanwhile.document == before.document | {"state": "making"}
        assert meanwhile.figures == before.figures
        assert made(found, columns).document["history_days"] == DAYS + 5


def test_a_process_that_is_killed_is_told_and_made_up_for(folder: Path, columns: Columns) -> None:
    clock = Clock()
    with foresight(clock) as found:
        pipe = held(folder)
        found.look(columns)
        kill()
        told = made(found, columns)
        assert (told.document["state"], told.document["forecasts"], told.figures) == ("failed", [], ())
        problem = told.document["problems"][0]
        assert (problem["code"], problem["summary"]) == (
            "WEB008",
            "the forecast cannot be made: its process has ended with -9",
        )
        pipe.unlink()
        assert found.look(columns).document["state"] == "failed", "it waits before it tries again"
        clock.now += AGAIN
        assert found.look(columns).document["state"] == "making"
        told = made(found, columns)
        assert (told.document["state"], told.document["problems"]) == ("ok", [])


def test_what_was_made_before_stays_and_is_said_to_be_old(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Path(shutil.copytree(ROOT / "tests" / "hubs" / "mini", tmp_path / "mini"))
    columns = columns_of(str(hub))
    clock = Clock()
    with foresight(clock) as found:
        before = made(found, columns)
        clock.now += 3600
        places = hub / "sites.yaml"
        places.write_text(places.read_text().replace("units: 42", "units: many"))
        history(folder, lambda _, back: 2000.0, DAYS + 5)
        found.look(columns)
        told = made(found, columns)
        assert told.document["forecasts"] == before.document["forecasts"]
        assert told.figures == before.figures
        assert told.document["state"] == "failed"
        first, second = told.document["problems"]
        assert (first["code"], first["hint"]) == ("WEB008", "shown is that of 2026-03-02 00:00 UTC")
        assert "units" in second["address"] + second["summary"]
        assert "the forecast cannot be made" in caplog.text


def test_one_that_never_ends_is_given_up(folder: Path, columns: Columns) -> None:
    clock = Clock()
    with foresight(clock) as found:
        held(folder)
        found.look(columns)
        clock.now += LONGEST
        told = found.look(columns)
        assert told.document["problems"][0]["summary"] == "the forecast cannot be made: it was not made in 30 minutes"
        assert multiprocessing.active_children() == []


def test_a_server_says_that_it_is_being_made_and_never_loads_what_makes_it(folder: Path) -> None:
    pipe = held(folder)
    with served("mini", today=TODAY) as server:
        number = server.process.pid
        assert server.get("/api/v1/forecast").json()["state"] == "making"
        page = server.get("/forecast?lang=en", Accept="text/html").text
        assert "the forecast is being made" in page
        assert "no history" not in page
        assert "the forecast is being made" in server.get("/?lang=en", Accept="text/html").text
        assert "govhub_forecast_history_seconds{" not in server.get("/metrics/hub").text
        wait_for(lambda: loads(children(number)[0], "polars"), "its process is reading")
        pipe.write_bytes(b"no parquet")
        wait_for(lambda: server.get("/api/v1/forecast").json()["state"] == "ok", "it is made")
        assert "govhub_forecast_history_seconds{" in server.get("/metrics/hub").text
        assert children(number) == []
        assert loads(number, "numpy")
        assert not loads(number, "polars")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_server(folder: Path, number: signal.Signals) -> None:
    held(folder)
    with served("mini", today=TODAY) as server:
        wait_for(lambda: any(loads(item, "polars") for item in children(server.process.pid)), "it is being made")
        mine = children(server.process.pid)
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE) == (-9 if number == signal.SIGKILL else 0)
        assert server.process.stderr is not None
        # All who could write there have ended, too.
        assert server.process.stderr.read() == ""
        wait_for(lambda: not any(runs(item) for item in mine), "it has ended")


def test_an_answer_that_nobody_waits_for_is_no_traceback(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mine, theirs = multiprocessing.Pipe(duplex=False)
    mine.close()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=child, args=("mini", theirs))
    process.start()
    theirs.close()
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""


def test_a_terminal_sends_ctrl_c_to_both_and_only_the_server_minds(folder: Path) -> None:
    held(folder)
    command = [sys.executable, "-m", "govhub.cli", "serve", "mini", "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "address" in process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


def kill() -> None:
    """The end that a machine without memory gives it."""
    for item in multiprocessing.active_children():
        assert item.pid is not None
        os.kill(item.pid, signal.SIGKILL)


def runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def loads(number: int, library: str) -> bool:
    try:
        return library in Path(f"/proc/{number}/maps").read_text()
    except OSError:
        return False
