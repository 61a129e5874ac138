"""What holds for any series: lines are found, few wrong values do not matter, more growth is never later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.forecast.backtest import backtest
from govhub.monitoring.forecast.exhaustion import STATUSES, Status, exhaustion
from govhub.monitoring.forecast.robust import BREAKDOWN, Lines, blocks, fit, median
from govhub.monitoring.forecast.rollups import Place, fill, sums

SLOPES = st.floats(-50, 50)
LENGTHS = st.integers(28, 400)


def line(slope: float, level: float, days: int) -> Floats:
    """A line that is at ``level`` on the last day."""
    return level + slope * np.arange(1 - days, 1, dtype=np.float64)


def tolerance(slope: float, level: float, days: int) -> float:
    """Slopes are rounded to seven digits, and differences of large values have fewer."""
    return 1e-6 * abs(slope) + 1e-12 * (abs(level) + abs(slope) * days) + 1e-12


@settings(max_examples=120, deadline=None)
@given(SLOPES, st.floats(0, 1e5), LENGTHS)
def test_a_line_is_found_exactly(slope: float, level: float, days: int) -> None:
    found = fit(line(slope, level, days)[None])

    near = tolerance(slope, level, days)
    assert abs(found.slope[0] - slope) <= near
    assert abs(found.level[0] - level) <= near * days + 1e-6
    # Nothing about a line is uncertain.
    assert abs(found.high[0] - found.low[0]) <= 2 * near


@settings(max_examples=120, deadline=None)
@given(SLOPES, LENGTHS, st.data())
def test_gaps_do_not_bend_a_line(slope: float, days: int, data: Any) -> None:
    values = line(slope, 1000.0, days)
    gone = data.draw(st.lists(st.integers(0, days - 1), max_size=days // 4, unique=True))
    values[gone] = np.nan
    found = fit(values[None])

    assert abs(found.slope[0] - slope) <= tolerance(slope, 1000.0, days)
    assert found.days[0] == days - len(gone)


@settings(max_examples=120, deadline=None)
@given(SLOPES, st.integers(70, 400), st.floats(-1e9, 1e9), st.floats(0, 1), st.floats(0, 1))
def test_an_outage_below_the_breakdown_point_does_not_bend_a_line(
    slope: float, days: int, wrong: float, share: float, begin: float
) -> None:
    values = line(slope, 5000.0, days)
    # An outage touches one block more than its own weeks, where it begins and where it ends.
    longest = int(BREAKDOWN * (days // 7) - 2) * 7
    length = int(share * max(longest, 0))
    start = int(begin * (days - length))
    values[start : start + length] = wrong
    found = fit(values[None])

    # Some pairs are wrong, so the middle one is another of the equal right ones.
    assert abs(found.slope[0] - slope) <= 1e-5 * max(abs(slope), 1.0)


def test_more_wrong_values_than_that_do_bend_it() -> None:
    values = line(3.0, 1000.0, 364)
    values[: 364 * 2 // 5] = 1e6

    assert abs(fit(values[None]).slope[0] - 3.0) > 1


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 20))
def test_a_weekly_pattern_is_no_growth(seed: int, size: float) -> None:
    week = np.random.default_rng(seed).normal(0, size, 7)
    for days in (28, 40, 55, 56, 63, 200):
        values = 1000 + np.resize(week, days)
        assert abs(fit(values[None]).slope[0]) <= 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_another_unit_or_zero_changes_nothing_else(seed: int, scale: float, shift: float) -> None:
    values = np.random.default_rng(seed).normal(1000, 30, 120)
    before, after = fit(values[None]), fit((scale * values + shift)[None])

    for name in ("slope", "low", "high"):
        assert getattr(after, name)[0] == pytest.approx(scale * getattr(before, name)[0], abs=1e-5 * scale)
    assert after.level[0] == pytest.approx(scale * before.level[0] + shift, abs=1e-3 * scale)


def test_the_interval_holds_what_it_promises_of_noise_without_memory() -> None:
    days = np.arange(182, dtype=np.float64)
    noise = np.random.default_rng(7).normal(0, 40, (800, 182))
    found = fit(2000 + 5 * days + noise)
    inside = float(((found.low <= 5) & (found.high >= 5)).mean())

    # 80 % are promised; residuals of few blocks look a little related, which makes it a little wider.
    assert 0.76 <= inside <= 0.93


def test_what_follows_itself_is_less_sure() -> None:
    rng = np.random.default_rng(11)
    alone = rng.normal(0, 40, (200, 364))
    related = np.empty_like(alone)
    related[:, 0] = alone[:, 0]
    for day in range(1, 364):
        related[:, day] = 0.95 * related[:, day - 1] + np.sqrt(1 - 0.95**2) * alone[:, day]

    def width(lines: Lines) -> float:
        return float(np.median(lines.high - lines.low))

    assert width(fit(1000 + related)) > 3 * width(fit(1000 + alone))


def test_a_block_needs_half_of_its_days_and_stands_at_the_middle_of_them() -> None:
    values = line(2.0, 100.0, 21)[None]
    values[0, :4] = np.nan
    values[0, 8:10] = np.nan
    x, y = blocks(values, 7)

    assert np.isnan(y[0, 0])
    assert np.allclose(y[0, 1:], 100 + 2 * x[0, 1:])
    assert x[0, 2] == -3


def test_medians_leave_unknown_ones_out() -> None:
    values = np.array([[1.0, np.nan, 3, 2], [np.nan] * 4, [4.0, 1, 2, 3]])

    assert np.array_equal(median(values), [2.0, np.nan, 2.5], equal_nan=True)
    assert np.isnan(median(np.zeros((2, 0)))).all()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.none() | st.floats(0, 1e6), min_size=12, max_size=12), min_size=1, max_size=5))
def test_a_gap_is_filled_on_the_line_between_its_neighbours(rows: list[list[float | None]]) -> None:
    values = np.array(rows, dtype=np.float64)
    filled = fill(values, np.ones(len(values), dtype=bool))

    for row, found in zip(values, filled, strict=True):
        known = ~np.isnan(row)
        wanted = np.interp(np.arange(12), np.flatnonzero(known), row[known]) if known.any() else row
        assert np.allclose(found, wanted, equal_nan=True)
    assert np.array_equal(fill(values, np.zeros(len(values), dtype=bool)), values, equal_nan=True)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 11))
def test_a_sum_of_parts_is_the_sum_of_its_places(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    values, limits = rng.uniform(0, 100, (12, 40)), rng.uniform(100, 200, 12)
    order = rng.permutation(12).tolist()
    places = [Place("hall", "all", range(12)), Place("row", "a", order[:cut]), Place("row", "b", order[cut:])]
    whole, one, other = sums(values, limits, places)

    assert np.allclose(whole.values, one.values + other.values)
    assert whole.limit == pytest.approx(one.limit + other.limit)
    assert whole.known == 12


def ends(values: Floats, limit: float, horizon: int = 730) -> tuple[Status, float, float, float]:
    found = exhaustion(fit(values[None]), np.array([limit]), np.ones(1), horizon)
    return STATUSES[int(found.status[0])], float(found.p10[0]), float(found.p50[0]), float(found.p90[0])


def test_the_day_of_a_line_is_arithmetic() -> None:
    status, early, middle, late = ends(line(10.0, 4000.0, 365), 5000.0)

    assert status is Status.RUNS_OUT
    assert (early, middle, late) == pytest.approx((100, 100, 100), abs=1e-3)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 20), st.floats(1500, 9000))
def test_early_middle_and_late_come_in_this_order(seed: int, slope: float, limit: float) -> None:
    values = line(slope, 1000.0, 365) + np.random.default_rng(seed).normal(0, 50, 365)
    status, early, middle, late = ends(values, limit)

    if status is Status.RUNS_OUT:
        assert early <= middle
        assert np.isnan(late) or middle <= late


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1, 20), st.floats(1.01, 3), st.floats(2000, 4000))
def test_more_growth_or_a_lower_limit_is_never_later(seed: int, slope: float, more: float, limit: float) -> None:
    noise = np.random.default_rng(seed).normal(0, 20, 365)
    slow, fast = (line(rate, 1000.0, 365) + noise for rate in (slope, slope * more))

    def day(values: Floats, of: float) -> float:
        found = exhaustion(fit(values[None]), np.array([of]), np.ones(1), 730).p50[0]
        return float("inf") if np.isnan(found) else float(found)

    assert day(fast, limit) <= day(slow, limit) + 1e-6
    assert day(slow, limit * 0.9) <= day(slow, limit) + 1e-6


def test_history_of_a_month_says_nothing_of_next_year() -> None:
    month = line(1.0, 1000.0, 30)

    assert ends(month, 1050.0)[:1] == (Status.RUNS_OUT,)
    # It would run out in 100 days; 30 days reach 60 ahead.
    assert ends(month, 1100.0)[0] is Status.TOO_FEW_DAYS
    assert np.isnan(ends(month, 1100.0)[2])
    assert ends(line(1.0, 1000.0, 27), 1010.0)[0] is Status.TOO_FEW_DAYS
    assert ends(line(1.0, 1000.0, 365), 1e6)[0] is Status.HOLDS


def test_without_growth_nothing_runs_out_and_what_is_full_is_full() -> None:
    assert ends(line(0.0, 1000.0, 100), 1001.0)[0] is Status.HOLDS
    assert ends(line(-2.0, 1000.0, 100), 1001.0)[0] is Status.HOLDS
    assert ends(line(-2.0, 1000.0, 100), 1000.0)[0] is Status.FULL
    assert ends(np.full(100, np.nan), 1000.0)[0] is Status.UNKNOWN
    assert ends(line(1.0, 1000.0, 100), float("nan"))[0] is Status.UNKNOWN


def test_the_error_is_scaled_and_defined_at_zero() -> None:
    days = 200
    noisy = 1000 + 2 * np.arange(days) + np.random.default_rng(3).normal(0, 30, days)
    values = np.stack([line(5.0, 1000.0, days), np.zeros(days), noisy, np.full(days, np.nan), np.full(days, 7.0)])
    values[4, -1] = 8.0
    found = backtest(values)

    # A line is forecast without error, though last week was 35 away; nothing at all is forecast as nothing.
    assert found.mase[:2] == pytest.approx([0, 0], abs=1e-6)
    assert 0 < found.mase[2] < 1.5
    assert found.within[2] > 0.6
    assert np.isnan(found.mase[3])
    # Every week was like the last one until something was missed: no scale says how bad that is.
    assert (found.origins[4], found.mase[4]) == (2, 0)
    assert found.origins[:2].tolist() == [3, 3]


def test_a_step_makes_the_back_test_worse() -> None:
    rng = np.random.default_rng(5)
    calm = 1000 + rng.normal(0, 20, (1, 200))
    moved = calm.copy()
    moved[:, -20:] += 500

    assert backtest(moved).mase[0] > 2 * backtest(calm).mase[0]


def test_too_short_a_history_has_no_back_test() -> None:
    found = backtest(line(1.0, 100.0, 50)[None])

    assert found.origins[0] == 0
    assert np.isnan(found.mase[0])
