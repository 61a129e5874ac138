"""Circuits of NetBox as lines of a hub: to another level, to another site, or to the internet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.core.text import and_more, plural
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import slug
from govhub.inventory.merging.observed import Observed
from govhub.inventory.netbox.client import Object
from govhub.inventory.netbox.snapshot import Snapshot

GONE = ("deprovisioning", "decommissioned")
UNSPECIFIED = "unspecified"
"""The provider of lines whose provider a hub does not name; NetBox has no circuit without one."""
_KBIT = 1e6


def read_circuits(hub: Hub, snapshot: Snapshot, observed: Observed, found: Diagnostics) -> None:
    """Circuits that end in one of the sites; what has no speed or leads nowhere is told and left out."""
    ends: defaultdict[int, dict[str, Object]] = defaultdict(dict)
    for end in snapshot.of("circuits/circuit-terminations"):
        ends[int(end["circuit"]["id"])][str(end["term_side"])] = end
    unclear: list[str] = []
    for circuit in snapshot.of("circuits/circuits"):
        if circuit.get("status") in GONE:
            continue
        said = _circuit(hub, circuit, ends[int(circuit["id"])], observed)
        if said is None:
            continue
        name = slug(str(circuit["cid"]))
        if not name or name in observed.circuits or "gbps" not in said or "kind" not in said:
            unclear.append(str(circuit["cid"]))
            continue
        observed.circuits[name] = said
    if unclear:
        summary = f"{plural(len(unclear), 'circuit')} left out: {and_more(unclear)}"
        hint = "each needs a number of its own, a commit rate or port speed, and an end that says where it leads"
        found.warning("NBX016", summary, hint=hint)


def _circuit(hub: Hub, circuit: Object, ends: Mapping[str, Object], observed: Observed) -> dict[str, Any] | None:
    """None for a circuit that ends in none of the sites."""
    sites = [name for side in ("A", "Z") if (name := _site(ends.get(side))) in observed.sites]
    if not sites:
        return None
    words = f"{circuit['type']['slug']} {circuit['type']['name']}".lower()
    region = _region(hub, ends)
    said: dict[str, Any] = {}
    if len(sites) == 2:
        said |= {"kind": "site", "site": sites[0], "to": sites[1]}
    elif "internet" in words or "互联网" in words:
        said |= {"kind": "internet", "site": sites[0]}
    elif region:
        said |= {"kind": "level", "site": sites[0], "region": region}
    rates = [circuit.get("commit_rate"), *(end.get("port_speed") for end in ends.values())]
    if speed := next((float(rate) for rate in rates if rate), None):
        gbps = speed / _KBIT
        said["gbps"] = int(gbps) if gbps == int(gbps) else gbps
    provider = circuit["provider"]
    return said | ({} if provider["slug"] == UNSPECIFIED else {"provider": str(provider["name"])[:60]})


def _site(end: Object | None) -> str:
    if end is None or end.get("termination_type") != "dcim.site" or not end.get("termination"):
        return ""
    return slug(str(end["termination"]["slug"]))


def _region(hub: Hub, ends: Mapping[str, Object]) -> str:
    """The hub's region at the other end."""
    known = {region.name for region in hub.model.regions}
    for end in ends.values():
        there = end.get("termination") or {}
        if end.get("termination_type") == "dcim.region" and (name := slug(str(there.get("slug", "")))) in known:
            return name
    return ""
