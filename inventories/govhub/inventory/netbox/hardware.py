"""What NetBox and the devicetype-library say of hardware, in the terms of a hub: draw, weight, height, ports."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from govhub.inventory.merging.observed import TypeFacts

Object = Mapping[str, Any]
KILOGRAMS = {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "oz": 0.028349523125}
_SPEED = re.compile(r"(\d+(?:\.\d+)?)(g?)base")
_CAGES = {
    "sfp": "sfp",
    "sfpp": "sfp+",
    "sfp28": "sfp28",
    "sfp56": "sfp56",
    "qsfpp": "qsfp+",
    "qsfp28": "qsfp28",
    "qsfp56": "qsfp56",
    "qsfpdd": "qsfp-dd",
    "osfp": "osfp",
    "osfp-rhs": "osfp",
}
_FIXED = {"sx": "multi-mode", "sr": "multi-mode", "lx": "single-mode", "lr": "single-mode", "er": "single-mode"}
_KINDS = (
    ("firewall", ("firewall", "waf", "防火墙")),
    ("router", ("router", "border", "gateway", "路由")),
    ("switch", ("switch", "spine", "leaf", "tor", "access", "core", "aggregation", "distribution", "交换")),
    ("storage", ("storage", "array", "存储")),
)
_ROLES = (
    ("spine", ("spine", "core", "核心")),
    ("management", ("management", "mgmt", "oob", "out-of-band", "管理")),
    ("border", ("border", "exit", "edge", "router", "出口", "边界")),
    ("leaf", ("leaf", "tor", "top-of-rack", "access", "接入")),
)


def kilograms(weight: object, unit: object) -> float | None:
    """A weight in kg; None when it, or its unit, is not known."""
    factor = KILOGRAMS.get(str(unit or ""))
    return None if weight in (None, "") or factor is None else round(float(str(weight)) * factor, 2)


def one_side(supplies: Iterable[Object]) -> tuple[float | None, int | None]:
    """``(draw in W, cords)`` of a device by its power ports.

    Of redundant supplies each states what it can deliver, and the device never draws more than one side: of two equal
    ones one, of four two, of three (2+1) two. The draw is unknown when a port states none.
    """
    stated = [port.get("maximum_draw") or port.get("allocated_draw") for port in supplies]
    if not stated:
        return None, None
    cords = 2 if len(stated) > 1 else 1
    draws = sorted((float(draw) for draw in stated if draw), reverse=True)
    if len(draws) < len(stated):
        return None, cords
    return sum(draws[: math.ceil(len(draws) / 2)]), cords


def port_of(kind: str) -> tuple[float, str] | None:
    """``(Gbit/s, media)`` of an interface type such as ``25gbase-x-sfp28``; None for what is no Ethernet port.

    The media is empty when the type does not tell it.
    """
    match = _SPEED.match(kind)
    if not match:
        return None
    gbps = float(match[1]) if match[2] else float(match[1]) / 1000
    rest = kind[match.end() :].strip("-")
    if rest.startswith(("t", "bt")) and "x" not in rest:
        return gbps, "rj45"
    if rest.startswith("x-"):
        return gbps, _CAGES.get(rest.removeprefix("x-"), "")
    return gbps, next((media for mark, media in _FIXED.items() if rest.startswith(mark)), "")


def ports_of(interfaces: Iterable[Object]) -> tuple[Mapping[str, Any], ...]:
    """Equal ports together; ports for management alone carry nobody's traffic and do not count."""
    counted: Counter[tuple[float, str]] = Counter()
    for interface in interfaces:
        found = None if interface.get("mgmt_only") else port_of(str(interface.get("type", "")))
        if found:
            counted[found] += 1
    ports = []
    for (gbps, media), count in sorted(counted.items()):
        speed: float | int = int(gbps) if gbps == int(gbps) else gbps
        ports.append({"count": count, "gbps": speed} | ({"media": media} if media else {}))
    return tuple(ports)


def type_of(item: Object, supplies: Iterable[Object], interfaces: Iterable[Object], *, kind: str) -> TypeFacts:
    """A device type as a hub declares it.

    Half units are rounded up: a hub counts whole ones, and what is half a unit high takes one from others.
    """
    supplies = list(supplies)
    said = item.get("u_height")
    height = 1.0 if said is None else float(said)
    watts, cords = one_side(supplies)
    ports = ports_of(interfaces)
    passive = not supplies and not ports and bool(item.get("front-ports") or item.get("front_port_template_count"))
    reason = f"{height:g} units high, counted as {math.ceil(height)}" if height != int(height) else ""
    return TypeFacts(
        kind=kind,
        units=math.ceil(height),
        watts=0.0 if passive else watts,
        kg=kilograms(item.get("weight"), item.get("weight_unit")),
        cords=cords,
        ports=ports,
        reason=reason,
    )


def kind_of(words: str) -> str:
    """The kind of device that a role or model speaks of."""
    return _first(_KINDS, words, "other")


def role_of(words: str) -> str:
    """The place in the network that a role speaks of."""
    return _first(_ROLES, words, "none")


def _first(known: Iterable[tuple[str, tuple[str, ...]]], words: str, otherwise: str) -> str:
    text = words.lower()
    return next((name for name, marks in known if any(mark in text for mark in marks)), otherwise)
