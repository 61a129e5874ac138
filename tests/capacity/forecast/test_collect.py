"""What a Prometheus may answer instead of what was asked for: too much, nonsense, somebody else's page, nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from govhub.core.errors import TargetUnreachable
from govhub.monitoring.forecast.collect import Collected, Wanted, collect, first_day
from govhub.monitoring.forecast.resources import RESOURCES
from govhub.monitoring.forecast.store import History, Row
from govhub.monitoring.prometheus import Series, TooMuch

from .conftest import SHANGHAI, TODAY, days_back
from .hubs import RACKS

POWER = RESOURCES["power"]


class Answers:
    """A source that answers what it is told, and notes what it was asked."""

    def __init__(self, most: int = 100) -> None:
        self.asked: list[tuple[str, int]] = []
        self.most = most
        self.twice = False
        self.away: set[str] = set()

    def ranges(self, queries: Mapping[str, str], start: float, end: float, step: float) -> dict[str, list[Series]]:
        return {name: self._answer(query, start, end, step) for name, query in queries.items()}

    def _answer(self, query: str, start: float, end: float, step: float) -> list[Series]:
        count = round((end - start) / step) + 1
        self.asked.append((query, count))
        if any(word in query for word in self.away):
            raise TargetUnreachable.one("MTR005", "HTTP 502")
        if count > self.most:
            raise TooMuch.one("MTR005", "query processing would load too many samples")
        value = 288.0 if query.startswith("count_over_time") else 1500.0
        labels = dict(zip(("site", "hall", "row", "rack"), RACKS[0].split("/"), strict=True))
        samples = [(start + number * step, value) for number in range(count)]
        found = [Series(labels, samples), Series({"site": "site-a"}, samples)]
        return [*found, Series(labels | {"instance": "other"}, samples)] if self.twice else found


def wanted(days: int, **more: object) -> Wanted:
    base = {"resources": (POWER,), "halls": ("site-a/h1",), "first": days_back(days), "last": days_back(1)}
    return Wanted(**base | {"zone": SHANGHAI, "now": 5} | more)  # type: ignore[arg-type]


def test_questions_that_are_too_large_are_halved_until_they_are_answered(tmp_path: Path) -> None:
    source = Answers(most=3)
    found = collect(source, History(tmp_path), wanted(10))

    assert (found.rows, found.failed, len(found.problems)) == (10, 0, 0)
    assert {count for query, count in source.asked if query.startswith("quantile")} == {2, 3}
    assert "[24h:5m]" in source.asked[0][0]
    assert 'site="site-a",hall="h1"' in source.asked[0][0]


def test_two_series_of_one_place_contradict_each_other(tmp_path: Path) -> None:
    source = Answers()
    source.twice = True
    found = collect(source, History(tmp_path), wanted(3))

    assert found.rows == 0
    assert {item.code for item in found.problems} == {"FOR006"}
    assert RACKS[0] in found.problems.items[0].summary


def test_a_hall_that_is_not_answered_for_is_asked_again_and_the_others_are_kept(tmp_path: Path) -> None:
    source = Answers()
    source.away = {'hall="h2"'}
    both = {"halls": ("site-a/h1", "site-a/h2")}
    first = collect(source, History(tmp_path), wanted(3, **both))
    source.asked.clear()
    second = collect(source, History(tmp_path), wanted(3, **both))

    assert (first.rows, first.failed) == (3, 1)
    assert {item.code for item in first.problems} == {"FOR005"}
    # What is held is not asked for again.
    assert all('hall="h2"' in query for query, _ in source.asked)
    assert (second.rows, second.failed, second.skipped) == (0, 1, 3)


def test_when_nothing_answers_it_stops_soon(tmp_path: Path) -> None:
    source = Answers()
    source.away = {"count_over_time"}
    halls = tuple(f"site-a/h{number}" for number in range(50))
    found: Collected = collect(source, History(tmp_path), wanted(300, halls=halls))

    assert found.hopeless
    assert len(source.asked) == 3


def test_a_collection_begins_after_what_is_held_or_a_month_back(tmp_path: Path) -> None:
    history = History(tmp_path)
    assert first_day(history, [POWER], days_back(1), 30) == days_back(30)
    old = Row(day=days_back(100), metric="power", place=RACKS[0], p95=1, max=1, mean=1, coverage=1)
    history.add([old])
    assert first_day(history, [POWER], days_back(1), 30) == days_back(99)
    history.add([Row(day=days_back(2), metric="power", place=RACKS[0], p95=1, max=1, mean=1, coverage=1)])
    assert first_day(history, [POWER], days_back(1), 30) == days_back(30)


def test_values_of_a_day_are_of_that_day(tmp_path: Path) -> None:
    history = History(tmp_path)
    collect(Answers(), history, wanted(5))

    assert history.days("power") == {"site-a/h1": {days_back(number) for number in range(1, 6)}}
    assert TODAY - timedelta(days=1) == days_back(1)
    row = history.export().splitlines()[1].split(",")
    assert row[2:] == [RACKS[0], "1500.0", "1500.0", "1500.0", "1.0"]
