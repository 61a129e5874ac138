"""Which days a cutover may begin on, and what the line carries until then."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govhub.migration.waves.days import blockers, closed, copied_by, slots_of
from govhub.migration.waves.holidays import kind_of, unpublished
from govhub.migration.waves.problem import Candidate, Freeze, Limit, Limits, Night, Rule, Span
from migration.waves.hubs import TODAY, loaded, problem_of, write_hub

FRIDAY = date(2026, 3, 6)
EVERY_DAY = tuple(range(7))


def kinds(candidate: Candidate, day: date, today: date = TODAY) -> set[Limit]:
    return {rule.kind for rule in blockers(candidate, day, today)}


def test_an_ordinary_friday_is_open() -> None:
    assert blockers(Candidate(name="a", tenant="t"), FRIDAY, TODAY) == []


def test_each_rule_closes_its_days() -> None:
    system = Candidate(
        name="a",
        tenant="t",
        busy=(Span((12, 20), (1, 10), "closing"),),
        not_before=date(2026, 3, 13),
        not_after=date(2026, 11, 28),
        freezes=(Freeze("calm", "hub", date(2026, 3, 20), 3),),
    )
    assert kinds(system, date(2026, 3, 9)) == {Limit.WINDOW, Limit.FREEZE, Limit.NOT_BEFORE}
    assert kinds(system, date(2026, 3, 20)) == {Limit.FREEZE}
    assert kinds(system, date(2026, 3, 21)) == set()
    assert kinds(system, date(2027, 1, 8)) == {Limit.BUSY, Limit.NOT_AFTER}
    assert kinds(system, FRIDAY, today=date(2026, 3, 7)) >= {Limit.PAST}
    assert Rule(Limit.FREEZE, "calm", 3) in blockers(system, date(2026, 3, 20), TODAY)


def test_a_window_past_midnight_reaches_into_the_busy_day_that_follows() -> None:
    late = Candidate(name="a", tenant="t", busy=(Span((3, 7), (3, 7), "exam"),))
    early = Candidate(name="a", tenant="t", night=Night((4,), 18 * 60, 120), busy=late.busy)
    assert kinds(late, FRIDAY) == {Limit.BUSY}
    assert kinds(early, FRIDAY) == set()


def test_no_cutover_on_a_holiday_its_eve_at_night_or_a_working_weekend() -> None:
    night, evening = Night(EVERY_DAY), Night(EVERY_DAY, 18 * 60, 120)
    assert closed(date(2026, 10, 1), night)
    assert closed(date(2026, 9, 30), night)
    assert not closed(date(2026, 9, 30), evening)
    assert closed(date(2026, 10, 10), night), "the Saturday on which the National Day is worked for"
    assert not closed(date(2026, 11, 21), night)


def test_what_is_not_published_is_taken_from_the_law_and_said() -> None:
    assert kind_of(date(2026, 10, 1)).published
    year = unpublished(date(2026, 1, 1), date(2099, 1, 1))
    assert year is not None
    assert kind_of(date(year, 10, 1)).holiday == "National Day"
    assert not kind_of(date(year, 10, 1)).published
    assert unpublished(date(2025, 1, 1), date(2026, 12, 31)) is None
    # The Spring Festival of 2035 begins on the 8th of February; its eve is free by law as well.
    assert kind_of(date(2035, 2, 7)).holiday
    assert kind_of(date(2035, 2, 8)).holiday


def test_the_line_carries_in_the_usual_windows_only() -> None:
    limits = Limits(first=date(2026, 3, 2), waves=2, link_mbps=8, today=TODAY)
    slots = slots_of(limits, Night((4, 5), 22 * 60, 60), [])
    hour = 1_000_000 * 3600 // 2**20 * 2**20
    assert [day for day, _ in slots[0].carried] == [FRIDAY + timedelta(days=n) for n in (0, 1, 7, 8)]
    assert copied_by(slots[0], date(2026, 3, 5)) == 0
    assert copied_by(slots[0], FRIDAY) == hour
    assert slots[0].line == pytest.approx(4 * hour, abs=4 * 2**20)
    frozen = slots_of(limits, Night((4, 5), 22 * 60, 60), [Freeze("f", "hub", date(2026, 3, 6), 0)])
    assert len(frozen[0].carried) == 3


def test_windows_that_overlap_count_once() -> None:
    limits = Limits(first=date(2026, 3, 2), waves=1, wave_days=7, link_mbps=8, today=TODAY)
    whole = slots_of(limits, Night(EVERY_DAY, 0, 1440), [])[0].line
    assert slots_of(limits, Night(EVERY_DAY, 0, 2880), [])[0].line <= whole * 8 // 7 + 2**20


def test_a_large_system_waits_until_its_data_is_there(tmp_path: Path) -> None:
    hub = loaded(write_hub(tmp_path / "h", {"small": {}, "large": {"size": 300}}))
    problem = problem_of(hub)
    assert problem.open_days(problem.candidates["small"], 1)[0] == FRIDAY
    # 100 Mbit/s for four hours a night are 168 GiB: two nights.
    assert problem.open_days(problem.candidates["large"], 1)[0] == date(2026, 3, 7)


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(1, 12), st.integers(1, 28), st.integers(0, 200))
def test_a_busy_time_is_the_same_every_year(day: date, month: int, first: int, length: int) -> None:
    begin = date(2025, month, first)
    end = begin + timedelta(days=length)
    span = Span((begin.month, begin.day), (end.month, end.day), "closing")
    years = [begin.year + shift for shift in range(-1, 4)]
    inside = any(begin.replace(year=y) <= day <= end.replace(year=y + end.year - begin.year) for y in years)
    assert span.holds(day) == inside
