"""What holds for any tree: sums of parts, monotone under load, no matter the order."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from govhub.monitoring.arithmetic.failover import RackFeeds, tree_load
from govhub.monitoring.arithmetic.figure import Ints, together, total
from govhub.monitoring.arithmetic.shares import watts_of_owners
from govhub.monitoring.arithmetic.space import largest_gap
from govhub.monitoring.arithmetic.tree import rolled_up


@st.composite
def trees(draw: st.DrawFn) -> tuple[Ints, RackFeeds]:
    """A forest, whose elements come after what feeds them, and racks on any two of them."""
    count = draw(st.integers(1, 12))
    parents = np.array([draw(st.integers(-1, place - 1)) for place in range(count)])
    racks = draw(st.integers(0, 12))

    def column(of: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(of, min_size=racks, max_size=racks))

    leaf, phase, watts = st.integers(-1, count - 1), st.integers(0, 3), st.integers(0, 10_000)
    columns = [np.array(column(leaf), dtype=np.int64) for _ in "ab"]
    columns += [np.array(column(phase), dtype=np.int64) for _ in "ab"]
    loads = [np.array(column(watts), dtype=np.float64) for _ in "ds"]
    return parents, RackFeeds(columns[0], columns[1], columns[2], columns[3], loads[0], loads[1])


def slow_failover(parents: Ints, feeds: RackFeeds) -> np.ndarray[Any, Any]:
    """The definition: lose each element, and carry every rack on what is left."""

    def above(element: int) -> set[int]:
        found = set()
        while element >= 0:
            found.add(element)
            element = int(parents[element])
        return found

    out = np.zeros(len(parents))
    for lost in range(-1, len(parents)):
        loads = np.zeros(len(parents))
        for a, b, dual, single in zip(feeds.a, feeds.b, feeds.dual, feeds.single, strict=True):
            ways = [above(int(a)), above(int(b))]
            live = [bool(way) and lost not in way for way in ways]
            alone = 0 if ways[0] else 1
            for side, way in enumerate(ways):
                carried = (dual / sum(live) if live[side] else 0) + (single if side == alone and live[side] else 0)
                for element in way:
                    loads[element] += carried
        # A way that is lost itself carries nothing then; what counts is the most that each element ever carries.
        out = np.maximum(out, loads)
    return out


@settings(max_examples=150, deadline=None)
@given(trees())
def test_failover_is_what_losing_each_element_in_turn_gives(tree: tuple[Ints, RackFeeds]) -> None:
    found = tree_load(*tree).failover.sum(axis=1)

    assert np.allclose(found, slow_failover(*tree))


@settings(max_examples=80, deadline=None)
@given(trees())
def test_the_tops_carry_everything_that_is_fed_once(tree: tuple[Ints, RackFeeds]) -> None:
    parents, feeds = tree
    load = tree_load(parents, feeds)
    fed = (feeds.a >= 0) | (feeds.b >= 0)

    assert np.isclose(load.normal[parents < 0].sum(), (feeds.dual + feeds.single)[fed].sum())
    assert (load.failover >= load.normal - 1e-9).all()


@settings(max_examples=80, deadline=None)
@given(trees(), st.integers(1, 5000))
def test_more_load_never_makes_anything_lighter(tree: tuple[Ints, RackFeeds], more: int) -> None:
    parents, feeds = tree
    heavier = RackFeeds(feeds.a, feeds.b, feeds.phase_a, feeds.phase_b, feeds.dual + more, feeds.single)
    before, after = tree_load(parents, feeds), tree_load(parents, heavier)

    assert (after.normal >= before.normal - 1e-6).all()
    assert (after.failover.sum(axis=1) >= before.failover.sum(axis=1) - 1e-6).all()


@settings(max_examples=80, deadline=None)
@given(trees(), st.randoms())
def test_the_order_of_racks_does_not_matter(tree: tuple[Ints, RackFeeds], draw: Any) -> None:
    parents, feeds = tree
    order = list(range(len(feeds.a)))
    draw.shuffle(order)
    phases = (feeds.phase_a[order], feeds.phase_b[order])
    mixed = RackFeeds(feeds.a[order], feeds.b[order], *phases, feeds.dual[order], feeds.single[order])

    assert np.allclose(tree_load(parents, feeds).failover, tree_load(parents, mixed).failover)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1), st.integers(0, 30))
def test_a_figure_of_parts_is_the_figure_of_the_whole(parts: list[tuple[int, int]], cut: int) -> None:
    used, limit = (np.array(side, dtype=np.float64) for side in zip(*parts, strict=True))
    split = together([total(used[:cut], limit[:cut], "W"), total(used[cut:], limit[cut:], "W")])

    assert split == total(used, limit, "W")


@given(st.lists(st.integers(0, 2**42 - 1), min_size=1, max_size=20))
def test_the_gap_is_the_longest_run_of_zeros(masks: list[int]) -> None:
    wanted = [max(map(len, f"{mask:042b}".split("1"))) for mask in masks]

    assert largest_gap(np.array(masks, dtype=np.uint64), np.full(len(masks), 42)).tolist() == wanted


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 4), st.integers(0, 64)), min_size=1, max_size=40))
def test_all_watts_are_somebodys_or_nobodys(pods: list[tuple[int, int, int]]) -> None:
    owner, node, asked = (np.array(side) for side in zip(*pods, strict=True))
    watts = np.array([100.0, 200, 300, 400, 500])
    found = watts_of_owners(owner, node, asked.astype(np.float64), np.full(5, 32.0), watts, 4)

    assert np.isclose(found.sum(), watts.sum())
    assert (found >= -1e-9).all()


def test_a_roll_up_of_columns_is_one_of_each() -> None:
    values = np.array([[1.0, 2], [3, 4], [5, 6]])

    assert rolled_up(values, np.array([-1, 0, 0])).tolist() == [[9, 12], [3, 4], [5, 6]]
