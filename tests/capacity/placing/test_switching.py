"""Generators and transfer switches: whose load comes over when, by hand and against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.placing.hubs import KILOWATT, hub_of, run
from govhub.inventory.powertree import power_tree
from govhub.monitoring.arithmetic.failover import THREE_PHASE, RackFeeds, tree_load
from govhub.monitoring.arithmetic.figure import Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.derive import placed
from govhub.monitoring.placing.loss import fallout, meanings

POWER: list[dict[str, Any]] = [
    {"names": "grid", "kind": "utility", "kw": 100},
    {"names": "gen", "kind": "generator", "kw": 8},
    {"names": "ats", "kind": "ats", "fed_by": "grid", "alternate": "gen", "kw": 100},
    {"names": "ups-{a,b}", "kind": "ups", "fed_by": "ats", "kw": 50},
]
FEEDS = [{"racks": "a/h1/r1/{1..3}", "side": side, "fed_by": f"ups-{side}", "phases": 3} for side in "ab"]


def test_a_generator_carries_nothing_until_the_line_is_lost_and_then_everything() -> None:
    columns = placed(Columns(hub_of(POWER, FEEDS)), KILOWATT, np.array([2, 2, 2]))
    load, names = columns.tree_load, columns.elements.names
    normal = dict(zip(names, load.normal.sum(axis=1), strict=True))
    after = dict(zip(names, load.failover.sum(axis=1), strict=True))
    dark = dict(zip(names, load.dark, strict=True))

    assert (normal["gen"], normal["grid"], normal["ups-a"]) == (0, 6000, 3000)
    assert (after["gen"], after["ups-a"]) == (6000, 6000)
    assert names[int(load.lost[names.index("gen")])] == "grid"
    # Both sides hang on the switch: its loss darkens all, that of the line nothing.
    assert (dark["ats"], dark["grid"], dark["gen"]) == (6000, 0, 0)


def test_a_generator_binds_before_anything_that_it_stands_in_for() -> None:
    found = run(Columns(hub_of(POWER, FEEDS)), 50)

    assert found.placed == 8
    refusal = found.kept[0].refusal
    assert (refusal.at, refusal.lost, refusal.used, refusal.limit) == ("gen", "grid", 8000, 8000)


def test_losing_the_line_moves_the_load_and_losing_both_darkens() -> None:
    columns = placed(Columns(hub_of(POWER, FEEDS)), KILOWATT, np.array([3, 3, 3]))
    (line,) = meanings(columns, "grid")
    (spare,) = meanings(columns, "gen")
    found = fallout(columns, line[1])

    assert not found.dark.any()
    assert [(item.at, item.used, item.limit) for item in found.overloads] == [("gen", 9000, 8000)]
    line[1].elements |= spare[1].elements
    assert fallout(columns, line[1]).dark.all()
    # The spare alone: nobody notices.
    assert fallout(columns, spare[1]).columns.tree_load.normal.tolist() == columns.tree_load.normal.tolist()


def test_static_switches_of_two_sides_share_what_a_line_carried() -> None:
    # Each switch prefers its own line. The loss of line a puts both on line b, which carries all of 2 kW then.
    power: list[dict[str, Any]] = [
        {"names": "line-{a,b}", "kind": "ups", "kw": 50},
        {"names": "sts-a", "kind": "sts", "fed_by": "line-a", "alternate": "line-b"},
        {"names": "sts-b", "kind": "sts", "fed_by": "line-b", "alternate": "line-a"},
    ]
    feeds = [{"racks": "a/h1/r1/{1..3}", "side": side, "fed_by": f"sts-{side}", "phases": 3} for side in "ab"]
    columns = placed(Columns(hub_of(power, feeds)), KILOWATT, np.array([2, 0, 0]))
    load, names = columns.tree_load, columns.elements.names

    assert load.normal.sum(axis=1).tolist() == [1000] * 4
    # A switch keeps its half while its other line lives, and takes the other half when the other switch is lost.
    assert dict(zip(names, load.failover.sum(axis=1), strict=True)) == {
        "line-a": 2000,
        "line-b": 2000,
        "sts-a": 2000,
        "sts-b": 2000,
    }
    assert load.dark.tolist() == [0] * 4


def test_switches_that_feed_each_other_are_a_circle() -> None:
    power: list[dict[str, Any]] = [
        {"names": "line", "kind": "utility", "kw": 1},
        {"names": "one", "kind": "sts", "fed_by": "line", "alternate": "two"},
        {"names": "two", "kind": "sts", "fed_by": "line", "alternate": "one"},
        {"names": "three", "kind": "ats", "fed_by": "line", "alternate": "nowhere"},
    ]
    tree = power_tree(hub_of(power, []).model)

    assert [code for code, _, _ in tree.findings] == ["PWR001", "PWR003"]
    assert tree.alternates == [-1, -1, 1, -1]


@st.composite
def switched(draw: st.DrawFn) -> tuple[Ints, Ints, RackFeeds]:
    count, racks = draw(st.integers(1, 8)), draw(st.integers(0, 6))
    parents = [draw(st.integers(-1, place - 1)) for place in range(count)]
    spare = [draw(st.integers(-1, place - 1)) if parents[place] >= 0 else -1 for place in range(count)]

    def column(of: st.SearchStrategy[Any], kind: Any) -> Any:
        return np.array(draw(st.lists(of, min_size=racks, max_size=racks)), dtype=kind)

    leaves = [column(st.integers(-1, count - 1), np.int64) for _ in "ab"]
    watts = [column(st.integers(0, 5000), np.float64) for _ in "ds"]
    three = np.full(racks, THREE_PHASE)
    return np.array(parents), np.array(spare), RackFeeds(leaves[0], leaves[1], three, three, watts[0], watts[1])


def carried(parents: Ints, spare: Ints, feeds: RackFeeds, lost: int) -> tuple[np.ndarray[Any, Any], float]:
    """W on each element with one lost (-1 for none), and W without power."""

    def fed(element: int) -> list[int]:
        if element < 0 or element == lost:
            return []
        if parents[element] < 0:
            return [element]
        way = fed(int(parents[element])) or fed(int(spare[element]))
        return [element, *way] if way else []

    out, dark = np.zeros(len(parents)), 0.0
    for a, b, dual, single in zip(feeds.a, feeds.b, feeds.dual, feeds.single, strict=True):
        ways = [fed(int(a)), fed(int(b))]
        live = sum(bool(way) for way in ways)
        first = 0 if a >= 0 else 1
        for side, way in enumerate(ways):
            for element in way:
                out[element] += dual / live + (single if side == first else 0.0)
        if a >= 0 or b >= 0:
            dark += (0.0 if live else dual) + (0.0 if ways[first] else single)
    return out, dark


@settings(max_examples=120, deadline=None)
@given(switched())
def test_the_worst_loss_below_switches_is_what_losing_each_in_turn_gives(case: tuple[Ints, Ints, RackFeeds]) -> None:
    parents, spare, feeds = case
    load = tree_load(parents, feeds, spare)
    tries = [carried(parents, spare, feeds, lost) for lost in range(-1, len(parents))]

    assert load.normal.sum(axis=1) == pytest.approx(tries[0][0])
    assert load.dark == pytest.approx([dark for _, dark in tries[1:]])
    # Above a switch a pair of losses may take from one rack and give to another: never less than the truth.
    worst = np.max([watts for watts, _ in tries], axis=0)
    assert (load.failover.sum(axis=1) >= worst - 1e-6).all()
