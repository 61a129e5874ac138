"""Benchmark of the forecast: racks over a year, from Parquet to dates, at several sizes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from statistics import median

from govhub.bench.capacity import write_powered_hub
from govhub.bench.results import Result, timed
from govhub.inventory.loader import load
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.made_up import make_up
from govhub.monitoring.forecast.outlook import Outlooks, forecast
from govhub.monitoring.forecast.store import History

DAYS = 365
LIMITS = {10_800: 2.0}
LAST = date(2026, 10, 31)


def forecasts(sizes: Iterable[int], runs: int) -> list[Result]:
    """Measured power of every rack, row, hall, site and the hub, with back-tests, from a history on disk."""
    out = []
    for racks in sizes:
        with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
            loaded = load(write_powered_hub(Path(scratch) / "synthetic", racks))
            if loaded.hub is None:
                raise RuntimeError("the hub did not load")
            columns = Columns(loaded.hub)
            places = columns.racks.addresses
            top = float(columns.racks.rated[0])
            folder = Path(scratch) / "history"
            rows = make_up(History(folder), "power", places, LAST, DAYS, top)
            result = Result(name=f"capacity-forecast-{racks}", unit="s", limit=LIMITS.get(racks))
            busy = []
            for _ in range(runs):
                begun = time.process_time()
                result.ours.append(timed(lambda: _one(columns, folder)))  # noqa: B023
                busy.append(time.process_time() - begun)
            found = _one(columns, folder)
            size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 2**20
            shown = f"{len(places):,} racks, {rows:,} daily values, {size:.0f} MiB"
            # On a machine that others work on, seconds of CPU say more than the clock does.
            result.note = f"{shown}, {len(found.racks):,} racks run out, {median(busy):.2f} s of CPU"
            out.append(result)
    return out


def _one(columns: Columns, folder: Path) -> Outlooks:
    found = forecast(columns, History(folder), LAST, resources=["power"])
    told = sum(found.counts["power"].values())
    if told != len(columns.racks.addresses) or not found.racks or found.as_of != LAST:
        raise RuntimeError("the forecast is not of all racks")
    return found
