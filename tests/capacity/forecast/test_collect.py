"""What a Prometheus may answer instead of what was asked for: too much, nonsense, somebody else's page, nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from govhub.core.errors import UsageError
from govhub.monitoring.forecast.collect import Collected, Wanted, collect, first_day
from govhub.monitoring.forecast.prometheus import NoAnswer, Prometheus, Series, shown
from govhub.monitoring.forecast.resources import RESOURCES
from govhub.monitoring.forecast.store import History, Row

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

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        count = round((end - start) / step) + 1
        self.asked.append((query, count))
        if any(word in query for word in self.away):
            raise NoAnswer("HTTP 502")
        if count > self.most:
            raise NoAnswer("execution: query processing would load too many samples", too_much=True)
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


class Server(BaseHTTPRequestHandler):
    """Answers with ``body``."""

    body: ClassVar[bytes] = b""
    status: ClassVar[int] = 200
    form: ClassVar[dict[str, list[str]]] = {}

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        type(self).form = parse_qs(self.rfile.read(length).decode())
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- likewise
        """Nothing on stderr."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/prometheus/"
        listening.shutdown()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>sign in</html>"),
        (200, b"[]"),
        (200, b'{"status": "success"}'),
        (200, b'{"status": "success", "data": {"result": [{"metric": {}, "values": [[1]]}]}}'),
        (200, b'{"status": "success", "data": {"result": [{"metric": {}, "values": [[1, "x"]]}]}}'),
        (503, b'{"status": "error", "errorType": "unavailable", "error": "starting"}'),
        (302, b""),
    ],
)
def test_nonsense_is_no_answer(server: str, status: int, body: bytes) -> None:
    Server.status, Server.body = status, body

    with Prometheus(server, timeout=5) as source, pytest.raises(NoAnswer) as caught:
        source.query_range("up", 0, 10, 5)
    assert not caught.value.too_much


def test_limits_of_prometheus_ask_for_less(server: str) -> None:
    text = "query processing would load too many samples into memory in query execution"
    Server.status, Server.body = 422, json.dumps({"status": "error", "errorType": "execution", "error": text}).encode()

    with Prometheus(server, timeout=5) as source, pytest.raises(NoAnswer) as caught:
        source.query_range("up", 0, 10, 5)
    assert caught.value.too_much
    assert Server.form == {"query": ["up"], "start": ["0.000"], "end": ["10.000"], "step": ["5"]}


def test_an_answer_without_end_is_cut(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("govhub.monitoring.forecast.prometheus.MAX_BYTES", 2**20)
    Server.status, Server.body = 200, b" " * 2**21

    with Prometheus(server, timeout=5) as source, pytest.raises(NoAnswer) as caught:
        source.query_range("up", 0, 10, 5)
    assert caught.value.too_much


def test_addresses_are_shown_without_their_password() -> None:
    assert shown("https://me:secret@prom.example:9443/x/") == "https://prom.example:9443/x"
    for wrong in ("", "prom:9090", "ftp://prom", "http://", "http://[", "http://h:99999"):
        with pytest.raises(UsageError):
            shown(wrong)


def test_values_of_a_day_are_of_that_day(tmp_path: Path) -> None:
    history = History(tmp_path)
    collect(Answers(), history, wanted(5))

    assert history.days("power") == {"site-a/h1": {days_back(number) for number in range(1, 6)}}
    assert TODAY - timedelta(days=1) == days_back(1)
    row = history.export().splitlines()[1].split(",")
    assert row[2:] == [RACKS[0], "1500.0", "1500.0", "1500.0", "1.0"]
