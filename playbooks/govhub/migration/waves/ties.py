"""Dependencies: which systems move together, which go first, and which need each other in a circle."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import networkx

from govhub.migration.waves.problem import Candidate, Tie


@dataclass(frozen=True, slots=True)
class Group:
    """Systems that move in one wave, by name; most groups are one system."""

    index: int
    members: tuple[str, ...]


def groups_of(candidates: Collection[str], ties: Iterable[Tie]) -> list[Group]:
    """Systems joined by strong ties, in whatever direction.

    Systems that need each other strongly (a strongly connected component) obviously belong together. A strong tie in
    one direction keeps two together as well: were the provider to go first, its dependent would work across the line
    for weeks, and that is what "strong" says it cannot do; the other way round is the same. So a group is a connected
    component, and strong components only decide what shares a night (:func:`nights_together`).
    """
    graph = networkx.Graph()
    graph.add_nodes_from(sorted(candidates))
    graph.add_edges_from((tie.dependent, tie.provider) for tie in ties if tie.strong)
    found = sorted(tuple(sorted(part)) for part in networkx.connected_components(graph))
    return [Group(index, members) for index, members in enumerate(found)]


def nights_together(members: Collection[str], ties: Iterable[Tie]) -> list[tuple[str, ...]]:
    """Members of a wave in an order of cutover: providers first, those that need each other strongly as one unit."""
    inside = [tie for tie in ties if tie.dependent in members and tie.provider in members]
    strong = networkx.DiGraph()
    strong.add_nodes_from(sorted(members))
    strong.add_edges_from((tie.provider, tie.dependent) for tie in inside if tie.strong)
    unit_of: dict[str, tuple[str, ...]] = {}
    for part in networkx.strongly_connected_components(strong):
        unit = tuple(sorted(part))
        unit_of |= dict.fromkeys(unit, unit)
    order = networkx.DiGraph()
    order.add_nodes_from(sorted(set(unit_of.values())))
    order.add_edges_from((unit_of[tie.provider], unit_of[tie.dependent]) for tie in inside)
    # Weak ties may run in a circle: then the units of the circle have no order among themselves.
    circles = networkx.condensation(order)
    out: list[tuple[str, ...]] = []
    for node in networkx.lexicographical_topological_sort(
        circles, key=lambda item: min(circles.nodes[item]["members"])
    ):
        out += sorted(circles.nodes[node]["members"])
    return out


def circles(candidates: Collection[str], ties: Iterable[Tie]) -> list[tuple[str, ...]]:
    """Systems that need each other in a circle of weak or strong ties; only one wave for all keeps every order."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(candidates)
    graph.add_edges_from((tie.dependent, tie.provider) for tie in ties)
    return sorted(tuple(sorted(part)) for part in networkx.strongly_connected_components(graph) if len(part) > 1)


def among(candidates: Iterable[Candidate], ties: Iterable[Tie]) -> list[Tie]:
    """The ties between systems that move."""
    names = {item.name for item in candidates}
    return [tie for tie in ties if tie.dependent in names and tie.provider in names]
