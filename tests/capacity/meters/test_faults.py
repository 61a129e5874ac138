"""The real agents, snmp_exporter and Prometheus of a small hub, and what is left of the figures when they misbehave."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable

import numpy as np
import pytest

from capacity.meters.conftest import packages, until
from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.lab.meters import processes
from govhub.lab.meters.center import Meters
from govhub.lab.meters.load import IDLE, NOISE
from govhub.lab.meters.plan import plan_of
from govhub.monitoring.columns import Columns
from govhub.monitoring.live.links import SPEED, read_links
from govhub.monitoring.live.readings import Readings, read
from govhub.monitoring.prometheus import Prometheus

pytestmark = packages
STUCK = 6.0


@pytest.fixture
def now(meters: Meters, columns: Columns) -> Callable[..., Readings]:
    def reads(*, stuck: float = 900.0) -> Readings:
        return read(Prometheus(meters.prometheus(), deadline=5), columns, time.time(), stuck_seconds=stuck)

    meters.rehearse({})
    until(lambda: not reads().problems)
    return reads


def codes(found: Readings) -> set[str]:
    return {text[:6] for text in found.problems}


def known(found: Readings) -> int:
    return int((~np.isnan(found.racks)).sum())


def test_idle_machines_draw_their_idle_share_over_both_feeds(now: Callable[..., Readings], columns: Columns) -> None:
    found = now()

    assert known(found) == 8
    loads = columns.loads.watts
    # Machines that run no pods have another duty, switches hardly any: all lie between idle and full.
    assert (found.racks >= loads * IDLE * (1 - NOISE) - 2).all()
    assert (found.racks <= loads).all()
    assert found.sides.sum(axis=0) == pytest.approx(found.racks)
    assert np.nanmax(found.age) < 10


@pytest.mark.parametrize(
    ("fault", "places", "code", "left"),
    [
        ("silent", ["jz/h1/r1"], "MTR011", 4),
        ("negative", ["jz/h1/r1/01"], "MTR012", 7),
        ("kilowatts", ["jz/h1/r2"], "MTR015", 4),
        ("declared_kilowatts", ["jz/h1/r2"], "MTR016", 4),
    ],
)
def test_what_is_wrong_is_unknown(
    now: Callable[..., Readings], meters: Meters, fault: str, places: list[str], code: str, left: int
) -> None:
    meters.rehearse({fault: places})
    until(lambda: known(now()) == left)
    assert code in codes(now())


def test_a_stuck_meter_is_told_from_those_that_move(now: Callable[..., Readings], meters: Meters) -> None:
    meters.rehearse({"stuck": ["jz/h1/r1/01"]})
    until(lambda: np.isnan(now(stuck=STUCK).racks[0]))
    assert "MTR013" in codes(now(stuck=STUCK))


def test_links_have_the_percentile_of_their_ports(now: Callable[..., Readings], meters: Meters, city: Hub) -> None:
    def found() -> object:
        links = read_links(Prometheus(meters.prometheus()), city, time.time(), span=60, step=2)
        figure = links.figures["fabric"]
        return figure if figure.known == figure.parts and not links.problems else None

    until(found)
    links = read_links(Prometheus(meters.prometheus()), city, time.time(), span=60, step=2)
    figure = links.figures["fabric"]
    # 2 leaves × 2 spines × 3 links, seen from both ends.
    assert (figure.parts, figure.denominator) == (24, 100e9)
    assert figure.numerator is not None
    assert 0.05e11 < figure.numerator < 0.8e11
    speeds = Prometheus(meters.prometheus()).instant({"speed": SPEED})["speed"]
    assert {sample.value for sample in speeds} == {25e9, 100e9}


def test_no_secret_is_seen_from_outside(now: Callable[..., Readings], meters: Meters) -> None:
    community = (meters.folder / "community").read_text()
    state = meters.state()
    assert state is not None
    assert len(community) > 16
    for process in state.processes:
        with open(f"/proc/{process.pid}/cmdline", "rb") as file:
            assert community.encode() not in file.read()
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            assert community.encode() not in file.read()
    for name in ("community", "snmp.yml"):
        assert (meters.folder / name).stat().st_mode & 0o077 == 0
    for log in meters.folder.glob("*.log"):
        assert community not in log.read_text()
    assert community not in str(meters.describe())


def test_stopped_and_ended_processes(now: Callable[..., Readings], meters: Meters, city: Hub) -> None:
    state = meters.state()
    assert state is not None
    pids = {process.name: process.pid for process in state.processes}

    # A process that stands still: nothing comes any more, and nothing hangs.
    os.kill(pids["agents"], signal.SIGSTOP)
    try:
        until(lambda: known(now_of(meters, city)) == 0, 60)
        assert codes(now_of(meters, city)) == {"MTR011"}
    finally:
        os.kill(pids["agents"], signal.SIGCONT)
    until(lambda: known(now_of(meters, city)) == 8)

    os.kill(pids["prometheus"], signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert codes(now_of(meters, city, deadline=1.0)) == {"MTR005"}
        assert time.monotonic() - begun < 4
    finally:
        os.kill(pids["prometheus"], signal.SIGCONT)

    os.kill(pids["prometheus"], signal.SIGKILL)
    until(lambda: meters.dead() == ["prometheus"])
    assert meters.prometheus() == ""
    assert meters.describe()["state"] == "incomplete"
    # `lab up` again brings it back, with its data.
    meters.up(plan_of(city, {}), interval=1)
    assert meters.dead() == []
    until(lambda: known(now_of(meters, city)) == 8)


def now_of(meters: Meters, city: Hub, deadline: float = 5.0) -> Readings:
    state = meters.state()
    assert state is not None
    address = next(process.address for process in state.processes if process.name == "prometheus")
    return read(Prometheus(f"http://{address}", deadline=deadline), Columns(city), time.time())


def test_up_again_changes_nothing_and_new_racks_are_metered(meters: Meters, city: Hub) -> None:
    before = meters.state()
    assert meters.up(plan_of(city, {}), interval=1) == before
    # Rules are another part's: they come as files, and Prometheus is started with them.
    rules = {"rules/own.yml": "groups: []\n"}
    after = meters.up(plan_of(city, {}), rules, interval=1)
    assert after != before
    assert meters.up(plan_of(city, {}), rules, interval=1) == after
    if processes.program("prometheus-alertmanager"):
        alerts = {"alertmanager.yml": "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"}
        state = meters.up(plan_of(city, {}), rules | alerts, interval=1)
        assert [process.name for process in state.processes][-2:] == ["alertmanager", "prometheus"]

        def known_there() -> object:
            with urllib.request.urlopen(f"{meters.prometheus()}/api/v1/alertmanagers", timeout=5) as answer:
                return json.load(answer)["data"]["activeAlertmanagers"]

        until(known_there)
    with pytest.raises(GovhubError, match="prometheus ended"):
        meters.up(plan_of(city, {}), {"rules/own.yml": "groups: [nonsense]\n"}, interval=1)
    meters.up(plan_of(city, {}), interval=1)


def test_a_running_serve_becomes_a_target(meters: Meters) -> None:
    meters.attach("http://127.0.0.1:9")
    state = meters.state()
    assert state is not None
    assert state.serve == "http://127.0.0.1:9"
    assert "http://127.0.0.1:9/sd" in (meters.folder / "prometheus.yml").read_text()

    def taken() -> bool:
        with urllib.request.urlopen(f"{meters.prometheus()}/api/v1/status/config", timeout=5) as answer:
            return b"http://127.0.0.1:9/sd" in answer.read()

    until(taken)


def test_down_leaves_nothing(meters: Meters, city: Hub) -> None:
    state = meters.state()
    assert state is not None
    meters.down()
    assert not any(process.alive for process in state.processes)
    assert not meters.folder.exists()
    assert meters.describe()["state"] == "absent"
    meters.down()
