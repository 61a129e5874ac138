"""Benchmarks that need no engine: loading, validating, planning, starting up, and the lab itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from govhub.bench.engine import arena
from govhub.bench.results import Result, timed
from govhub.bench.synthetic import write_hub
from govhub.core.settings import Env, content, today
from govhub.inventory.checks import check_hub
from govhub.inventory.loader import load
from govhub.ops.lab import lab_up

CITIES = ("dazu", "huating", "jinzhou", "langfang", "yichang")


def start_up(runs: int) -> list[Result]:
    """``--help`` as a whole process."""
    return [whole_process("help", ["--help"], runs, limit=0.3)]


def validate_all(runs: int) -> list[Result]:
    """``validate`` of the five cities as a whole process."""
    return [whole_process("validate-all", ["validate", *CITIES, "--json"], runs, limit=4.0)]


def plan_jinzhou(runs: int) -> list[Result]:
    """The engine-free plan of Jinzhou as a whole process, with no state."""
    return [whole_process("plan-jinzhou", ["plan", "jinzhou", "--json"], runs, limit=10.0)]


def load_racks(runs: int) -> list[Result]:
    """Reading a hub and expanding its racks, at 10,800 and 80,000 and at sixteen times the first."""
    out = []
    for racks, limit in ((10_800, 1.0), (43_200, None), (80_000, 3.0), (172_800, None)):
        result = Result(name=f"load-{racks}-racks", unit="s", limit=limit)
        with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
            hub = write_hub(Path(scratch) / "synthetic", racks=racks)
            result.ours = [timed(partial(_expand, hub, racks)) for _ in range(runs)]
        out.append(result)
    shipped = Result(name="load-yichang-phase3", unit="s", limit=3.0, note="80,000 racks, power tree and checks")
    shipped.ours = [timed(_checked) for _ in range(runs)]
    return [*out, shipped]


def _checked() -> None:
    loaded = load(content("inventories", "yichang-phase3"))
    if loaded.hub is None or len(loaded.hub.topology.racks) != 80_000:
        raise RuntimeError("the hub did not load")
    if check_hub(loaded.hub, today()):
        raise RuntimeError("the hub is not valid")


def lab_nodes(runs: int) -> list[Result]:
    """A lab of 1,000 nodes, from nothing to all nodes made."""
    result = Result(name="lab-1000-nodes", unit="s")
    for _ in range(runs):
        with arena(16) as place:
            result.ours.append(timed(lambda: _grow(place.hub, 1000)))
    return [result]


def _grow(hub: Path, nodes: int) -> None:
    found = lab_up(str(hub), nodes, lambda _: None)
    if found["clusters"][0]["nodes"] < nodes:
        raise RuntimeError(f"only {found['clusters'][0]['nodes']} nodes")


def _expand(hub: Path, racks: int) -> None:
    loaded = load(hub)
    if loaded.hub is None or len(loaded.hub.topology.racks) < racks:
        raise RuntimeError("the hub did not load")


def whole_process(name: str, args: list[str], runs: int, *, limit: float) -> Result:
    """A command in a process of its own, in an empty home; once more beforehand, unmeasured."""
    with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
        environment = os.environ | {Env.HOME: scratch, Env.INVENTORIES: str(content("inventories"))}
        command = [sys.executable, "-m", "govhub.cli", *args]

        def run() -> None:
            subprocess.run(command, env=environment, check=True, capture_output=True)

        run()
        return Result(name=name, unit="s", limit=limit, ours=[timed(run) for _ in range(runs)])
