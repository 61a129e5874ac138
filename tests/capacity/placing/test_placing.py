"""Placing machines: worked examples, and small hubs on which every other placement is tried, too."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from capacity.placing.hubs import KILOWATT, hub_of, mirrored, run, tiny, two_sides
from govhub.monitoring.arithmetic.figure import Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.derive import placed
from govhub.monitoring.placing.levels import levels
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.place import Order


@pytest.mark.parametrize("order", list(Order))
def test_racks_that_share_a_ups_fill_it_together_and_not_each_for_itself(order: Order) -> None:
    # Each rack alone has room for 20 machines of 1 kW; both UPS of 10 kW take 10 of all of them, and not 5 each.
    found = run(Columns(hub_of(*two_sides(10))), 30, order=order)

    assert found.placed == 10
    assert {(item.refusal.resource, item.refusal.at) for item in found.kept} == {("element", "ups-a")}
    refusal = found.kept[0].refusal
    assert (refusal.used, refusal.limit, refusal.lost) == (10_000, 10_000, "ups-b")
    assert (found.full[0][0].at, found.full[0][1]) == ("ups-a", 10)


def test_a_2n_rack_with_half_on_each_feed_is_full() -> None:
    # 32 A at 230 V carry 7,360 W; each meter shows 3,500 W of it at seven machines of 1 kW, and the eighth does not go.
    power = [{"names": "bw-{a,b}", "kind": "busway", "kw": 100}]
    feeds = [
        {
            "racks": "a/h1/r1/1",
            "side": side,
            "fed_by": f"bw-{side}",
            "breaker_amps": 32,
            "volts": 230,
            "power_factor": 1,
        }
        for side in "ab"
    ]
    columns = Columns(hub_of(power, feeds, 1))
    found = run(columns, 20)
    load = placed(columns, KILOWATT, found.counts).tree_load.normal.sum(axis=1)

    assert found.placed == 7
    assert load.tolist() == [3500, 3500]
    assert (found.kept[0].refusal.resource, found.kept[0].racks) == ("feed.a", 1)


def test_machines_with_one_supply_fill_side_a_alone() -> None:
    # Single cords: 10 kW of UPS A and nothing of UPS B; grade A asks that A also takes over, and there is nothing to.
    columns = Columns(hub_of(*two_sides(10)))
    single = Need("single", units=1, watts=1000.0, kg=10.0, cords=1)
    found = run(columns, 30, single)
    load = placed(columns, single, found.counts).tree_load.normal.sum(axis=1)

    assert found.placed == 10
    assert load.tolist() == [10_000, 0]


def test_one_phase_of_a_busway_may_be_full_before_the_busway_is() -> None:
    # 30 kW busways carry 10 kW a phase. Two racks on L1 take 10 machines together, whatever L2 and L3 have left.
    power = [{"names": "bw-{a,b}", "kind": "busway", "kw": 30}]
    feeds = [
        {"racks": "a/h1/r1/{1..2}", "side": side, "fed_by": f"bw-{side}", "breaker_amps": 100, "phase": "l1"}
        for side in "ab"
    ]
    found = run(Columns(hub_of(power, feeds, 2)), 30)
    refusal = found.kept[0].refusal

    assert (found.placed, refusal.resource, refusal.phase, refusal.at) == (10, "phase", 1, "bw-a")


def test_grade_b_is_held_against_what_flows_and_not_against_a_loss() -> None:
    # Without a loss to survive each of two UPS of 10 kW carries half of 20 machines.
    power, feeds = two_sides(10)

    assert run(Columns(hub_of(power, feeds, tier="B")), 30).placed == 20


@pytest.mark.parametrize(
    ("rack", "need", "cause", "placed_in_all"),
    [
        ({"max_kg": 45}, KILOWATT, "weight", 12),
        ({"units": 5}, Need("two", 2, 100.0, 1.0), "space", 6),
        ({"rated_kw": 2.5}, KILOWATT, "power", 6),
        ({"outlets": 3}, KILOWATT, "outlets", 9),
    ],
)
def test_each_resource_of_a_rack_binds(rack: dict[str, Any], need: Need, cause: str, placed_in_all: int) -> None:
    found = run(Columns(hub_of(*two_sides(1000), **rack)), 500, need)

    assert found.placed == placed_in_all
    assert [(item.refusal.resource, item.racks) for item in found.kept] == [(cause, 3)]


def test_the_power_that_a_hall_is_built_for_binds() -> None:
    found = run(Columns(hub_of(*two_sides(1000), standard_rack_kw=2)), 500)

    # Three standard racks of 2 kW.
    assert (found.placed, found.kept[0].refusal.resource, found.kept[0].refusal.at) == (6, "budget", "a/h1")


def test_unknown_capacity_is_no_limit() -> None:
    power, feeds = two_sides(10)
    del power[0]["kw"]
    feeds = [{key: value for key, value in feed.items() if key != "breaker_amps"} for feed in feeds]
    found = run(Columns(hub_of(power, feeds)), 500)

    assert found.placed == 60
    assert {item.refusal.resource for item in found.kept} == {"power"}
    assert np.isnan(found.room.limit["feed.a"]).all()


def test_spread_takes_every_row_and_rack_before_the_second_machine() -> None:
    columns = Columns(hub_of(*two_sides(1000), racks=3))

    assert run(columns, 3).counts.tolist() == [1, 1, 1]
    assert run(columns, 3, order=Order.PACK).counts.tolist() == [3, 0, 0]


def within(columns: Columns, need: Need, counts: Ints) -> bool:
    """By the levels of the whole hub, worked out anew: nothing that grew is above its limit."""
    after = placed(columns, need, counts)
    for old, new in zip(levels(columns), levels(after), strict=True):
        with np.errstate(invalid="ignore"):
            if ((new.used > new.limit + 1e-6) & (new.used > old.used + 1e-9)).any():
                return False
    return True


def one_more(columns: Columns, need: Need, machines: int) -> bool:
    """Whether any placement takes ``machines + 1``; what fits also fits without one of its machines: that is enough."""
    each = [range(int(columns.racks.units[rack]) // need.units + 1) for rack in range(len(columns.racks.addresses))]
    tried = (counts for counts in itertools.product(*each) if sum(counts) == machines + 1)
    return any(within(columns, need, np.array(counts)) for counts in tried)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tiny(), st.sampled_from([1, 2]), st.sampled_from(list(Order)))
def test_no_placement_exceeds_a_limit_and_no_rack_takes_one_more(columns: Columns, cords: int, order: Order) -> None:
    need = Need("any", 1, 700.0, 1.0, cords)
    found = run(columns, 50, need, order)

    assert within(columns, need, found.counts)
    for rack in range(3):
        more = found.counts.copy()
        more[rack] += 1
        assert not within(columns, need, more)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mirrored(), st.sampled_from(list(Order)))
def test_with_two_sides_alike_no_other_placement_takes_more(columns: Columns, order: Order) -> None:
    need = Need("any", 1, 700.0, 1.0)

    assert not one_more(columns, need, run(columns, 50, need, order).placed)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mirrored(), st.integers(1, 8), st.integers(1, 1500), st.integers(0, 700))
def test_placing_is_monotone(columns: Columns, count: int, watts: int, more: int) -> None:
    light, heavy = (Need("any", 1, float(draw), 1.0) for draw in (watts, watts + more))
    few, many = run(columns, count, light), run(columns, count + 1, light)

    assert few.placed <= many.placed <= few.placed + 1
    assert (many.counts >= few.counts).all()
    assert run(columns, 50, heavy).placed <= run(columns, 50, light).placed


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tiny(), st.integers(1, 6))
def test_placing_in_two_parts_is_placing_at_once_and_counting_finds_it(columns: Columns, count: int) -> None:
    need = Need("any", 1, 300.0, 1.0)
    first = run(columns, count, need, Order.PACK)
    between = placed(columns, need, first.counts)
    second = run(between, 50, need, Order.PACK)
    whole = run(columns, 50 + count, need, Order.PACK)

    assume(first.placed == count)
    assert (first.counts + second.counts).tolist() == whole.counts.tolist()
    after = placed(columns, need, whole.counts)
    assert int(after.loads.machines.sum()) - int(columns.loads.machines.sum()) == whole.placed
    assert after.loads.watts.sum() - columns.loads.watts.sum() == pytest.approx(whole.placed * 300)
