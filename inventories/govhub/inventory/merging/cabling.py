"""Links and circuits that another system knows and the hub does not."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.inventory.editing.meaning import ItemEdit, ItemPath
from govhub.inventory.editing.tree import Layout
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import natural, order_of, patterns_of, short, slug
from govhub.inventory.merging.observed import Change, Observed
from govhub.inventory.model.fabric import Circuit, Links
from govhub.inventory.patterns import PatternError, expand

LINKS = Layout(
    section="links",
    file="devices.yaml",
    order=order_of(Links),
)
CIRCUITS = Layout(
    section="circuits",
    file="network.yaml",
    order=order_of(Circuit),
    one_line=("title",),
)
Bundle = tuple[float, str, int]
"""Gbit/s, media, links of each pair."""


def merge_links(
    hub: Hub, observed: Observed, machines: set[str], found: Diagnostics
) -> tuple[list[ItemEdit], list[Change]]:
    """New entries of ``links`` for pairs that have more links than the hub says; fewer are told."""
    declared = _declared(hub)
    more: dict[Bundle, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    done: list[Change] = []
    seen: dict[tuple[str, str, float], int] = defaultdict(int)
    media: dict[tuple[str, str, float], str] = {}
    for (lower, upper, gbps, kind), count in observed.links.items():
        if lower in machines and upper in machines:
            seen[lower, upper, gbps] += count
            media[lower, upper, gbps] = kind
    for (lower, upper, gbps), count in seen.items():
        have = declared.get((lower, upper, gbps), 0) + declared.get((upper, lower, gbps), 0)
        if count > have:
            more[gbps, media[lower, upper, gbps], count - have][lower].add(upper)
            told = {"gbps": gbps, "count": count - have}
            done.append(Change(op="add", what="links", name=f"{lower} {upper}", after=told))
        elif count < have:
            summary = f'{observed.source} has {count} of the {have} links between "{lower}" and "{upper}"'
            found.warning("NBX013", summary, hint="correct `count` of the link here, or the cables there")
    return _links(hub, more), done


def _declared(hub: Hub) -> dict[tuple[str, str, float], int]:
    links: dict[tuple[str, str, float], int] = defaultdict(int)
    for link in hub.model.links:
        try:
            lower, upper = expand(link.lower), expand(link.upper)
        except PatternError:
            continue
        for one in lower:
            for other in upper:
                links[one, other, link.gbps] += link.count
    return links


def _links(hub: Hub, more: dict[Bundle, dict[str, set[str]]]) -> list[ItemEdit]:
    """Lower ends that go to the same upper ones, with as many links each, are one entry."""
    taken = {link.name for link in hub.model.links}
    edits: list[ItemEdit] = []
    for (gbps, media, count), by_lower in more.items():
        alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for end, others in by_lower.items():
            alike[tuple(sorted(others, key=natural))].append(end)
        for uppers, lowers in alike.items():
            for lower in patterns_of(lowers):
                for upper in patterns_of(uppers):
                    name = _free(f"{slug(lowers[0], 18)}-{slug(uppers[0], 18)}", taken)
                    changes: dict[ItemPath, Any] = {("name",): name, ("lower",): lower, ("upper",): upper}
                    changes["gbps",] = short(gbps)
                    if count > 1:
                        changes["count",] = count
                    if media:
                        changes["media",] = media
                    edits.append(ItemEdit(changes=changes))
    return edits


def merge_circuits(hub: Hub, observed: Observed) -> tuple[list[ItemEdit], list[Change]]:
    """The edits of ``circuits``, and what they do."""
    known = {circuit.name: place for place, circuit in enumerate(hub.model.circuits)}
    edits: list[ItemEdit] = []
    done: list[Change] = []
    for name, said in sorted(observed.circuits.items()):
        if name not in known:
            edits.append(ItemEdit(changes={("name",): name} | {(key,): value for key, value in said.items()}))
            done.append(Change(op="add", what="circuits", name=name, after=said))
            continue
        circuit = hub.model.circuits[known[name]]
        had = circuit.model_dump(mode="json")
        # What kind of line it is, and its title, are better known here.
        compared = {key: said[key] for key in ("gbps", "provider", "site") if key in said}
        wrong = {key: value for key, value in compared.items() if had[key] != value}
        if "gbps" in wrong and circuit.count > 1 and wrong["gbps"] == circuit.gbps * circuit.count:
            del wrong["gbps"]
        if wrong:
            edits.append(ItemEdit(item=known[name], changes={(key,): value for key, value in wrong.items()}))
            before = {key: had[key] for key in wrong}
            done.append(Change(op="change", what="circuits", name=name, before=before, after=wrong))
    return edits, done


def _free(name: str, taken: set[str]) -> str:
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found
