"""Servers that are slow, endless, or no Prometheus."""

from __future__ import annotations

import asyncio
import http.server
import time

import pytest

from capacity.meters.conftest import served
from govhub.core.errors import InvalidInput, TargetUnreachable
from govhub.lab.scratch import free_port
from govhub.monitoring.columns import Columns
from govhub.monitoring.live.readings import read
from govhub.monitoring.live.usage import used_millicores
from govhub.monitoring.prometheus import Prometheus, TooMuch, quoted

GOOD = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[5,"1.5"]}]}}'


class Quiet(http.server.BaseHTTPRequestHandler):
    body = GOOD
    status = 200

    def do_POST(self) -> None:
        # A question that is left unread would reset the connection, and with it the end of a long answer.
        self.asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


def answering(answer: bytes, code: int = 200) -> type[Quiet]:
    return type("Answering", (Quiet,), {"body": answer, "status": code})


class Dripping(Quiet):
    """A byte now and then: no single step is ever late."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass


class Endless(Quiet):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass


def code_of(handler: type[Quiet], columns: Columns) -> str:
    with served(handler) as address:
        client = Prometheus(f"http://{address}", deadline=1.0, most_bytes=1_000_000)
        begun = time.monotonic()
        found = read(client, columns, time.time())
        assert time.monotonic() - begun < 3
        assert not (found.racks >= 0).any()
        assert len(found.problems) == 1
        assert used_millicores(client, "testcity")[0] == {}
        return found.problems[0][:6]


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (Dripping, "MTR005"),
        (Endless, "MTR005"),
        (answering(b"<html>hello</html>"), "MTR006"),
        (answering(b"{}"), "MTR006"),
        (answering(b"[]"), "MTR006"),
        (answering(b"null"), "MTR006"),
        (answering(b"[" * 100_000), "MTR006"),
        (answering(b'{"status":"error","error":"too many samples"}', 422), "MTR005"),
        (answering(GOOD.replace(b"vector", b"matrix")), "MTR006"),
        (answering(GOOD.replace(b'"value":[5,"1.5"]', b'"value":[5]')), "MTR006"),
        (answering(GOOD.replace(b'"1.5"', b'"much"')), "MTR006"),
        (answering(GOOD.replace(b'{"a":"b"}', b"7")), "MTR006"),
        (answering(GOOD.replace(b'[{"metric"', b'[3, {"metric"')), "MTR006"),
        (answering(b"\xff\xfe\x00"), "MTR006"),
    ],
)
def test_everything_is_unknown_with_a_reason(handler: type[Quiet], code: str, columns: Columns) -> None:
    assert code_of(handler, columns) == code


def test_nobody_there(columns: Columns) -> None:
    found = read(Prometheus(f"http://127.0.0.1:{free_port()}", deadline=2), columns, time.time())

    assert found.problems[0].startswith("MTR005")


def test_an_answer_is_read_also_from_within_a_running_loop() -> None:
    async def within(client: Prometheus) -> float:
        return client.instant({"x": "y"})["x"][0].value

    with served(Quiet) as address:
        client = Prometheus(f"http://{address}/")
        assert client.instant({"x": "y"})["x"][0].labels == {"a": "b"}
        assert asyncio.run(within(client)) == 1.5
        with pytest.raises(TargetUnreachable, match="no Prometheus"):
            client.ranges({"x": "y"}, 0, 1, 1)


RANGE = (
    b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[6,"3.5"]]}]}}'
)


def test_a_range_is_asked_for_in_a_form_and_read_in_order() -> None:
    asked: list[bytes] = []

    class Noting(Quiet):
        body = RANGE

        def do_POST(self) -> None:
            super().do_POST()
            asked.append(self.asked)

    with served(Noting) as address:
        found = Prometheus(f"http://{address}/").ranges({"x": "up"}, 0, 10, 5)
    assert [(dict(item.labels), item.points) for item in found["x"]] == [({"a": "b"}, [(1.0, 2.0), (6.0, 3.5)])]
    assert asked == [b"query=up&start=0.000&end=10.000&step=5"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b'{"status":"error","errorType":"execution","error":"query processing would load too many samples"}', 422),
        (b'{"status":"error","errorType":"timeout","error":"query timed out"}', 503),
        (b" " * 2_000_000, 200),
    ],
)
def test_limits_ask_for_less(answer: bytes, code: int) -> None:
    with served(answering(answer, code)) as address:
        client = Prometheus(f"http://{address}", most_bytes=1_000_000)
        with pytest.raises(TooMuch):
            client.ranges({"x": "y"}, 0, 10, 5)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", 200),
        (b"", 302),
        (RANGE.replace(b'[6,"3.5"]', b"[6]"), 200),
        (RANGE.replace(b'"3.5"', b'"x"'), 200),
        (b'{"status":"error","errorType":"unavailable","error":"starting"}', 503),
    ],
)
def test_nonsense_is_no_answer_to_a_range(answer: bytes, code: int) -> None:
    with served(answering(answer, code)) as address, pytest.raises(TargetUnreachable) as told:
        Prometheus(f"http://{address}").ranges({"x": "y"}, 0, 10, 5)
    assert not isinstance(told.value, TooMuch)
    assert told.value.diagnostics[0].code == "MTR006"


@pytest.mark.parametrize("url", ["", "localhost:9090", "ftp://x", "http://", "http://[", "http://a:b"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="no address"):
        Prometheus(url)


def test_a_login_in_the_address_is_never_shown() -> None:
    client = Prometheus("http://reader:geheim@127.0.0.1:1/path", deadline=1)
    assert client.shown == "http://127.0.0.1:1/path"
    with pytest.raises(TargetUnreachable) as told:
        client.instant({"x": "y"})
    assert "geheim" not in str(told.value.diagnostics)
    with pytest.raises(InvalidInput) as refused:
        Prometheus("ftp://reader:geheim@host")
    assert "geheim" not in str(refused.value.diagnostics)


def test_label_values_are_quoted() -> None:
    assert quoted('a"b\\c\n') == '"a\\"b\\\\c\\n"'
