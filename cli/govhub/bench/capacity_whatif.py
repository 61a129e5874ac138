"""Benchmark of what-ifs: 500 servers placed on a loaded hub with a power tree, every single loss survived."""

from __future__ import annotations

from collections.abc import Iterable

from govhub.bench.capacity import powered_hub
from govhub.bench.results import Result, timed
from govhub.inventory.loader import Hub
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.changes import changes
from govhub.monitoring.placing.derive import placed
from govhub.monitoring.placing.need import BUILT_IN
from govhub.monitoring.placing.place import Order, Placer

SERVERS = 500
LIMITS = {10_800: 2.0}


def place(sizes: Iterable[int], runs: int) -> list[Result]:
    """From a loaded hub to racks and to what changes on every level: columns, tree, placement, comparison.

    Every rack holds a host with two supplies already, so that every machine more meets loads and losses.
    """
    out = []
    for racks in sizes:
        hub = powered_hub(racks)
        result = Result(name=f"capacity-what-if-{racks}", unit="s", limit=LIMITS.get(racks))
        for _ in range(runs):
            result.ours.append(timed(lambda: _ask(hub)))  # noqa: B023
        result.note = f"{SERVERS} servers spread over {len(hub.topology.racks):,} racks"
        out.append(result)
    return out


def _ask(hub: Hub) -> None:
    columns = Columns(hub)
    need = BUILT_IN["server"]
    found = Placer(columns, need, columns.inside("")).run(SERVERS, Order.SPREAD)
    if found.placed != SERVERS or not changes(columns, placed(columns, need, found.counts)):
        raise RuntimeError("the servers should fit, and take something")
