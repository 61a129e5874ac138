"""Months of measurements in a real Prometheus, seen through a real ``serve``: page, API and metrics say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from capacity.exporter.serving import Served, served, wait_for
from govhub.cli.main import main

from .conftest import SHANGHAI, TODAY, Serve, days_back, midnight

RACKS = [(row, rack) for row in ("r01", "r02") for rack in ("01", "02", "03", "04")]
DAYS = 120
SHORT = 12
MINUTES = 5
PLACES = ("", "site-a", "site-a/h1")
SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")


def samples(name: str, labels: str, days: int, value: float, slope: float, wave: float) -> Iterator[str]:
    """A line by days with a wave within each, every five minutes until yesterday."""
    yield f"# TYPE {name} gauge\n"
    for number in range(days, 0, -1):
        begin = midnight(days_back(number))
        for step in range(24 * 60 // MINUTES):
            now = value + slope * (days - number) + wave * np.sin(2 * np.pi * step * MINUTES / 1440 + number)
            yield f"{name}{{{labels}}} {now:.3f} {begin + step * 60 * MINUTES:.3f}\n"


def openmetrics() -> Iterator[str]:
    """Power of eight racks and cooling of their hall; of its standard racks twelve days only."""
    power = "rack:govhub_power_watts:sum"
    yield f"# TYPE {power} gauge\n"
    for row, rack in RACKS:
        labels = f'site="site-a",hall="h1",row="{row}",rack="{rack}"'
        yield from (line for line in samples(power, labels, DAYS, 1000, 20, 100) if line[0] != "#")
    hall = 'site="site-a",hall="h1"'
    yield from samples("govhub_hall_standard_racks", f'{hall},state="used"', SHORT, 2, 0.01, 0.1)
    yield from samples("govhub_hall_cooling_load_watts", hall, DAYS, 9000, 30, 500)
    yield "# EOF\n"


@pytest.fixture(scope="module")
def address(prometheus: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = tmp_path_factory.mktemp("prometheus") / "metrics.om"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(openmetrics())
    with prometheus(text) as address:
        yield address


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code = main((*words, "--json"))
    out, err = capsys.readouterr()
    assert code == 0, out + err
    found: dict[str, Any] = json.loads(out)
    return found


def forecast_of(server: Served) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/api/v1/forecast").json()
    return found


def families(text: str) -> dict[tuple[str, str, str, str], float]:
    """Samples of the forecast by family, address of the place, resource and quantile."""
    found = {}
    for line in text.splitlines():
        if (match := SAMPLE.match(line)) and match[1].startswith("govhub_forecast_"):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
            place = "/".join(name for name in (labels["site"], labels["hall"]) if name)
            key = (match[1].removeprefix("govhub_forecast_"), place, labels["resource"], labels.get("quantile", ""))
            assert key not in found
            found[key] = float(match[3])
    return found


def wanted_families(document: dict[str, Any]) -> dict[tuple[str, str, str, str], float]:
    """The same from the document of the command: a day stands for its beginning in the hub's time zone."""
    found = {}
    for item in document["forecasts"]:
        if item["level"] in ("hub", "site", "hall"):
            place, resource = item["place"], item["resource"]
            edges = zip(("0.1", "0.5", "0.9"), ("p10", "p50", "p90"), strict=True)
            days = {("exhaustion_timestamp_seconds", name): item["exhaustion"][edge] for name, edge in edges}
            days["order_by_timestamp_seconds", ""] = item["order_by"]
            for (family, quantile), day in days.items():
                if day:
                    begins = datetime.combine(date.fromisoformat(day), datetime.min.time(), SHANGHAI).timestamp()
                    found[family, place, resource, quantile] = begins
            if item["backtest"]["mase"] is not None:
                found["backtest_error_ratio", place, resource, ""] = item["backtest"]["mase"]
            found["history_seconds", place, resource, ""] = item["history_days"] * 86_400
    return found


def test_serve_says_what_the_command_says(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    since = days_back(DAYS).isoformat()
    held = run(capsys, "capacity", "history", "collect", "mini", "--prometheus", address, "--since", since)
    assert held["rows"] == 9 * DAYS + SHORT
    told = run(capsys, "capacity", "forecast", "mini")
    wanted = {(item["place"], item["resource"]): item for item in told["forecasts"] if item["place"] in PLACES}

    with served("mini", "--prometheus", address, today=TODAY) as server:
        wait_for(lambda: forecast_of(server)["history_days"] > 0, "the forecast is made")
        document = forecast_of(server)
        page = server.get("/forecast", Accept="text/html").text
        hub, hall = (families(server.get(f"/metrics/{name}").text) for name in ("hub", "site-a/h1"))

    for key in ("as_of", "timezone", "horizon_days", "history_days", "ramp"):
        assert document[key] == told[key], key
    assert (document["as_of"], document["history_days"]) == (days_back(1).isoformat(), DAYS)
    shown = {(item["place"], item["resource"]): item for item in document["forecasts"]}
    assert {key: {name: item[name] for name in item if name != "history"} for key, item in shown.items()} == wanted
    power = shown["site-a/h1", "power"]
    wave = np.quantile(100 * np.sin(2 * np.pi * np.arange(288) / 288), 0.95)
    assert len(power["history"]) >= DAYS
    # What racks draw together, day by day, as it was put into Prometheus.
    assert np.allclose(power["history"][-DAYS:], 8 * (1000 + 20 * np.arange(DAYS) + wave), atol=2)
    assert power["order_by"] is not None
    assert power["backtest"]["mase"] is not None
    assert power["order_by"] in page
    # Of no row it is said that nothing is foreseen: it runs out, or nothing is known.
    assert "not foreseen" not in page
    # Twelve days are days, and no forecast; cooling without a limit is not known, however long it was measured.
    racks, cooling = shown["site-a/h1", "racks"], shown["site-a/h1", "cooling"]
    assert (racks["history_days"], racks["status"], racks["order_by"]) == (SHORT, "not-enough-days", None)
    assert (cooling["history_days"], cooling["status"], cooling["limit"]) == (0, "unknown", None)

    assert {key[1] for key in hall} == {"site-a/h1"}
    assert {key[1] for key in hub} == {"", "site-a"}
    figures = wanted_families(told)
    # Errors have four digits in the document.
    assert hub | hall == pytest.approx(figures, rel=0, abs=6e-5)
    assert ("order_by_timestamp_seconds", "site-a/h1", "power", "") in hall
    assert ("backtest_error_ratio", "", "power", "") in hub
