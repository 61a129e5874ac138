"""Worked examples with numbers that were checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from govhub.monitoring.arithmetic import electrical, energy, grades, headroom, shares, space, stranded, traffic
from govhub.monitoring.arithmetic.cooling import after_losses
from govhub.monitoring.arithmetic.failover import THREE_PHASE, RackFeeds, feed_load, tree_load
from govhub.monitoring.arithmetic.figure import Figure, amount, largest, together, total, unknown, worst
from govhub.monitoring.arithmetic.tree import depths, rolled_up

NAN = float("nan")


def feeds(a: list[int], b: list[int], dual: list[float], single: list[float] | None = None) -> RackFeeds:
    three = np.full(len(a), THREE_PHASE)
    return RackFeeds(
        np.array(a), np.array(b), three, three, np.array(dual), np.array(single or [0.0] * len(a), dtype=np.float64)
    )


def test_a_2n_rack_at_half_of_each_feed_is_full() -> None:
    # 32 A at 230 V are 7,360 W a feed. Each side carries 3,680 W: one meter says 50 %, and nothing is left.
    limit = electrical.single_phase_watts(230, 32)
    rack = feeds([0], [1], [7360.0])

    normal = tree_load(np.array([-1, -1]), rack).normal.sum(axis=1)
    after_a, after_b = feed_load(rack)

    assert limit == pytest.approx(7360)
    assert normal == pytest.approx([3680, 3680])
    assert after_a[0] == after_b[0] == pytest.approx(limit)


def test_three_phases_between_lines() -> None:
    # 32 A, 400 V: √3 · 400 · 32 = 22,170 W; at a power factor of 0.95 it is 21,062 W.
    assert electrical.three_phase_watts(400, 32) == pytest.approx(22_170.25, abs=0.01)
    assert electrical.three_phase_watts(400, 32, 0.95) == pytest.approx(21_061.74, abs=0.01)
    # The same as three phases of 230.94 V against neutral.
    assert 3 * electrical.single_phase_watts(400 / 3**0.5, 32) == pytest.approx(22_170.25, abs=0.01)
    assert electrical.apparent_to_real(2500, 0.95) == pytest.approx(2_375_000)


def test_unbalanced_phases() -> None:
    # 10, 20 and 30 A: the mean is 20, the largest deviation 10; the neutral carries √(100+400+900-200-600-300) = √300.
    found = electrical.imbalance(np.array([[10.0, 20, 30], [5, 5, 5], [0, 0, 0]]))

    assert found[:2] == pytest.approx([0.5, 0.0])
    assert np.isnan(found[2])
    assert electrical.neutral_amps(np.array([[10.0, 20, 30], [7, 7, 7]])) == pytest.approx([17.3205, 0.0], abs=1e-4)


def test_a_host_with_two_supplies_puts_all_of_its_draw_on_the_one_that_is_left() -> None:
    # 1+1 supplies of a host that draws 800 W; beside it one of 200 W with a single cord on side A.
    rack = feeds([0], [1], [800.0], [200.0])
    load = tree_load(np.array([-1, -1]), rack)

    assert load.normal.sum(axis=1) == pytest.approx([600, 400])
    assert load.failover.sum(axis=1) == pytest.approx([1000, 800])
    assert load.dark.tolist() == [200, 0]
    assert [side[0] for side in feed_load(rack)] == pytest.approx([1000, 800])


def test_the_worst_loss_is_that_of_a_ups_and_not_of_one_busway() -> None:
    # Two UPS (0, 1) with two busways each (2, 3 on A and 4, 5 on B); two racks of 4 kW, one on each pair.
    parents = np.array([-1, -1, 0, 0, 1, 1])
    load = tree_load(parents, feeds([2, 3], [4, 5], [4000.0, 4000.0]))

    assert load.normal.sum(axis=1) == pytest.approx([4000, 4000, 2000, 2000, 2000, 2000])
    assert load.failover.sum(axis=1) == pytest.approx([8000, 8000, 4000, 4000, 4000, 4000])
    assert load.lost.tolist() == [1, 0, 1, 1, 0, 0]
    assert load.dark.tolist() == [0] * 6


def test_both_sides_on_one_element_gain_nothing_and_go_dark_with_it() -> None:
    # A and B are two busways under one UPS (0).
    load = tree_load(np.array([-1, 0, 0]), feeds([1], [2], [1000.0]))

    assert load.failover.sum(axis=1) == pytest.approx([1000, 1000, 1000])
    assert load.dark.tolist() == [1000, 0, 0]


def test_phases_stay_apart_after_a_loss() -> None:
    rack = RackFeeds(
        np.array([0, 0]), np.array([1, 1]), np.array([0, 1]), np.array([2, 2]), np.array([3000.0, 600]), np.zeros(2)
    )
    load = tree_load(np.array([-1, -1]), rack)

    assert load.normal.tolist() == [[1500, 300, 0], [0, 0, 1800]]
    assert load.failover.tolist() == [[3000, 600, 0], [0, 0, 3600]]


def test_a_rack_whose_draw_is_unknown_makes_its_elements_unknown_and_not_lighter() -> None:
    load = tree_load(np.array([-1, -1, 0]), feeds([2, 0], [1, -1], [NAN, 500.0]))

    carried = load.carried(after_loss=True)
    assert np.isnan(carried).tolist() == [True, True, True]
    assert (load.known.tolist(), load.racks.tolist()) == ([1, 0, 0], [2, 1, 1])
    assert np.isnan(feed_load(feeds([0], [1], [NAN]))[0][0])


def test_a_tree_without_elements_and_racks_without_feeds() -> None:
    load = tree_load(np.zeros(0, dtype=np.int64), feeds([-1], [-1], [100.0]))

    assert load.normal.shape == (0, 3)
    assert np.isnan(feed_load(feeds([-1], [-1], [100.0]))).all()


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        depths(np.array([1, 0]))
    assert depths(np.array([-1, 0, 1])).tolist() == [0, 1, 2]
    assert rolled_up(np.array([1.0, 2, 4]), np.array([-1, 0, 1])).tolist() == [7, 6, 4]


def test_a_total_is_a_ratio_of_sums_over_what_is_known() -> None:
    # 90 of 100 and 10 of 900: the average of the ratios would be 46 %, the truth is 10 %.
    whole = total(np.array([90.0, 10]), np.array([100.0, 900]), "W")
    half = total(np.array([90.0, NAN]), np.array([100.0, 900]), "W", age=60)

    assert whole.ratio == pytest.approx(0.1)
    assert (half.numerator, half.denominator, half.coverage, half.age) == (90, 100, 0.5, 60)
    assert together([whole, half]).as_dict() == {
        "numerator": 190.0,
        "denominator": 1100.0,
        "unit": "W",
        "ratio": 0.1727,
        "coverage": {"known": 3, "of": 4, "ratio": 0.75},
        "age_seconds": 60,
    }


def test_unknown_is_not_zero() -> None:
    nothing = total(np.array([NAN]), np.array([5.0]), "W")

    assert (nothing.numerator, nothing.ratio, nothing.room, nothing.coverage) == (None, None, None, 0.0)
    assert total(np.zeros(0), np.zeros(0), "W").coverage is None
    assert unknown("W").ratio is None
    assert amount(3, None, "W").known == 0
    assert Figure(unit="W", numerator=0.0, denominator=0.0, known=1, parts=1).ratio is None
    with pytest.raises(ValueError, match="2 units"):
        together([unknown("W"), unknown("kg")])


def test_the_worst_part_and_the_largest() -> None:
    names = ["a", "b", "c"]
    found = worst(np.array([1.0, 9, NAN]), np.array([10.0, 10, 1]), "W", names)

    assert (found.at, found.ratio, found.known, found.parts) == ("b", 0.9, 2, 3)
    assert worst(np.array([1.0]), np.array([0.0]), "W", ["full"]).at == "full"
    assert worst(np.array([NAN]), np.array([1.0]), "W", ["x"]).numerator is None
    assert largest(np.array([3.0, 7, NAN]), np.array([42.0, 42, 42]), "U", names).at == "b"
    assert largest(np.array([NAN]), np.array([1.0]), "U", ["x"]).known == 0


def test_the_largest_gap_between_machines() -> None:
    # 42 units: 1-2 and 21-22 are taken, so 3-20 (18 units) and 23-42 (20 units) are free; then empty, full, top taken.
    taken = sum(1 << (unit - 1) for unit in (1, 2, 21, 22))
    racks = np.array([taken, 0, (1 << 42) - 1, 1 << 59], dtype=np.uint64)

    assert space.largest_gap(racks, np.array([42, 42, 42, 60])).tolist() == [20, 42, 0, 59]


def test_free_units_in_single_holes_hold_no_server_of_two() -> None:
    fits = space.servers_that_fit(
        {"power": np.array([1700.0]), "space": np.array([10.0]), "weight": np.array([NAN])},
        {"power": 800.0, "space": 2.0, "weight": 30.0},
        np.array([1.0]),
    )
    cause, servers = space.binding(fits)

    assert {name: found[0] for name, found in fits.items() if name != "weight"} == {"power": 2.0, "space": 0.0}
    assert (list(fits)[cause[0]], servers[0]) == ("space", 0)
    assert space.binding({"power": np.array([NAN])})[0].tolist() == [-1]


def test_stranded_power_is_what_weight_leaves_unused() -> None:
    # 5 kW are free, weight takes two more servers of 800 W: six would have power, so 4 × 800 W are stranded.
    watts = stranded.stranded_watts(np.array([5000.0, 700.0]), np.array([2.0, 0.0]), 800)

    assert watts.tolist() == [3200, 0]
    assert stranded.by_cause(watts, np.array([1, 0]), ["power", "weight"]) == {"weight": 3200.0}


def test_cooling_without_its_largest_unit() -> None:
    # N+1: three units of 100 kW and one of 120 kW against 250 kW of heat leave 300 kW.
    units = np.array([100e3, 100e3, 120e3, 100e3])

    assert after_losses(250e3, units).denominator == 300e3
    assert after_losses(250e3, units, 0).denominator == 420e3
    assert after_losses(250e3, np.array([100e3, NAN])).coverage == 0.5
    assert after_losses(None, units).ratio is None


@pytest.mark.parametrize(
    ("tier", "loss", "units"),
    [
        ("A", "path", 1),
        ("T4", "path", 1),
        ("T3+", "path", 1),
        ("B", "module", 1),
        ("T2", "module", 1),
        ("C", "nothing", 0),
    ],
)
def test_what_a_grade_survives(tier: str, loss: str, units: int) -> None:
    assert grades.survives(tier) == loss
    assert grades.units_lost(tier) == units


def test_an_unknown_grade_is_refused() -> None:
    with pytest.raises(ValueError, match="no grade"):
        grades.survives("D")


def test_pue_and_the_share_of_renewable_energy() -> None:
    found = energy.pue(1250.0, 1000.0)

    assert (found.ratio, found.unit) == (1.25, "kWh")
    assert energy.pue(None, 1000.0).ratio is None
    assert energy.green_share(900.0, 1000.0).ratio == pytest.approx(0.9)
    assert energy.green_share(None, 1.0).coverage == 0
    for wrong in ((900.0, 1000.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="meter"):
            energy.pue(*wrong)
    with pytest.raises(ValueError, match="meter"):
        energy.green_share(2.0, 1.0)


def test_oversubscription_of_leaves() -> None:
    # 48 ports of 25 Gbit/s down and 6 of 100 up: 1,200 to 600 is 2:1; the second leaf's way up is unknown.
    found = traffic.oversubscription(np.array([1200.0, 1200]), np.array([600.0, NAN]))

    assert (found.ratio, found.coverage) == (2.0, 0.5)
    assert traffic.oversubscription(np.array([NAN]), np.array([1.0])).ratio is None


def test_the_95th_percentile_drops_the_highest_one_in_twenty() -> None:
    # Of 20 samples the highest is dropped; of 21, ⌈19.95⌉ = the 20th stays; a gap is no zero.
    samples = np.full((3, 21), NAN)
    samples[0, :20] = np.arange(1, 21)
    samples[1] = np.arange(1, 22)

    assert traffic.p95(samples)[:2].tolist() == [19, 20]
    assert np.isnan(traffic.p95(samples)[2])
    assert traffic.busier_way(samples[:1], samples[:1] * 2).tolist() == [38]
    assert np.isnan(traffic.p95(np.zeros((1, 0)))).all()


def test_nodes_without_their_worst_rack() -> None:
    # Two racks of 2 × 32 and 3 × 32 cores: the second is lost, 64 are left for 60 that are asked for.
    found = headroom.after_rack_loss(np.full(5, 32.0), np.array([0, 0, 1, 1, 1]), 60.0, "cores", ["r1", "r2"])

    assert (found.denominator, found.at, found.room) == (64, "r2", 4)
    assert headroom.after_rack_loss(np.zeros(0), np.zeros(0, dtype=np.int64), 1.0, "cores", []).ratio is None


def test_watts_go_to_who_reserved_the_node() -> None:
    # Node 0 draws 400 W and offers 8 cores, of which 2 and 4 are reserved: 100 W, 200 W, and 100 W for nobody.
    owner, node = np.array([0, 1, 1]), np.array([0, 0, -1])
    watts = shares.watts_of_owners(owner, node, np.array([2.0, 4, 9]), np.array([8.0]), np.array([400.0]), 2)

    assert watts.tolist() == [100, 200, 100]
    asked, used, known, parts = shares.waterfall(owner, np.array([2.0, 4, 9]), np.array([1.0, NAN, 3]), 3)
    assert (asked.tolist(), known.tolist(), parts.tolist()) == ([2, 13, 0], [1, 1, 0], [1, 2, 0])
    assert used[:2].tolist() == [1, 3]
    assert np.isnan(used[2])
