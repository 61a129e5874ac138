"""The registry of benchmarks; later parts of the project add theirs here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from govhub.bench import (
    capacity,
    capacity_forecast,
    capacity_map,
    capacity_meters,
    capacity_scrape,
    capacity_whatif,
    engine,
    governor,
    hostread,
    hosts,
    local,
    mariadb_movers,
    migration,
    movers,
    verification,
    waves,
)
from govhub.bench.results import Result
from govhub.core.errors import UsageError
from govhub.core.text import did_you_mean

STOCK_LIMIT = 420.0


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named group of measurements; ``default`` ones run when no name is given."""

    name: str
    about: str
    run: Callable[[int], list[Result]]
    runs: int
    default: bool = True


_EVERYTHING = {"create", "noop", "drift"}
BENCHMARKS = {
    item.name: item
    for item in (
        Benchmark("help", "start-up of the command line", local.start_up, 7),
        Benchmark("validate", "all five hubs", local.validate_all, 5),
        Benchmark("plan", "engine-free plan of Jinzhou", local.plan_jinzhou, 5),
        Benchmark("load", "racks from patterns, four sizes", local.load_racks, 5),
        Benchmark(
            "capacity-rollup",
            "columns and all figures with failover: 10,800 and 80,000 racks, and 4 and 16 times the first",
            lambda runs: capacity.roll_up((10_800, 43_200, 80_000, 172_800), runs),
            5,
        ),
        Benchmark(
            "capacity-scrape",
            "640,000 series rendered, prometheus-client beside it; a real server scraped, three sizes",
            lambda runs: [
                *capacity_scrape.render((10_800, 43_200, 80_400, 172_800), 80_400, runs),
                *capacity_scrape.scrape((10_800, 43_200, 80_400), runs),
            ],
            3,
        ),
        Benchmark(
            "capacity-forecast",
            "10,800 racks over 365 days from Parquet to dates, and 4 and 16 times as many",
            lambda runs: capacity_forecast.forecasts((10_800, 43_200, 172_800), runs),
            3,
        ),
        Benchmark(
            "capacity-map",
            "the map of 10,800 and 80,000 racks: at the server, drawn in Chromium, a frame while it is moved",
            lambda runs: [*capacity_map.map_page(10_800, runs), *capacity_map.map_page(80_000, runs)],
            5,
        ),
        Benchmark(
            "capacity-what-if",
            "500 servers placed on 10,800 racks, and on 4 and 16 times as many",
            lambda runs: capacity_whatif.place((10_800, 43_200, 172_800), runs),
            5,
        ),
        Benchmark(
            "capacity-meters", "poll and read the meters of 10,800 racks", capacity_meters.yichang, 5, default=False
        ),
        Benchmark("nodes", "a lab of 1,000 nodes", local.lab_nodes, 1),
        Benchmark("600", "600 objects", lambda runs: engine.create_and_after(600, runs, _EVERYTHING), 3),
        Benchmark("hosts", "20 real hosts in the lab (root)", lambda runs: hosts.grow((20,), runs), 1, default=False),
        Benchmark(
            "hosts-growth", "5, 20 and 60 real hosts", lambda runs: hosts.grow((5, 20, 60), runs), 1, default=False
        ),
        Benchmark(
            "hosts-verify", "all roles over 8 hosts as declared", lambda runs: hosts.verify(8, runs), 3, default=False
        ),
        Benchmark("hosts-facts", "facts of 20 real hosts", lambda runs: hostread.facts((20,), runs), 5, default=False),
        Benchmark("hosts-lynis", "hardening index of lynis, bare and declared", hostread.lynis, 1, default=False),
        Benchmark(
            "hosts-base",
            "the base role on 8 hosts with nothing to do, pyinfra and plain Ansible beside it",
            lambda runs: hostread.base(8, runs),
            3,
            default=False,
        ),
        Benchmark(
            "migrate-waves",
            "120, 500 and 1,000 systems planned into waves, and the command as a process",
            lambda runs: waves.plan_waves((120, 500, 1000), runs),
            3,
        ),
        Benchmark("migrate-events", "entries into the record of migrations", migration.events, 5),
        Benchmark(
            "migrate-parked", "1,000 runs that wait", lambda runs: migration.parked(1000, runs), 1, default=False
        ),
        Benchmark(
            "migrate-verify",
            "two PostgreSQL servers, 10 tables of 50,000 rows, and scans by md5 beside it",
            lambda runs: verification.compare(10, 50_000, runs),
            5,
        ),
        Benchmark(
            "migrate-verify-2g",
            "the same with 50 tables of 200,000 rows, more than 2 GB on each side",
            lambda runs: verification.compare(50, 200_000, runs),
            3,
            default=False,
        ),
        Benchmark(
            "migrate-copy",
            "first copy of 200 MB in 12 tables, against dump and restore and against plain replication",
            lambda runs: movers.copies(200, 12, runs),
            3,
            default=False,
        ),
        Benchmark(
            "migrate-copy-large",
            "the same with 2 GB in 50 tables",
            lambda runs: movers.copies(2048, 50, runs),
            1,
            default=False,
        ),
        Benchmark(
            "migrate-copy-mariadb",
            "first copy of a MariaDB database of 200 MB in 8 tables, against mariadb-dump in one stream",
            lambda runs: mariadb_movers.copies(200, 8, runs),
            3,
            default=False,
        ),
        Benchmark(
            "migrate-cutover",
            "pause of writes at cutovers there and back, 500 commits a second; every acknowledged commit is looked for",
            movers.cutovers,
            20,
            default=False,
        ),
        Benchmark(
            "migrate-governor",
            "what a copy of 160 MB takes of its source while others work there in bursts",
            governor.governed,
            1,
            default=False,
        ),
        Benchmark("postgres", "600 objects, state in PostgreSQL", lambda runs: engine.in_postgresql(600, runs), 2),
        Benchmark(
            "growth",
            "150 and 2,400 objects (1x and 16x; 4x is the benchmark 600), ours only compared to itself",
            lambda runs: engine.growth((150, 600, 2400), runs),
            1,
        ),
        Benchmark(
            "3000",
            "3,000 objects; stock is stopped when the ratio is decided",
            lambda runs: engine.create_and_after(3000, runs, {"create"}, STOCK_LIMIT),
            1,
        ),
    )
}


def select(names: Iterable[str]) -> list[Benchmark]:
    """The named benchmarks, or the default ones.

    Raises:
        UsageError: a name is not known.
    """
    wanted = list(names)
    for name in wanted:
        if name not in BENCHMARKS:
            hint = did_you_mean(name, BENCHMARKS) or f"known: {', '.join(BENCHMARKS)}"
            raise UsageError.one("BEN001", f'there is no benchmark "{name}"', hint=hint)
    return [BENCHMARKS[name] for name in wanted] or [item for item in BENCHMARKS.values() if item.default]


def run(benchmarks: Iterable[Benchmark], runs: int | None = None) -> Iterator[Result]:
    """Run one after the other and yield results as they come."""
    for item in benchmarks:
        yield from item.run(runs or item.runs)
