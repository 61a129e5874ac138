"""What links carry: the 95th percentile of a day, port by port, as switches count octets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from govhub.core.errors import GovhubError
from govhub.core.text import and_more
from govhub.inventory.loader import Hub
from govhub.inventory.ports import Port, ports_of
from govhub.monitoring.arithmetic.figure import Figure, Floats, unknown, worst
from govhub.monitoring.arithmetic.traffic import busier_way
from govhub.monitoring.prometheus import Prometheus, Sample, Series, quoted

RECEIVED = "govhub_meter_port_receive_bytes_total"
SENT = "govhub_meter_port_transmit_bytes_total"
SPEED = "govhub_meter_port_speed_bits_per_second"
DAY = 86400.0
STEP = 300.0
"""Seconds of one mean, as lines are billed by."""
OVER = 1.02
"""Times its speed that no port can carry."""
_Key = tuple[str, str]
"""Device and port."""


@dataclass(frozen=True)
class Links:
    """The busiest port of each declared link: p95 of its busier direction in bit/s, of its speed."""

    figures: dict[str, Figure]
    problems: list[str]


def read_links(client: Prometheus, hub: Hub, now: float, *, span: float = DAY, step: float = STEP) -> Links:
    """Ask Prometheus what every port of a declared link carried. Never raises; see ``readings.read``.

    Args:
        client: Where to ask.
        hub: The hub; ports are those of ``govhub.inventory.ports``.
        now: Unix time of this machine.
        span: Seconds that are looked back.
        step: Seconds of one mean.
    """
    carried: defaultdict[str, list[tuple[str, Port]]] = defaultdict(list)
    for device, ports in ports_of(hub).items():
        for port in ports:
            if port.link:
                carried[port.link].append((device, port))
    if not carried:
        return Links({}, [])
    name = f"{{hub={quoted(hub.name)}}}"
    window = f"{2 * step:.0f}s"
    # A counter that is younger than the window would make too low a rate.
    rates = {
        way: f"rate({metric}{name}[{window}]) * 8 and {metric}{name} offset {window}"
        for way, metric in (("in", RECEIVED), ("out", SENT))
    }
    try:
        found = client.ranges(rates, now - span, now, step)
        speeds = _speeds(client.instant({"speed": f"{SPEED}{name}"})["speed"])
    except GovhubError as error:
        first = error.diagnostics[0]
        return Links(_unknown(carried), [f"{first.code} {first.summary}"])
    times = int(span // step) + 1
    ways = [_rows(found[way], now - span, step, times) for way in ("in", "out")]
    problems: list[str] = []
    return Links({link: _figure(ports, ways, times, speeds, problems) for link, ports in carried.items()}, problems)


def _figure(
    ports: list[tuple[str, Port]],
    ways: Iterable[Mapping[_Key, Floats]],
    times: int,
    speeds: Mapping[_Key, float],
    problems: list[str],
) -> Figure:
    nothing = np.full(times, np.nan)
    inward, outward = (np.stack([way.get((device, port.name), nothing) for device, port in ports]) for way in ways)
    limit = np.array([port.gbps * 1e9 for _, port in ports])
    used = busier_way(inward, outward)
    names = [f"{device} {port.name}" for device, port in ports]
    runs = np.array([speeds.get((device, port.name), np.nan) for device, port in ports])
    slow = ~np.isnan(runs) & (runs != limit)
    with np.errstate(invalid="ignore"):
        over = used > OVER * limit
    for wrong, what in ((slow, "run at another speed than their link is declared with"), (over, "carry more than can")):
        if wrong.any():
            told = and_more([names[place] for place in np.flatnonzero(wrong)], 3)
            problems.append(" ".join(("MTR021", f"ports that {what}: {told}")))
    return worst(np.where(slow | over, np.nan, used), limit, "bit/s", names)


def _rows(series: Iterable[Series], start: float, step: float, times: int) -> dict[_Key, Floats]:
    """The values of each port at ``times`` moments; NaN where there is none. Of two series of a port the higher."""
    rows: dict[_Key, Floats] = {}
    for item in series:
        key = item.labels.get("device", ""), item.labels.get("port", "")
        row = rows.setdefault(key, np.full(times, np.nan))
        for at, value in item.points:
            place = round((at - start) / step)
            if 0 <= place < times:
                row[place] = np.fmax(row[place], value)
    return rows


def _speeds(samples: Iterable[Sample]) -> dict[_Key, float]:
    return {(item.labels.get("device", ""), item.labels.get("port", "")): item.value for item in samples}


def _unknown(carried: Mapping[str, list[tuple[str, Port]]]) -> dict[str, Figure]:
    return {link: unknown("bit/s", len(ports)) for link, ports in carried.items()}
