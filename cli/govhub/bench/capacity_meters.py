"""Benchmarks of meters: one poll of every agent through the real snmp_exporter, and readings of every rack."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

from govhub.bench.results import Result, timed
from govhub.core.settings import Env, content, settings_of
from govhub.inventory.loader import Hub, load
from govhub.lab.meters import processes
from govhub.lab.meters.center import Meters, State
from govhub.lab.meters.plan import Plan, plan_of
from govhub.monitoring.columns import Columns
from govhub.monitoring.live.readings import Readings, read
from govhub.monitoring.prometheus import Prometheus

INTERVAL = 30
AT_ONCE = 4
WAIT = 300.0


def yichang(runs: int) -> list[Result]:
    """All 10,800 racks of Yichang with two metered feeds each."""
    hub = load(content("inventories") / "yichang").hub
    assert hub is not None
    plan = plan_of(hub, {})
    with tempfile.TemporaryDirectory() as folder, settings_of({Env.HOME: folder}):
        meters = Meters(hub.name)
        try:
            state = meters.up(plan, interval=INTERVAL)
            readings = _readings(hub, meters, runs)
            # From here on nobody else polls.
            processes.end([process for process in state.processes if process.name == "prometheus"])
            return [readings, _polls(plan, state, runs)]
        finally:
            meters.down()


def _readings(hub: Hub, meters: Meters, runs: int) -> Result:
    columns = Columns(hub)
    client = Prometheus(meters.prometheus(), deadline=60)
    result = Result(name="meters-read-10800", unit="s")

    def known(found: Readings) -> int:
        return int((found.racks >= 0).sum())

    end = time.monotonic() + WAIT
    while known(read(client, columns, time.time())) < len(columns.racks.addresses):
        if time.monotonic() > end:
            raise TimeoutError("not every rack was polled")
        time.sleep(2)
    for _ in range(runs):
        result.ours.append(timed(lambda: read(client, columns, time.time())))
    result.note = f"{len(columns.racks.addresses):,} racks known of as many, {2 * len(columns.racks.addresses):,} feeds"
    return result


def _polls(plan: Plan, state: State, runs: int) -> Result:
    result = Result(name="meters-poll-10800", unit="s")
    exporter = next(process for process in state.processes if process.name == "snmp-exporter")
    pollers = [process for process in state.processes if process.name in ("agents", "snmp-exporter")]
    addresses = [
        f"http://{exporter.address}/snmp?module={agent.kind}&target={agent.address}:{state.port}"
        for agent in plan.agents
    ]

    def polled(address: str) -> int:
        with urlopen(address, timeout=60) as answer:  # noqa: S310  # our own exporter on the loopback
            return int(answer.read().count(b"\n"))

    before, lines = _used(pollers), 0
    for _ in range(runs):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            begun = time.perf_counter()
            lines = sum(pool.map(polled, addresses))
            result.ours.append(time.perf_counter() - begun)
    each = (_used(pollers) - before) / runs
    result.note = f"{len(addresses)} agents, {lines:,} lines; {each:.1f} s of processor time in agents and exporter"
    return result


def _used(found: list[processes.Process]) -> float:
    return sum(process.processor_seconds() for process in found)
