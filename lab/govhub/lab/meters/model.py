"""The state of the metered world: what every feed carries now, what it has carried, and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from govhub.lab.meters import load, wire
from govhub.lab.meters.load import Machine
from govhub.lab.meters.plan import Agent, Feed, Plan
from govhub.lab.meters.tables import (
    FEED_CURRENT,
    FEED_ENERGY,
    IF_IN,
    IF_OUT,
    KILO,
    SENSOR_SCALE,
    SENSOR_VALUE,
    SYS_NAME,
    UNITS,
    Table,
    ports_layout,
    sensors_layout,
)

COOLING = 0.18
"""W of cooling for each W of machines: what a PUE near 1.25 leaves for it."""
UPS_LOSS = 0.04
UPS_IDLE = 60.0
"""W that a rack's share of the UPS loses without any load."""
LIGHTING = 8.0
"""W a rack."""
CATEGORIES = ("it", "cooling", "ups_loss", "lighting", "total")
Pods = Mapping[tuple[str, str], tuple[str, int]]
"""By namespace and name: node and requested millicores."""
PodKey = tuple[str, str, str]
"""Cluster, namespace and name."""
FAULTS = ("silent", "stuck", "negative", "kilowatts", "declared_kilowatts")
Key = tuple[str, str]
"""Address of a rack and side; or a hall and category; or a device and ``port in`` or ``port out``."""


