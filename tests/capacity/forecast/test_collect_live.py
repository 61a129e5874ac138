"""Months of measurements in a real Prometheus become days of history, and these a forecast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from govhub.cli.main import main
from govhub.monitoring.forecast.store import History

from .conftest import TODAY, Serve, days_back, midnight

RACKS = [(row, rack) for row in ("r01", "r02") for rack in ("01", "02", "03", "04")]
DAYS = 90
MINUTES = 5


def openmetrics() -> Iterator[str]:
    """Eight racks over 90 days, every five minutes: a line by days, with a daily wave that its p95 does not see move.

    Rack r01/02 is silent on 10 days, r01/03 half of one day, r01/04 is negative for a day; r02/04 has no meter.
    """
    yield "# HELP rack:govhub_power_watts:sum Power of a rack.\n# TYPE rack:govhub_power_watts:sum gauge\n"
    for row, rack in RACKS[:-1]:
        labels = f'site="site-a",hall="h1",row="{row}",rack="{rack}"'
        for number in range(DAYS, 0, -1):
            begin = midnight(days_back(number))
            silent = (row, rack) == ("r01", "02") and 20 < number <= 30
            for step in range(24 * 60 // MINUTES):
                half = (row, rack) == ("r01", "03") and number == 15 and step < 160
                if silent or half:
                    continue
                watts = 1000 + 20 * (DAYS - number) + 100 * np.sin(2 * np.pi * step * MINUTES / 1440)
                if (row, rack) == ("r01", "04") and number == 12:
                    watts = -5.0
                yield f"rack:govhub_power_watts:sum{{{labels}}} {watts:.3f} {begin + step * 60 * MINUTES:.3f}\n"
    yield "# EOF\n"


@pytest.fixture(scope="module")
def address(prometheus: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = tmp_path_factory.mktemp("prometheus") / "metrics.om"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(openmetrics())
    with prometheus(text) as served:
        yield served


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def collect(capsys: pytest.CaptureFixture[str], address: str, folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    base = ("capacity", "history", "collect", "mini", "--prometheus", address, "--resource", "power")
    code, out, err = run(capsys, *base, "--history", str(folder), "--json", *words)
    assert code == 0, out + err
    return code, json.loads(out)


def test_months_become_days_and_a_forecast(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "history"
    since = days_back(DAYS).isoformat()
    _, found = collect(capsys, address, folder, "--since", since)

    # 7 racks with meters: one is silent on 10 days (the first look of the first still sees midnight's value), the
    # negative day has no value at all.
    assert found["rows"] == 7 * DAYS - 9 - 1
    history = History(folder)
    place = "site-a/h1/r01/01"
    daily = history.matrix("power", [place, "site-a/h1/r01/02", "site-a/h1/r01/03"], days_back(1), DAYS).p95
    wave = np.sort(100 * np.sin(2 * np.pi * np.arange(288) / 288))
    # Prometheus puts the quantile between ranks as numpy does; the samples have three digits.
    assert np.allclose(daily[0], 1000 + 20 * np.arange(DAYS) + np.quantile(wave, 0.95), atol=0.002)
    assert np.isnan(daily[1, DAYS - 30 : DAYS - 20]).all()
    assert np.isnan(daily[1]).sum() == 10
    # Less than half of that day was seen: unknown, though there are values.
    assert np.flatnonzero(np.isnan(daily[2])).tolist() == [DAYS - 15]

    code, out, _ = run(
        capsys, "capacity", "forecast", "mini", "--history", str(folder), "--resource", "power", "--json"
    )
    document = json.loads(out)
    assert code == 0
    assert document["as_of"] == days_back(1).isoformat()
    rack = next(item for item in document["racks"] if item["place"] == place)
    assert rack["slope_per_day"]["p50"] == pytest.approx(20, abs=1e-4)
    # A cabinet of 5 kW, a line of 20 W a day: the day is arithmetic, and the order is 270 days before it.
    level = 1000 + 20 * (DAYS - 1) + np.quantile(wave, 0.95)
    runs_out = days_back(1) + timedelta(days=int(np.ceil((5000 - level) / 20)))
    assert rack["exhaustion"]["p50"] == runs_out.isoformat()
    assert rack["order_by"] == (runs_out - timedelta(days=270)).isoformat()
    hub = document["forecasts"][0]
    # One rack has no meter: it is neither in the sum nor in the limit.
    assert (hub["level"], hub["coverage"]) == ("hub", {"known": 7, "of": 8})
    assert hub["slope_per_day"]["p50"] == pytest.approx(140, abs=1e-2)


def test_a_second_collection_asks_for_nothing_that_is_held(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "history"
    first = collect(capsys, address, folder, "--since", days_back(10).isoformat())[1]
    files = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    second = collect(capsys, address, folder, "--since", days_back(10).isoformat())[1]

    assert first["rows"] == 7 * 10
    assert (second["rows"], second["questions"]) == (0, 0)
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == files
    again = collect(capsys, address, folder, "--since", days_back(10).isoformat(), "--again")[1]
    assert again["rows"] == 70
    before = History(folder).export()
    assert run(capsys, "capacity", "history", "compact", "mini", "--history", str(folder))[0] == 0
    assert History(folder).export() == before


def test_series_that_prometheus_does_not_have_are_named(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = collect(capsys, address, tmp_path / "history", "--since", days_back(2).isoformat(), "--resource", "cooling")
    told = [(item["code"], item["address"]) for item in found[1]["problems"]]

    assert told == [("FOR017", "cooling")]
    assert found[1]["rows"] == 14


def test_days_that_have_not_ended_are_not_collected(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    until = (TODAY + timedelta(days=5)).isoformat()
    found = collect(capsys, address, tmp_path / "history", "--since", days_back(3).isoformat(), "--until", until)[1]

    assert found["last"] == days_back(1).isoformat()
    assert found["days"] == 3


def test_a_prometheus_that_is_away_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("capacity", "history", "collect", "mini", "--prometheus", "http://user:secret@127.0.0.1:9", "--history")
    code, _, err = run(capsys, *words, str(tmp_path / "history"))

    assert code == 7
    assert "FOR005" in err
    assert "secret" not in err
    assert not list(tmp_path.rglob("*.parquet"))
    assert run(capsys, *words[:5], "not an address")[0] == 3
