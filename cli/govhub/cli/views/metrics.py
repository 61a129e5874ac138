"""Figures of migrations in the text format of Prometheus; the one place that knows its client library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from govhub.migration.movers.protocol import Progress
    from govhub.ops.migration.figures import Figures

_PREFIX = "govhub_migration_"
_STATES = ("running", "waiting", "failed")


def exposition(figures: Figures) -> str:
    """The page, for node_exporter's textfile collector: gauges without timestamps, bytes and seconds."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures))
    return generate_latest(registry).decode()


class _Collector:
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield from _systems(self._figures)
        yield from _runs(self._figures)
        yield from _moves(self._figures)


def _systems(figures: Figures) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily as Gauge

    stages = Gauge(f"{_PREFIX}systems", "Systems by the stage that their record says.", labels=("hub", "stage"))
    for stage, count in figures.stages.items():
        stages.add_metric((figures.hub, stage), count)
    yield stages
    broken = Gauge(f"{_PREFIX}broken_records", "Systems whose chain of events is broken.", labels=("hub",))
    broken.add_metric((figures.hub,), figures.broken)
    yield broken
    switched = Gauge(f"{_PREFIX}switched_systems", "Systems whose users are on the target.", labels=("hub",))
    switched.add_metric((figures.hub,), figures.switched)
    yield switched
    text = "When something was entered into a system's record last."
    last = Gauge(f"{_PREFIX}last_event_timestamp_seconds", text, labels=("hub", "system"))
    for system, time in figures.last_event.items():
        last.add_metric((figures.hub, system), time.timestamp())
    yield last
    made = Gauge(f"{_PREFIX}scrape_timestamp_seconds", "When these figures were taken.", labels=("hub",))
    made.add_metric((figures.hub,), figures.at.timestamp())
    yield made


def _runs(figures: Figures) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily as Gauge

    names = ("hub", "system", "itinerary", "state")
    runs = Gauge(f"{_PREFIX}run_state", "1 for the state that an open run is in, 0 for the others.", labels=names)
    text = "Since when an open run is in its phase."
    phases = Gauge(f"{_PREFIX}phase_start_timestamp_seconds", text, labels=("hub", "system", "itinerary", "phase"))
    age = Gauge(
        f"{_PREFIX}phase_age_seconds", "How long an open run is in its phase.", labels=("hub", "system", "phase")
    )
    failures = Gauge(
        f"{_PREFIX}run_failed_attempts", "Attempts at phases of an open run that failed.", labels=names[:3]
    )
    for run in figures.runs:
        key = (figures.hub, run.system, run.itinerary)
        for state in _STATES:
            runs.add_metric((*key, state), float(state == run.state))
        failures.add_metric(key, run.failures)
        if run.phase_begun:
            phases.add_metric((*key, run.phase), run.phase_begun.timestamp())
            age.add_metric(
                (figures.hub, run.system, run.phase), max((figures.at - run.phase_begun).total_seconds(), 0.0)
            )
    yield from (runs, phases, age, failures)


def _moves(figures: Figures) -> Iterator[Metric]:
    """By move; what its servers did not tell is no sample."""
    from prometheus_client.core import GaugeMetricFamily as Gauge

    read: dict[str, tuple[str, Callable[[Progress], float | None]]] = {
        "copied_bytes": ("Bytes that are on the target.", lambda item: item.bytes_done),
        "size_bytes": ("Bytes that are to be copied.", lambda item: item.bytes_total),
        "copy_rate_bytes_per_second": ("Bytes a second since the copy began.", lambda item: item.rate),
        "copy_remaining_seconds": ("Seconds until all is copied, at that rate.", lambda item: item.eta),
        "replication_lag_bytes": ("Bytes that the receiving side is behind.", lambda item: item.lag.bytes),
        "replication_lag_seconds": ("Seconds that the receiving side is behind.", lambda item: item.lag.seconds),
        "retained_log_bytes": ("Bytes of log that the source keeps for the move.", lambda item: item.retained),
    }
    for name, (text, value) in read.items():
        metric = Gauge(f"{_PREFIX}{name}", text, labels=("hub", "system", "move"))
        for (system, move), progress in figures.moves.items():
            found = value(progress)
            if found is not None:
                metric.add_metric((figures.hub, system, move), found)
        yield metric
