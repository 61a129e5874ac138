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
from govhub.monitoring.live.client import Prometheus, quoted
from govhub.monitoring.live.readings import read
from govhub.monitoring.live.usage import used_millicores

GOOD = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[5,"1.5"]}]}}'


class Quiet(http.server.BaseHTTPRequestHandler):
    body = GOOD
    status = 200

    def do_POST(self) -> None:
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
        (answering(b'{"status":"error","error":"too many samples"}', 422), "MTR006"),
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