@dataclass(slots=True)
class World:
    """What all agents tell; ``tick`` moves it on."""

    plan: Plan
    watts: dict[Key, float] = field(default_factory=dict)
    joules: defaultdict[Key, float] = field(default_factory=lambda: defaultdict(float))
    octets: defaultdict[Key, float] = field(default_factory=lambda: defaultdict(float))
    pods: dict[str, Pods] = field(default_factory=dict)
    """By cluster. Kept when an API server is away: machines go on drawing."""
    requested: Counter[str] = field(default_factory=Counter)
    """Millicores by node."""
    seconds: defaultdict[PodKey, float] = field(default_factory=lambda: defaultdict(float))
    """Processor time of pods at the last tick."""
    _rates: dict[PodKey, float] = field(default_factory=dict)
    """Cores in use."""
    faults: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By kind of fault the places (``site``, ``site/hall``, … or all of a hub for the empty text) that have it."""
    _frozen: dict[Key, float] = field(default_factory=dict)
    _at: float | None = None
    _fed: dict[str, frozenset[str]] = field(init=False)
    """Sides of each rack that are metered."""
    _racks: Counter[str] = field(init=False)
    """Metered racks by hall."""
    _machines: dict[str, Machine] = field(init=False)

    def __post_init__(self) -> None:
        fed: defaultdict[str, set[str]] = defaultdict(set)
        for agent in self.plan.agents:
            for feed in agent.feeds:
                fed[f"{agent.place}/{feed.rack}"].add(feed.side)
        self._fed = {rack: frozenset(sides) for rack, sides in fed.items()}
        self._racks = Counter(_hall(rack) for rack in fed)
        self._machines = {machine.name: machine for machine in self.plan.machines}

    def tick(self, at: float) -> None:
        """Work out everything for a Unix time, and add up energy and traffic since the last one."""
        past = 0.0 if self._at is None else max(at - self._at, 0.0)
        self._at = at
        before, self.watts = self.watts, self._feeds(at)
        for key, watts in self.watts.items():
            self.joules[key] += watts * past
            if not self._has("stuck", key[0]):
                self._frozen.pop(key, None)
            else:
                self._frozen.setdefault(key, before.get(key, watts))
        self._facility()
        self._traffic(at, past)
        self._work(at, past)

    def run(self, cluster: str, pods: Pods) -> None:
        """These pods, and no others, run on a cluster from now on."""
        for key in self.pods.get(cluster, {}).keys() - pods.keys():
            self.seconds.pop((cluster, *key), None)
            self._rates.pop((cluster, *key), None)
        self.pods[cluster] = pods
        self.requested = Counter()
        for found in self.pods.values():
            for node, millicores in found.values():
                self.requested[node] += millicores

    def silent(self, agent: Agent) -> bool:
        """Whether an agent does not answer now."""
        return self._has("silent", agent.place)

    def table(self, agent: Agent) -> Table:
        """What an agent tells."""
        name = {SYS_NAME: lambda _: wire.octets(agent.place)}
        if agent.kind == "switch":
            layout = ports_layout(
                tuple(port.name for port in agent.ports), tuple(int(port.gbps * 1000) for port in agent.ports)
            )
            device = agent.labels["device"]
            return Table(
                layout,
                name
                | {
                    IF_IN: lambda place: wire.counter64(int(self.octets[device, f"{agent.ports[place].name} in"])),
                    IF_OUT: lambda place: wire.counter64(int(self.octets[device, f"{agent.ports[place].name} out"])),
                },
            )
        if agent.kind == "hall":
            keys = [(agent.place, category) for category in CATEGORIES]
            return self._sensors(name, keys, CATEGORIES, [()] * len(keys), [])
        keys = [(f"{agent.place}/{feed.rack}", feed.side) for feed in agent.feeds]
        labels = tuple(f"{feed.rack}/{feed.side}" for feed in agent.feeds)
        return self._sensors(name, keys, labels, [feed.phases for feed in agent.feeds], list(agent.feeds))

    def _sensors(
        self,
        name: Mapping[wire.Oid, object],
        keys: list[Key],
        labels: Iterable[str],
        phases: Iterable[tuple[int, ...]],
        feeds: list[Feed],
    ) -> Table:
        moving = {
            SENSOR_SCALE: lambda place: wire.integer(KILO if self._declared(keys[place]) else UNITS),
            SENSOR_VALUE: lambda place: wire.integer(round(self._told(keys[place]))),
            FEED_CURRENT: lambda place: wire.octets(f"{_amperes(feeds[place], self._real(keys[place])):.2f}"),
            FEED_ENERGY: lambda place: wire.counter64(int(self.joules[keys[place]])),
        }
        return Table(sensors_layout(tuple(labels), tuple(phases)), {**name, **moving})  # type: ignore[dict-item]

    def _declared(self, key: Key) -> bool:
        return self._has("declared_kilowatts", key[0])

    def _real(self, key: Key) -> float:
        return self._frozen.get(key, self.watts.get(key, 0.0))

    def _told(self, key: Key) -> float:
        value = self._real(key)
        if self._has("negative", key[0]):
            value = -value
        return value / 1000 if self._has("kilowatts", key[0]) or self._declared(key) else value

    def _has(self, fault: str, place: str) -> bool:
        places = self.faults.get(fault)
        return bool(places) and any(not item or f"{place}/".startswith(f"{item}/") for item in places or ())

    def _feeds(self, at: float) -> dict[Key, float]:
        out: defaultdict[Key, float] = defaultdict(float)
        for machine in self.plan.machines:
            drawn = load.drawn(machine, self.requested[machine.name], at, self.plan.seed)
            for side, watts in load.sides(machine, drawn, self._fed.get(machine.rack, frozenset())).items():
                out[machine.rack, side] += watts
        return dict(out)

    def _facility(self) -> None:
        halls: defaultdict[str, float] = defaultdict(float)
        for (rack, _), watts in self.watts.items():
            halls[_hall(rack)] += watts
        for agent in self.plan.agents:
            if agent.kind == "hall":
                it, count = halls[agent.place], self._racks[agent.place]
                parts = (it, COOLING * it, UPS_LOSS * it + UPS_IDLE * count, LIGHTING * count)
                for category, watts in zip(CATEGORIES, (*parts, sum(parts)), strict=True):
                    self.watts[agent.place, category] = watts

    def processor_seconds(self, at: float) -> dict[PodKey, float]:
        """Processor time of every pod at a Unix time after the last tick."""
        past = max(at - (self._at or at), 0.0)
        return {key: seconds + self._rates.get(key, 0.0) * past for key, seconds in self.seconds.copy().items()}

    def _work(self, at: float, past: float) -> None:
        """What is in use of a machine is its pods' use, in proportion to what they request.

        A rate holds until the next tick, so that counters never go back, whenever they are read.
        """
        for key, rate in self._rates.items():
            self.seconds[key] += rate * past
        self._rates = {}
        for cluster, pods in self.pods.items():
            for (namespace, name), (node, millicores) in pods.items():
                machine, requested = self._machines.get(node), self.requested[node]
                if machine is not None and requested:
                    used = load.used_share(machine, requested, at) * machine.millicores / 1000
                    wander = load.noise(self.plan.seed, f"{namespace}/{name}", at)
                    self._rates[cluster, namespace, name] = used * wander * millicores / requested
                    self.seconds[cluster, namespace, name] += 0.0

    def _traffic(self, at: float, past: float) -> None:
        for agent in self.plan.agents:
            device = agent.labels.get("device", "")
            for port in agent.ports:
                if port.link:
                    for way, ends in (("out", (device, port.peer)), ("in", (port.peer, device))):
                        share = load.traffic(self.plan.seed, f"{port.link}/{'/'.join(ends)}", at)
                        self.octets[device, f"{port.name} {way}"] += share * port.gbps * 125e6 * past


def _hall(rack: str) -> str:
    return "/".join(rack.split("/")[:2])


def _amperes(feed: Feed, watts: float) -> float:
    """I = P / (U · cosφ) with one phase, and by √3 with three."""
    factor = 3**0.5 if len(feed.phases) == 3 else 1.0
    return watts / (factor * feed.volts * feed.power_factor)
