"""Narrowing a plan by globs, with what the chosen changes need."""

from __future__ import annotations

import pytest

from govhub.core.errors import InvalidInput
from govhub.engine.planner import as_recorded, draft_plan
from govhub.ops.requests import Selection
from govhub.ops.selection import check_selection, narrow
from govhub.stacks.graph import Graph


def chosen(graph: Graph, **wanted: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Addresses chosen and pulled in, when nothing was made yet."""
    changes, pulled = narrow(draft_plan(graph, {}).changes, Selection(**wanted), graph)
    return {change.address for change in changes} - set(pulled), set(pulled)


def test_without_a_selection_everything_is_chosen(graph: Graph) -> None:
    changes, pulled = narrow(draft_plan(graph, {}).changes, Selection(), graph)
    assert (len(changes), pulled) == (len(graph), ())


@pytest.mark.parametrize(
    ("wanted", "tenants", "systems"),
    [
        ({"tenants": ("education",)}, {"education"}, {"", "school-enrolment", "open-days"}),
        ({"tenants": ("civil-*", "educat*")}, {"education", "civil-affairs"}, None),
        ({"systems": ("open-days",)}, {"education"}, {"open-days"}),
        ({"systems": ("s[co]*",)}, {"education", "civil-affairs"}, {"school-enrolment", "social-aid"}),
        ({"tenants": ("education",), "systems": ("open-days",)}, {"education"}, {"open-days"}),
        ({"stacks": ("systems",), "tenants": ("education",)}, {"education"}, {"school-enrolment", "open-days"}),
    ],
)
def test_globs_choose_exactly_what_they_name(
    graph: Graph, wanted: dict[str, tuple[str, ...]], tenants: set[str], systems: set[str] | None
) -> None:
    addresses, _ = chosen(graph, **wanted)
    items = {item.address: item for item in graph}
    assert {items[address].tenant for address in addresses} == tenants
    if systems is not None:
        assert {items[address].system for address in addresses} == systems


def test_a_system_pulls_in_its_namespace_and_secret_and_nothing_of_others(graph: Graph) -> None:
    addresses, pulled = chosen(graph, systems=("open-days",))
    assert addresses
    assert "main/tenants/Namespace/education-prod" in pulled
    assert not {address for address in pulled if "civil-affairs" in address or "enrolment" in address}
    assert addresses.isdisjoint(pulled)


def test_a_namespace_that_is_pulled_in_brings_its_guards(graph: Graph) -> None:
    _, pulled = chosen(graph, systems=("open-days",))
    guards = {address for address in pulled if address.startswith("main/tenants/")}
    wanted = {
        item.address
        for item in graph
        if item.shard.stack == "tenants" and "education-prod" in (item.identity.namespace, item.identity.name)
    }
    kinds = {address.split("/")[2] for address in guards}
    assert {"ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding"} <= kinds
    assert guards == {address for address in wanted if "flows-" not in address}


def test_what_exists_already_is_not_pulled_in(graph: Graph) -> None:
    recorded = as_recorded(graph)
    for shard in recorded:
        if shard.stack == "systems":
            recorded[shard].objects.clear()
    changes, pulled = narrow(draft_plan(graph, recorded).changes, Selection(systems=("open-days",)), graph)
    assert changes
    assert pulled == ()


def test_a_deletion_pulls_in_nothing(graph: Graph) -> None:
    recorded = as_recorded(graph)
    for objects in graph.shards.values():
        objects[:] = [item for item in objects if item.system != "open-days" and item.identity.kind != "Namespace"]
    changes, pulled = narrow(draft_plan(graph, recorded).changes, Selection(systems=("open-days",)), graph)
    assert changes
    assert {change.system for change in changes} == {"open-days"}
    assert pulled == ()


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ({"tenants": ("educaton",)}, "education"),
        ({"systems": ("open-day",)}, "open-days"),
        ({"stacks": ("system",)}, "systems"),
        ({"clusters": ("mian",)}, "main"),
        ({"tenants": ("education", "zzz*")}, "known:"),
        ({"systems": ("",)}, "known:"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused_with_a_way_out(
    graph: Graph, wanted: dict[str, tuple[str, ...]], hint: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_selection(Selection(**wanted), graph)
    assert caught.value.diagnostics[0].code == "SEL001"
    assert hint in caught.value.diagnostics[0].hint


def test_a_selection_is_shown_as_it_is_typed() -> None:
    selection = Selection(stacks=("systems",), tenants=("a", "b*"))
    assert selection.words() == ("--stack systems", "--tenant a", "--tenant b*")
    assert not Selection()
    assert selection
