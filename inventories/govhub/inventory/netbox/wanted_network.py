"""What a hub's files tell NetBox of its network: cables between ports, and circuits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import slug
from govhub.inventory.model.fabric import Circuit, Ports, PortUse
from govhub.inventory.netbox.circuits import UNSPECIFIED
from govhub.inventory.netbox.wanted import Key, Reference, Wanted, port_names
from govhub.inventory.patterns import PatternError, expand

_KBIT = 1_000_000
_MOST = 2_147_483_647
"""The largest rate that NetBox holds, in kbit/s."""


@dataclass(slots=True)
class _Free:
    """The ports of one device that no link has taken."""

    names: list[tuple[str, Ports]]
    taken: set[str] = field(default_factory=set)

    def take(self, gbps: float, use: PortUse) -> str | None:
        """A port that looks this way, else one that looks either."""
        for wanted in (use, PortUse.ANY):
            for name, port in self.names:
                if name not in self.taken and port.gbps == gbps and port.use is wanted:
                    self.taken.add(name)
                    return name
        return None


def cables(hub: Hub, found: Diagnostics) -> Iterator[Wanted]:
    """One cable for each link; ports are given out in the order of the files, so that they stay the same."""
    types = {kind.name: kind.ports for kind in reversed(hub.model.device_types)}
    free = {name: _Free([*port_names(types[one.type])]) for name, one in hub.topology.devices.items()}
    free |= {name: _Free([*port_names(hub.model.hosts[one.entry].ports)]) for name, one in hub.topology.hosts.items()}
    for position, link in enumerate(hub.model.links):
        missing = 0
        for lower, upper in _pairs(link.lower, link.upper):
            for number in range(link.count):
                ends = [_port(free, lower, link.gbps, PortUse.UP), _port(free, upper, link.gbps, PortUse.DOWN)]
                if None in ends:
                    missing += 1
                    continue
                yield _cable(f"{link.name} {lower} {upper} {number + 1}", (lower, str(ends[0])), (upper, str(ends[1])))
        if missing:
            summary = (
                f'{missing:,} cables of the link "{link.name}" are not told to NetBox: an end declares no such port'
            )
            hint = "declare `ports` of the device type, or of the hosts"
            found.warning("NBX017", summary, hint=hint, source=hub.at("links", position))


def _pairs(lower: str, upper: str) -> Iterator[tuple[str, str]]:
    try:
        ends = expand(lower), expand(upper)
    except PatternError:
        # PLC001 tells.
        return
    for one in ends[0]:
        for other in ends[1]:
            yield one, other


def _port(free: Mapping[str, _Free], name: str, gbps: float, use: PortUse) -> str | None:
    return free[name].take(gbps, use) if name in free else None


def _cable(label: str, one: Key, other: Key) -> Wanted:
    refs: dict[str, Reference] = {
        "a_terminations": ("dcim/interfaces", one),
        "b_terminations": ("dcim/interfaces", other),
    }
    # Labels have a hundred characters.
    return Wanted(path="dcim/cables", key=(label[:100],), values={"label": label[:100]}, refs=refs)


def circuits(hub: Hub) -> Iterator[Wanted]:
    """Providers, types and circuits with their ends."""
    lines = hub.model.circuits
    regions = {region.name: region for region in hub.model.regions}
    for name in sorted({one.region for one in lines if one.region in regions}):
        values = {"name": regions[str(name)].title.en, "slug": str(name)}
        yield Wanted(path="dcim/regions", key=(str(name),), values=values)
    for name in sorted({one.provider or UNSPECIFIED for one in lines}):
        yield Wanted(path="circuits/providers", key=(_provider(name),), values={"name": name, "slug": _provider(name)})
    for name in sorted({one.kind.value for one in lines}):
        yield Wanted(path="circuits/circuit-types", key=(name,), values={"name": name, "slug": name})
    for one in lines:
        yield from _circuit(one)


def _provider(name: str) -> str:
    # Names in Chinese alone leave nothing for a slug.
    return slug(name) or "provider-" + "-".join(f"{ord(char):x}" for char in name[:12])


def _circuit(one: Circuit) -> Iterator[Wanted]:
    provider = _provider(one.provider or UNSPECIFIED)
    own: Reference = ("circuits/circuits", (provider, one.name))
    values: dict[str, Any] = {"cid": one.name, "commit_rate": min(round(one.gbps * one.count * _KBIT), _MOST)}
    values |= {"description": f"{one.count} x {one.gbps:g} Gbit/s"} if one.count > 1 else {}
    refs: dict[str, Reference] = {
        "provider": ("circuits/providers", (provider,)),
        "type": ("circuits/circuit-types", (one.kind.value,)),
    }
    yield Wanted(path=own[0], key=own[1], values=values, refs=refs)
    ends: dict[str, Reference] = {"A": ("dcim/sites", (one.site,))}
    if one.to:
        ends["Z"] = ("dcim/sites", (one.to,))
    elif one.region:
        ends["Z"] = ("dcim/regions", (one.region,))
    for side, end in ends.items():
        kind = "dcim.site" if end[0] == "dcim/sites" else "dcim.region"
        yield Wanted(
            path="circuits/circuit-terminations",
            key=(*own[1], side),
            values={"term_side": side, "termination_type": kind},
            refs={"circuit": own, "termination_id": end},
            part_of=own,
        )
