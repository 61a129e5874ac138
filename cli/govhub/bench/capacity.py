"""Benchmarks of capacity: a loaded hub with a power tree as columns, and the full roll-up with every single loss."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from govhub.bench.results import Result, timed
from govhub.bench.synthetic import base_document
from govhub.inventory.loader import Hub, load
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls

PER_ROW, ROWS = 40, 30
"""Racks of a row and rows of a hall: 1,200 racks a hall, as the large halls of published centers."""
LIMITS = {80_000: 1.0}


def roll_up(sizes: Iterable[int], runs: int) -> list[Result]:
    """Columns of a loaded hub, and all figures of it and of each hall with failover, at several sizes.

    Every rack holds a host with two supplies and has two feeds, so that every loss moves something.
    """
    out = []
    for racks in sizes:
        hub = powered_hub(racks)
        turned = Result(name=f"capacity-columns-{racks}", unit="s")
        rolled = Result(name=f"capacity-rollup-{racks}", unit="s", limit=LIMITS.get(racks))
        for _ in range(runs):
            columns = Columns(hub)
            turned.ours.append(timed(lambda: _turn(columns)))  # noqa: B023
            rolled.ours.append(timed(lambda: _roll(columns)))  # noqa: B023
        sizes_of = (len(columns.racks.addresses), len(columns.elements.names), len(columns.halls))
        rolled.note = "{:,} racks, {:,} elements, {} halls".format(*sizes_of)
        out += [turned, rolled]
    return out


def write_powered_hub(folder: Path, racks: int) -> Path:
    """A hub of at least ``racks`` racks in halls of 1,200, with two sides of power and a host in each rack."""
    halls = -(-racks // (PER_ROW * ROWS))
    document = base_document(ROWS, PER_ROW, 12)
    one = document["sites"][0]["halls"][0]["rows"]
    document["sites"][0]["halls"] = [{"name": f"h{hall:03d}", "rows": one} for hall in range(1, halls + 1)]
    document["sites"][0]["tier"] = "A"
    numbers, rows, places = f"{{001..{halls:03d}}}", f"r{{001..{ROWS:03d}}}", f"{{001..{PER_ROW:03d}}}"
    everywhere = f"a/h{numbers}/{rows}/{places}"
    host: dict[str, Any] = document["hosts"][0]
    count = halls * PER_ROW * ROWS
    host |= {"names": f"node{{000001..{count:06d}}}", "racks": everywhere, "unit": 1}
    ups = f"ups-{{a,b}}-{numbers}-{{1..2}}"
    document["power"] = [
        {"names": "grid-{a,b}", "kind": "utility", "kw": 1_000_000},
        {"names": f"tx-{{a,b}}-{numbers}", "kind": "transformer", "fed_by": "grid-{a,b}", "kva": 4000},
        {"names": ups, "kind": "ups", "fed_by": f"tx-{{a,b}}-{numbers}", "kw": 1500},
        {
            "names": f"bw-{{a,b}}-{numbers}-{rows}",
            "kind": "busway",
            "fed_by": f"ups-{{a,b}}-{numbers}-{{1..2}}",
            "amps": 250,
        },
    ]
    document["feeds"] = [
        {"racks": everywhere, "side": side, "fed_by": f"bw-{side}-{numbers}-{rows}", "breaker_amps": 32}
        for side in "ab"
    ]
    document["cooling"] = [
        {"names": f"crah-{numbers}-{{01..24}}", "kind": "crah", "halls": f"a/h{numbers}", "kw": 140},
    ]
    folder.mkdir(parents=True)
    (folder / "hub.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def powered_hub(racks: int) -> Hub:
    """The hub of ``write_powered_hub``, loaded.

    Raises:
        RuntimeError: it has not what it should have.
    """
    with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
        loaded = load(write_powered_hub(Path(scratch) / "synthetic", racks))
    if loaded.hub is None:
        raise RuntimeError("the hub did not load")
    found = loaded.hub.topology
    if len(found.racks) < racks or len(found.hosts) < racks or found.findings:
        raise RuntimeError("the hub has not the racks and hosts it should have")
    return loaded.hub


def _turn(columns: Columns) -> None:
    _ = (columns.racks, columns.loads, columns.elements, columns.feeds, columns.breakers, columns.cooling)


def _roll(columns: Columns) -> None:
    halls = Halls(columns)
    halls.figures(columns.inside(""))
    for name in columns.halls:
        halls.figures(columns.racks.hall == columns.halls.index(name))
        halls.hall(name)
        halls.binds(name)
    if not (columns.tree_load.failover.sum() > 1.5 * columns.tree_load.normal.sum()):
        raise RuntimeError("no loss moved anything")
