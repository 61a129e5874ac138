"""From raw samples to the page: a busway trips, through recording rules, alerts, and a real Prometheus."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity.rules.samples import Samples, inventory, meter, meters
from capacity.rules.test_alertmanager import alertmanager
from capacity.rules.tools import all_files, free_port, hub_columns, lay, run, running, until
from govhub.monitoring.columns import Columns
from govhub.monitoring.dashboards.files import dashboard_files
from govhub.monitoring.dashboards.lint import expressions
from govhub.monitoring.rules.scope import scope_of

ROWS = ("dongyuemiao/h03/r01/", "dongyuemiao/h03/r02/")
BUSWAY = "bw-a-h03-r01"


@pytest.fixture(scope="module")
def columns() -> Columns:
    return hub_columns("yichang")


def test_the_rules_find_a_trip_in_raw_samples(tmp_path: Path) -> None:
    """Two rows of three racks; side A of one goes to 0, one of its meters with it; numbers by hand."""
    columns = hub_columns("jinzhou")
    files = all_files(scope_of(columns))
    rows = [[rack for rack in columns.racks.addresses if rack.startswith(f"jz-a/h1/r0{row}/")][:3] for row in (1, 2)]
    racks = [rack for row in rows for rack in row]
    series: dict[str, str] = {}
    for rack in racks:
        series |= {name: f"{value:g}+0x60" for name, value in inventory(columns, rack).items()}
        series |= {meter("jinzhou", rack, side): "1000+0x60" for side in "ab"}
    for rack in rows[0]:
        series[meter("jinzhou", rack, "a")] = "1000+0x20 0+0x40"
        series[meter("jinzhou", rack, "b")] = "1000+0x20 2000+0x40"
    # This meter lives on the feed that it measures.
    series[meter("jinzhou", rows[0][0], "a")] = "1000+0x20 _x40"
    lost = {"hub": "jinzhou", "site": "jz-a", "element": "jz-bw-a-r01", "kind": "busway"}
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            _asked("hall:govhub_power_watts:sum", "15m", (("hub=jinzhou", "site=jz-a", "hall=h1"), 12000)),
            # The rack with the silent meter is unknown, so its 2,000 W are missing: 10,000 of 12,000.
            _asked("hall:govhub_power_watts:sum", "50m", (("hub=jinzhou", "site=jz-a", "hall=h1"), 10000)),
            _asked("hall:govhub_meter_coverage:ratio * 6", "50m", (("hub=jinzhou", "site=jz-a", "hall=h1"), 5)),
            _asked(
                # These meters stand still to the watt, as no real one does: they count as stuck, too.
                'count by (alertname) (ALERTS{alertstate="firing", alertname!="GovhubMeterStuck"})',
                "50m",
                (("alertname=GovhubPowerElementLost",), 1),
                (("alertname=GovhubRackFeedDead",), 2),
                (("alertname=GovhubMeterSilent",), 1),
                (("alertname=GovhubMeterCoverageLow",), 1),
            ),
            _asked('count(ALERTS{alertname="GovhubPowerElementLost"}) or vector(0)', "15m", ((), 0)),
        ],
        "alert_rule_test": [],
    }
    folder = lay(tmp_path, files)
    wanted = ("recording-racks", "recording-tree", "alerts-power", "alerts-meters")
    document = {
        "rule_files": [f"rules/govhub-jinzhou-{name}.yml" for name in wanted],
        "evaluation_interval": "1m",
        "tests": [test],
    }
    (folder / "trip.yml").write_text(yaml.safe_dump(document), encoding="utf-8")

    code, out = run("promtool", "test", "rules", folder / "trip.yml")

    assert code == 0, out
    assert lost["element"] in columns.elements.names


def _asked(expr: str, at: str, *samples: tuple[tuple[str, ...], float]) -> dict[str, Any]:
    expected = []
    for labels, value in samples:
        pairs = [label.split("=", 1) for label in labels]
        name = expr if expr.endswith((":sum", ":ratio")) else ""
        expected.append({"labels": name + "{" + ", ".join(f'{k}="{v}"' for k, v in pairs) + "}", "value": value})
    return {"expr": expr, "eval_time": at, "exp_samples": expected}


@contextmanager
def serving(samples: Samples) -> Iterator[str]:
    """A page of metrics that follows ``samples`` as they change."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = "".join(f"{name} {value}\n" for name, value in list(samples.items())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class' name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(address: str, query: str) -> dict[str, float]:
    """The value of each alert's name."""
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        found = json.load(answer)["data"]["result"]
    return {item["metric"].get("alertname", ""): float(item["value"][1]) for item in found}


def _boards_have_data(address: str) -> None:
    """Every query of the dashboards is answered, and those about what is measured here show something."""
    files = dashboard_files("yichang", "en")
    found = {}
    for path, text in files.items():
        for panel, expr in expressions(json.loads(text)) if path.endswith(".json") else ():
            query = expr.replace("$hub", "yichang").replace("$site", ".*").replace("$hall", ".*")
            found[panel] = asked(address, query.replace("$__rate_interval", "5m"))
    assert found["Measured power"] == {"": 144_000.0}
    assert found["Racks measured"] == {"": 1.0}
    assert found["Measured, of capacity, the highest ten"]
    assert found["Feeds of racks after a loss, of their breaker"]
    assert found["Last day to order"] == {}, "nothing tells it, so nothing is shown"


FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def test_a_real_prometheus_and_alertmanager_make_one_page_of_a_trip(tmp_path: Path, columns: Columns) -> None:
    """The generated rules with seconds for minutes: 72 racks, and 36 of them lose side A."""
    samples: Samples = {}
    for row in ROWS:
        samples |= inventory(columns, row) | meters(columns, row, {"a": 1000.0, "b": 1000.0})
    scope = scope_of(columns)
    wanted = ("recording-racks", "recording-tree", "alerts-power", "alerts-meters")
    files = {
        path: text.replace("interval: 1m", "interval: 1s")
        .replace("for: 1m\n", "for: 1s\n")
        .replace("for: 5m", "for: 3s")
        for path, text in all_files(scope).items()
        if path.startswith("rules/") and any(f"-{name}.yml" in path for name in wanted)
    }
    lay(tmp_path, files)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(samples) as target, alertmanager(tmp_path, scope) as (manager, found):
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules/*.yml"],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [manager.removeprefix("http://")]}]}],
            },
            "scrape_configs": [{"job_name": "test", "static_configs": [{"targets": [target]}]}],
        }
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        words = (f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        log = tmp_path / "prometheus.log"
        with running("prometheus", *words, listen, ready=f"{address}/-/ready", log=log):
            until(lambda: asked(address, "region:govhub_power_watts:sum") == {"": 144_000.0}, 30)
            # Two busways a side, and what is above them; groups take turns within a second.
            until(lambda: asked(address, 'count(element:govhub_power_watts:sum{kind="busway"})') == {"": 4.0}, 30)
            assert asked(address, FIRING) == {}
            _boards_have_data(address)
            for rack in columns.racks.addresses:
                if rack.startswith(ROWS[0]):
                    samples[meter("yichang", rack, "a")] = 0.0
                    samples[meter("yichang", rack, "b")] = 2000.0
            both = {"GovhubPowerElementLost": 1.0, "GovhubRackFeedDead": 36.0}
            until(lambda: asked(address, FIRING) == both, 30)
            until(lambda: found.got, 20)

    assert "Evaluating rule failed" not in log.read_text(encoding="utf-8")
    assert [(receiver, len(alerts)) for receiver, alerts in found.got] == [("page-dongyuemiao", 1)]
    assert found.got[0][1][0]["element"] == BUSWAY
