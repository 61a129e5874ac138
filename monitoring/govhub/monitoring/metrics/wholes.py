"""Samples of the hub as a whole: power tree, network, departments, pools, ledger, forecasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from govhub.inventory.loader import Hub
from govhub.inventory.model.ledger import STAGES
from govhub.inventory.patterns import expand
from govhub.monitoring.arithmetic.figure import Figure, Floats
from govhub.monitoring.columns import Columns
from govhub.monitoring.compute import Pod, departments, pool_headroom
from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.blocks import Block, block
from govhub.monitoring.metrics.catalogue import ELEMENT, FAMILIES
from govhub.monitoring.metrics.writing import Prefixes
from govhub.monitoring.network import layers

GIGA = 1e9
DAY = 86_400.0
Samples = dict[tuple[str, ...], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When one resource of a hall is used up; times are Unix times, None is unknown."""

    site: str
    hall: str
    resource: str
    exhaustion: Mapping[str, float | None]
    """By quantile, such as ``0.5``."""
    order_by: float | None = None
    backtest_error: float | None = None
    history_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What does not stand in the hub's files."""

    today: date
    """Which months of the ledger have ended."""
    pods: Sequence[Pod] | None = None
    """Of all clusters; None when none was asked."""
    forecasts: Sequence[Forecast] = ()


def blocks_of_hub(halls: Halls, extras: Extras) -> Iterator[Block]:
    """Everything that is of no single hall."""
    hub = halls.columns.hub
    yield from _power(halls.columns)
    yield from _network(hub)
    yield from _departments(hub, extras.pods)
    yield from _pools(hub)
    yield _ledger(hub, extras.today)
    known = set(halls.columns.halls)
    yield from blocks_of_forecasts([item for item in extras.forecasts if f"{item.site}/{item.hall}" not in known])


def _power(columns: Columns) -> Iterator[Block]:
    elements, load = columns.elements, columns.tree_load
    sites = _sites(columns)
    kinds = [elements.kind_names[kind] for kind in elements.kind.tolist()]
    rows = list(zip(sites, elements.names, kinds, strict=True))
    above = [*elements.names, ""]  # -1, the top, is the empty one
    info = [(*row, above[parent]) for row, parent in zip(rows, elements.parents.tolist(), strict=True)]
    name = "govhub_power_info"
    yield Block(name, Prefixes(FAMILIES[name].labels, info), np.ones(len(rows)))
    prefixes = Prefixes(ELEMENT, rows)
    values: dict[str, Floats] = {
        "govhub_power_capacity_watts": elements.capacity,
        "govhub_power_load_watts": load.carried(after_loss=False),
        "govhub_power_failover_watts": load.carried(after_loss=True),
    }
    for family, watts in values.items():
        yield Block(family, prefixes, watts)


def _sites(columns: Columns) -> list[str]:
    """The site that each element feeds; empty when it feeds several, or none."""
    names = sorted({hall.split("/")[0] for hall in columns.halls})
    fed = np.zeros((len(columns.elements.names), len(names)), dtype=bool)
    for place, hall in enumerate(columns.halls):
        fed[:, names.index(hall.split("/")[0])] |= columns.halls_of_elements[:, place]
    one = fed.sum(axis=1) == 1
    first = fed.argmax(axis=1) if names else np.zeros(len(fed), dtype=np.int64)
    return [names[place] if single else "" for place, single in zip(first.tolist(), one.tolist(), strict=True)]


def _network(hub: Hub) -> Iterator[Block]:
    capacity: defaultdict[tuple[str, ...], float] = defaultdict(float)
    devices = hub.topology.devices
    for link in hub.model.links:
        lower = expand(link.lower)
        # A link is of the layer whose way up it is; hosts with ports are the lowest one.
        layer = devices[lower[0]].role if lower and lower[0] in devices else "host"
        capacity[link.name, layer] += link.gbps * link.count * len(lower) * len(expand(link.upper)) * GIGA
    for circuit in hub.model.circuits:
        capacity[circuit.name, circuit.kind.value] += circuit.gbps * circuit.count * GIGA
    yield block("govhub_link_capacity_bits_per_second", capacity)
    ratios: Samples = {(str(item["role"]),): _figure(item["oversubscription"]).ratio for item in layers(hub)}
    yield block("govhub_layer_oversubscription_ratio", ratios)


def _departments(hub: Hub, pods: Sequence[Pod] | None) -> Iterator[Block]:
    found: dict[tuple[str, ...], dict[str, object]] = {(str(item["tenant"]),): item for item in departments(hub, pods)}
    yield block("govhub_tenant_quota_cores", {key: _number(item["quota_cores"]) for key, item in found.items()})
    for part in ("requests", "usage"):
        values = {key: _figure(item[part]).numerator for key, item in found.items()}
        yield block(f"govhub_tenant_{part}_cores", values)
    yield block("govhub_tenant_power_watts", {key: _number(item["watts"]) for key, item in found.items()})


def _pools(hub: Hub) -> Iterator[Block]:
    found = {
        (str(item["cluster"]), str(item["pool"]), str(item["arch"])): _figure(item["cores"])
        for item in pool_headroom(hub)
    }
    yield block("govhub_pool_requests_cores", {key: item.numerator for key, item in found.items()})
    yield block("govhub_pool_capacity_after_loss_cores", {key: item.denominator for key, item in found.items()})


def _ledger(hub: Hub, today: date) -> Block:
    """Each stage as the last month that has ended and says it."""
    tomorrow = today + timedelta(days=1)
    ended = f"{tomorrow.year:04d}-{tomorrow.month:02d}"  # this month counts on its last day
    found: Samples = {}
    for entry in sorted(hub.model.ledger, key=lambda entry: entry.month):
        if entry.month < ended:
            said = {stage: getattr(entry, stage) for stage in STAGES}
            found |= {(entry.site, stage): value for stage, value in said.items() if value is not None}
    return block("govhub_ledger_standard_racks", dict(sorted(found.items())))


def blocks_of_forecasts(forecasts: Sequence[Forecast]) -> Iterator[Block]:
    """Forecasts, of one hall or of several."""
    quantiles: Samples = {}
    told: dict[str, Samples] = {"order_by": {}, "error": {}, "known": {}}
    for item in forecasts:
        key = (item.site, item.hall, item.resource)
        quantiles |= {(*key, quantile): value for quantile, value in item.exhaustion.items()}
        told["order_by"][key] = item.order_by
        told["error"][key] = item.backtest_error
        told["known"][key] = None if item.history_days is None else item.history_days * DAY
    yield block("govhub_forecast_exhaustion_timestamp_seconds", quantiles)
    yield block("govhub_forecast_order_by_timestamp_seconds", told["order_by"])
    yield block("govhub_forecast_backtest_error_ratio", told["error"])
    yield block("govhub_forecast_history_seconds", told["known"])


def _figure(value: object) -> Figure:
    assert isinstance(value, Figure)
    return value


def _number(value: object) -> float | None:
    assert value is None or isinstance(value, int | float)
    return value
