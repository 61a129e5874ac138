"""The exporter over HTTP: forms and their negotiation, discovery, health, and requests that mean no good."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from capacity.exporter.serving import two_sites
from capacity.exporter.test_exporter import Shown
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.endpoints import application
from govhub.monitoring.metrics.exporter import Exporter, State
from govhub.monitoring.metrics.negotiation import LONGEST, patience, takes_gzip, takes_openmetrics
from govhub.monitoring.metrics.wholes import Extras

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;"
    "q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


class Served:
    def __init__(self, halls: Halls) -> None:
        self.source = Shown(State(halls, Extras(today=date(2026, 1, 15)), loaded=1000.0))
        self.exporter = Exporter(self.source, every=0)
        self._app = application(self.exporter)

    def get(self, path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        """One request; nothing is asked for that is not given."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            plain = {"Accept": "*/*", "Accept-Encoding": "identity", "Host": "exporter:9840"}
            given = plain | {key.replace("_", "-"): value for key, value in headers.items()}
            async with httpx.AsyncClient(transport=transport, base_url="http://exporter:9840") as client:
                return await client.request(method, path, headers=given)

        return asyncio.run(ask())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(Halls(Columns(two_sites(tmp_path).hub())))
    yield found
    found.source.gate.set()
    found.exporter.close()


def test_text_is_the_form_for_those_who_do_not_ask(served: Served) -> None:
    answer = served.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.text.startswith("# HELP govhub_rack_info ")
    assert not answer.text.endswith("# EOF\n")
    own = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE govhub_exporter_")}
    assert own == {
        "govhub_exporter_build_info",
        "govhub_exporter_hub_loaded_timestamp_seconds",
        "govhub_exporter_hub_valid",
        "govhub_exporter_render_seconds",
        "govhub_exporter_rendered_timestamp_seconds",
        "govhub_exporter_series",
    }


def test_prometheus_gets_openmetrics_in_gzip(served: Served) -> None:
    answer = served.get("/metrics/jz/h1", Accept=PROMETHEUS, Accept_Encoding="gzip")
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.endswith("# EOF\n")
    plain = served.get("/metrics/jz/h1")
    assert "content-encoding" not in plain.headers
    assert answer.text == plain.text + "# EOF\n"
    assert int(answer.headers["content-length"]) < len(plain.content) / 5
    parsed = list(text_string_to_metric_families(answer.text))  # type: ignore[no-untyped-call]
    assert sum(len(family.samples) for family in parsed) > 100


def test_a_halls_page_has_the_hall_and_the_hubs_page_the_rest(served: Served) -> None:
    hall, hub = served.get("/metrics/bei/h1").text, served.get("/metrics/hub").text
    assert 'govhub_rack_units{hall="h1",rack="01",row="r1",site="bei"} ' in hall
    assert 'hall="h2"' not in hall
    assert "govhub_power_info" not in hall
    assert "govhub_exporter_hub_valid" not in hall
    assert "govhub_rack_units" not in hub
    assert "govhub_power_info" in hub


def test_discovery_names_every_page_at_the_address_that_was_asked(served: Served) -> None:
    answer = served.get("/sd", Host="exporter.example:9840")
    assert answer.headers["content-type"] == "application/json"
    found = json.loads(answer.content)
    assert [item["targets"] for item in found] == [["exporter.example:9840"]] * 4
    paths = [item["labels"]["__metrics_path__"] for item in found]
    assert paths == ["/metrics/hub", "/metrics/jz/h1", "/metrics/bei/h1", "/metrics/bei/h2"]
    assert all(served.get(path).status_code == 200 for path in paths)
    assert served.get("/sd", Host="[::1]:9840").json()[0]["targets"] == ["[::1]:9840"]


@pytest.mark.parametrize("host", ['a"b', "a b", "<script>", "a/b", "", "x" * 300])
def test_discovery_repeats_no_nonsense(served: Served, host: str) -> None:
    answer = served.get("/sd", Host=host)
    assert answer.status_code == 400
    assert host == "" or host not in answer.text


def test_health_tells_whether_the_files_are_valid(served: Served) -> None:
    assert served.get("/healthz").json() == {
        "status": "ok",
        "hub": "testcity",
        "hub_valid": True,
        "hub_loaded": 1000.0,
    }
    served.source.said = replace(served.source.said, valid=False)
    assert served.get("/healthz").json()["hub_valid"] is False
    assert "govhub_exporter_hub_valid 0.0\n" in served.get("/metrics/hub").text


def test_a_scrape_is_answered_in_its_time(served: Served) -> None:
    first = served.get("/metrics/hub").text
    served.source.gate.clear()
    late = served.get("/metrics/hub", X_Prometheus_Scrape_Timeout_Seconds="0.2")
    assert late.status_code == 200
    assert late.text == first
    # Nothing was made of this page yet.
    never = served.get("/metrics/jz/h1", X_Prometheus_Scrape_Timeout_Seconds="0.2")
    assert never.status_code == 503
    assert never.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "path",
    [
        "/metrics/nowhere",
        "/metrics/jz",
        "/metrics/jz/h1/r1",
        "/metrics/../etc/passwd",
        "/metrics/%2e%2e/%2e%2e/etc/passwd",
        "/metrics/jz%2Fh1%00",
        "/metrics/<script>alert(1)</script>",
        "/metrics/" + "x" * 5000,
        "/sd/x",
        "/",
    ],
)
def test_other_paths_lead_nowhere(served: Served, path: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 404
    assert "script" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_can_only_be_read(served: Served, method: str) -> None:
    assert served.get("/metrics", method=method).status_code == 405
    assert served.get("/metrics", method="HEAD").status_code == 200


def test_weights_decide_what_a_client_takes() -> None:
    assert takes_openmetrics(PROMETHEUS)
    assert takes_openmetrics(PROMETHEUS_3)
    assert takes_openmetrics("application/openmetrics-text")
    for accept in (
        "",
        "*/*",
        "text/plain",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;q=0.3,text/plain",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=many",
    ):
        assert not takes_openmetrics(accept), accept
    assert takes_gzip("gzip")
    assert takes_gzip("deflate, GZIP;q=0.5")
    for encoding in ("", "identity", "gzip;q=0", "br", "gzip;q=2", "gzip;q=nan", "," * 5000 + "gzip"):
        assert not takes_gzip(encoding), encoding


def test_time_is_left_for_the_way() -> None:
    assert patience("10") == 9
    assert patience("30") == 27
    assert patience("1") == 0.5
    assert patience("0.2") == 0.1
    longest = LONGEST * 0.9
    assert [patience(text) for text in ("", "soon", "nan", "inf", "-1", "0", "1e300")] == [longest] * 7


def test_pages_are_the_same_in_every_form(served: Served) -> None:
    plain = served.get("/metrics").content
    packed = served.get("/metrics", Accept_Encoding="gzip")
    assert packed.content == plain
    raw = b"".join(served.exporter._made[""].page.gzipped(b""))
    assert plain.startswith(gzip.decompress(raw))
