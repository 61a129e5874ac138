"""Types of devices that another system knows; what neither it nor the caller says keeps a type out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.inventory.editing.meaning import ItemEdit, ItemPath
from govhub.inventory.editing.tree import Layout
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import order_of, short
from govhub.inventory.merging.observed import Change, Observed, TypeFacts
from govhub.inventory.model.fabric import DeviceType, Ports

TYPES = Layout(
    section="device_types",
    file="devices.yaml",
    order=order_of(DeviceType),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What to take for a unit of height where a type's draw or weight is not said; None leaves such types out."""

    watts_per_unit: float | None = None
    kg_per_unit: float | None = None


def merge_types(
    hub: Hub, observed: Observed, assume: Assumptions, found: Diagnostics
) -> tuple[list[ItemEdit], list[Change], set[str]]:
    """The edits of ``device_types``, what they do, and the names of the types that there are then."""
    known = {kind.name: position for position, kind in enumerate(hub.model.device_types)}
    there = set(known)
    edits: list[ItemEdit] = []
    done: list[Change] = []
    # Hosts state their size themselves; a type that they alone are of is none of the hub's.
    used = {one.type for name, one in observed.machines.items() if one.host is None and name not in hub.topology.hosts}
    for name, facts in sorted(observed.types.items()):
        if observed.machines and name not in used:
            continue
        if name in known:
            edit, change = _changed(hub.model.device_types[known[name]], known[name], facts)
            edits += [edit] if edit else []
            done += [change] if change else []
            continue
        values = _filled(facts, assume, observed.source)
        if values is None:
            _left_out(observed, name, facts, found)
            continue
        there.add(name)
        edits.append(ItemEdit(changes={("name",): name} | {(key,): value for key, value in values.items()}))
        done.append(Change(op="add", what="device_types", name=name, after=values))
    return edits, done, there


def _changed(kind: DeviceType, position: int, facts: TypeFacts) -> tuple[ItemEdit | None, Change | None]:
    said: dict[str, Any] = {"units": facts.units, "watts": facts.watts, "kg": facts.kg, "cords": facts.cords}
    said = {key: value for key, value in said.items() if value is not None}
    wrong = {key: value for key, value in said.items() if abs(getattr(kind, key) - value) > 0.005 * value}
    before: dict[str, Any] = {key: getattr(kind, key) for key in wrong}
    if facts.ports and not _same_ports(facts.ports, kind.ports):
        wrong["ports"] = [dict(port) for port in facts.ports]
        before["ports"] = [port.model_dump(mode="json", exclude_unset=True) for port in kind.ports]
    if not wrong:
        return None, None
    changes: dict[ItemPath, Any] = {(key,): value for key, value in wrong.items()}
    return (
        ItemEdit(item=position, changes=changes),
        Change(op="change", what="device_types", name=kind.name, before=before, after=wrong),
    )


def _same_ports(said: Sequence[Mapping[str, Any]], ports: Sequence[Ports]) -> bool:
    """Whether there are as many of each speed, and of each media that the hub knows; which way they look is ours."""
    media = {port.gbps: port.media for port in ports}
    theirs: Counter[tuple[float, str]] = Counter()
    for port in said:
        told = str(port.get("media") or "") if media.get(float(port["gbps"])) else ""
        theirs[float(port["gbps"]), told] += int(port["count"])
    ours: Counter[tuple[float, str]] = Counter()
    for own in ports:
        ours[own.gbps, own.media.value if own.media and media[own.gbps] else ""] += own.count
    return theirs == ours


def _filled(facts: TypeFacts, assume: Assumptions, source: str) -> dict[str, Any] | None:
    watts, kg, reasons = facts.watts, facts.kg, [facts.reason] if facts.reason else []
    height = max(facts.units, 1)
    if watts is None and assume.watts_per_unit is not None:
        watts = assume.watts_per_unit * height
        reasons.append(f"{source} does not say the draw: {assume.watts_per_unit:g} W a unit")
    if kg is None and assume.kg_per_unit is not None:
        kg = assume.kg_per_unit * height
        reasons.append(f"{source} does not say the weight: {assume.kg_per_unit:g} kg a unit")
    if watts is None or kg is None:
        return None
    values: dict[str, Any] = {"kind": facts.kind, "units": facts.units, "watts": short(watts), "kg": short(kg)}
    values |= {"cords": facts.cords} if facts.cords else {}
    values |= {"ports": [dict(port) for port in facts.ports]} if facts.ports else {}
    return values | ({"assumed": True, "reason": "; ".join(reasons)[:300]} if reasons else {})


def _left_out(observed: Observed, name: str, facts: TypeFacts, found: Diagnostics) -> None:
    unsaid = {"draw": facts.watts, "weight": facts.kg}
    words = " and ".join(key for key, value in unsaid.items() if value is None)
    machines = sum(machine.type == name for machine in observed.machines.values())
    found.warning(
        "NBX010",
        f'the type "{name}" is left out with its {machines} devices: {observed.source} does not say its {words}',
        hint="complete the type there, or let this be assumed: --watts-per-unit N, --kg-per-unit N",
    )


def sizes(kind: DeviceType | Mapping[str, Any] | None, facts: TypeFacts | None) -> dict[str, Any]:
    """Height, draw, weight and cords that a type gives its devices, as far as they are known."""
    if isinstance(kind, DeviceType):
        return {"units": kind.units, "watts": kind.watts, "kg": kind.kg, "cords": kind.cords}
    if facts is None:
        return {}
    found = {"units": facts.units, "watts": facts.watts, "kg": facts.kg, "cords": facts.cords}
    return {key: value for key, value in found.items() if value is not None}
