"""Which meters a hub's lab has: an agent for each row with metered feeds, each hall, and each switch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address
from typing import Any

from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.fabric import DeviceKind
from govhub.inventory.model.power import PhaseRule, Side
from govhub.inventory.ports import Port, ports_of
from govhub.inventory.powertree import power_tree
from govhub.lab.meters.load import SWITCH_IDLE, Machine

FIRST = IPv4Address("127.1.0.1")
"""Each agent has an address of its own on the loopback, as each meter has on a real network."""
_PHASES = {PhaseRule.L1: 1, PhaseRule.L2: 2, PhaseRule.L3: 3}


@dataclass(frozen=True, slots=True)
class Feed:
    """A metered feed of one rack."""

    rack: str
    """Its name within the row."""
    side: str
    phases: tuple[int, ...]
    """Those that it draws from."""
    volts: float
    power_factor: float


@dataclass(frozen=True, slots=True)
class Agent:
    """One SNMP agent."""

    kind: str
    """``row``, ``hall`` or ``switch``."""
    address: str
    labels: dict[str, str]
    """Of the scrape target: site, hall and row, or site and device."""
    feeds: tuple[Feed, ...] = ()
    ports: tuple[Port, ...] = ()

    @property
    def place(self) -> str:
        """``site/hall/row``, ``site/hall`` or ``site/device``."""
        return "/".join(self.labels.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the agents' process has to know; its JSON form is what the process reads."""

    hub: str
    seed: str
    agents: tuple[Agent, ...]
    machines: tuple[Machine, ...]
    kubeconfigs: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The plan as a file."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan from such a file."""
        data: dict[str, Any] = json.loads(text)
        agents = [
            Agent(
                kind=item["kind"],
                address=item["address"],
                labels=item["labels"],
                feeds=tuple(Feed(**(feed | {"phases": tuple(feed["phases"])})) for feed in item["feeds"]),
                ports=tuple(Port(**port) for port in item["ports"]),
            )
            for item in data["agents"]
        ]
        machines = tuple(Machine(**item) for item in data["machines"])
        return cls(data["hub"], data["seed"], tuple(agents), machines, data["kubeconfigs"])


def plan_of(hub: Hub, kubeconfigs: dict[str, str], seed: str = "") -> Plan:
    """The meters of a hub; racks without a declared feed have none.

    Args:
        hub: A valid hub.
        kubeconfigs: By cluster, those whose pods load the machines.
        seed: Of the noise; the hub's name when left out.
    """
    found = [*_rows(hub), *_halls(hub), *_switches(hub)]
    agents = tuple(
        Agent(kind, str(FIRST + number), labels, tuple(feeds), tuple(ports))
        for number, (kind, labels, feeds, ports) in enumerate(found)
    )
    return Plan(hub.name, seed or hub.name, agents, tuple(_machines(hub)), kubeconfigs)


_Found = tuple[str, dict[str, str], list[Feed], list[Port]]


def _rows(hub: Hub) -> Iterator[_Found]:
    rows: defaultdict[tuple[str, str, str], list[Feed]] = defaultdict(list)
    tree = power_tree(hub.model, hub.topology.racks)
    for address, rack in hub.topology.racks.items():
        for side in Side:
            if address in tree.feeds[side]:
                _, entry, place = tree.feeds[side][address]
                feed = hub.model.feeds[entry]
                phases = (1, 2, 3) if feed.phases == 3 else (_PHASES.get(feed.phase, place % 3 + 1),)
                rows[rack.site, rack.hall, rack.row].append(
                    Feed(rack.name, side.value, phases, feed.volts, feed.power_factor)
                )
    for (site, hall, row), feeds in rows.items():
        yield "row", {"site": site, "hall": hall, "row": row}, feeds, []


def _halls(hub: Hub) -> Iterator[_Found]:
    for site in hub.model.sites:
        for hall in site.halls:
            yield "hall", {"site": site.name, "hall": hall.name}, [], []


def _switches(hub: Hub) -> Iterator[_Found]:
    kinds = {kind.name: kind.kind for kind in hub.model.device_types}
    ports = ports_of(hub)
    for device in hub.topology.devices.values():
        if kinds[device.type] is DeviceKind.SWITCH and ports.get(device.name):
            site = hub.topology.racks[device.rack].site
            yield "switch", {"site": site, "device": device.name}, [], ports[device.name]


def _machines(hub: Hub) -> Iterator[Machine]:
    for host in hub.topology.hosts.values():
        offered = host.millicores if host.role is HostRole.WORKER and host.cluster else 0
        yield Machine(host.name, host.rack, float(host.watts), host.cords, offered)
    for device in hub.topology.devices.values():
        yield Machine(device.name, device.rack, device.watts, device.cords, 0, SWITCH_IDLE)
