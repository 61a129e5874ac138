"""What runs out when: sums with coverage, faults of meters, lead times, the ramp, metrics, the seasonal model."""

from __future__ import annotations

import io
import json
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from govhub.cli import i18n
from govhub.cli.main import main
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.exhaustion import Status
from govhub.monitoring.forecast.figures import figures
from govhub.monitoring.forecast.outlook import Outlook, Outlooks, forecast
from govhub.monitoring.forecast.seasonal import seasonal
from govhub.monitoring.forecast.store import History, Row
from govhub.ops.capacity.places import columns_of

from .conftest import ROOT, SHANGHAI, TODAY, days_back
from .hubs import RACKS, history

LAST = days_back(1)


@pytest.fixture
def columns() -> Columns:
    return columns_of("mini")


def outlook(found: Outlooks, place: str = "", resource: str = "power") -> Outlook:
    return next(item for item in [*found.places, *found.racks] if (item.place, item.resource) == (place, resource))


def test_sums_are_of_rows_halls_sites_and_the_hub(tmp_path: Path, columns: Columns) -> None:
    # Each rack of row 1 draws 1 kW and 10 W more a day, each of row 2 a constant 2 kW.
    kept = history(tmp_path, lambda place, back: 1990 - 10 * back if "r01" in place else 2000.0, 100)
    found = forecast(columns, kept, TODAY, resources=["power"])

    levels = [(item.level, item.place) for item in found.places]
    assert levels == [
        ("hub", ""),
        ("site", "site-a"),
        ("hall", "site-a/h1"),
        ("row", "site-a/h1/r01"),
        ("row", "site-a/h1/r02"),
    ]
    hub = outlook(found)
    assert [hub.value, hub.slope[1]] == pytest.approx([4 * 1980 + 8000, 40])
    # 8 racks are 8 standard racks of 2.5 kW: 20 kW, of which 15.92 are drawn and 40 W come every day.
    assert hub.limit == 20_000
    assert (hub.status, hub.exhaustion[1]) == (Status.RUNS_OUT, LAST + timedelta(days=102))
    row = outlook(found, "site-a/h1/r01")
    assert (row.limit, row.exhaustion[1]) == (10_000, LAST + timedelta(days=52))
    assert outlook(found, "site-a/h1/r02").status is Status.HOLDS
    # Cabinets of 5 kW would be full in 302 days: more than twice the 100 that are known.
    assert found.counts == {"power": {"holds": 4, "not-enough-days": 4}}
    assert found.racks == []


def test_the_date_to_order_by_is_the_lead_time_before(tmp_path: Path, columns: Columns) -> None:
    kept = history(tmp_path, lambda place, back: 5000 - 10.0 * (back + 99), 300)
    found = forecast(columns, kept, TODAY, resources=["power"])
    rack = outlook(found, RACKS[0])

    assert rack.limit == 5000
    assert rack.exhaustion == (LAST + timedelta(days=100),) * 3
    assert rack.lead_days == 270
    # It should have been ordered before today: that is told, not hidden.
    assert rack.order_by == LAST + timedelta(days=100 - 270)
    own = columns.model.model_copy(update={"lead_times": columns.model.lead_times.model_copy(update={"power": 30})})
    columns.model = own
    assert outlook(forecast(columns, kept, TODAY), RACKS[0]).order_by == LAST + timedelta(days=70)


def test_lead_times_stand_in_the_hubs_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = tmp_path / "mini"
    shutil.copytree(ROOT / "tests" / "hubs" / "mini", hub)
    history(tmp_path / "history", lambda place, back: 5000 - 10.0 * (back + 99), 300)
    (hub / "lead.yaml").write_text("lead_times: {power: 45, cores: 0}\n", encoding="utf-8")
    words = ("capacity", "forecast", str(hub), "--history", str(tmp_path / "history"), "--json")

    assert main(words) == 0
    rack = json.loads(capsys.readouterr().out)["racks"][0]
    assert (rack["lead_days"], rack["order_by"]) == (45, (LAST + timedelta(days=55)).isoformat())
    (hub / "lead.yaml").write_text("lead_times: {power: -1, rack: 3}\n", encoding="utf-8")
    assert main(words) == 3
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert [(item["code"], item["source"]["line"]) for item in found] == [("INV004", 1), ("INV001", 1)]


def test_a_meter_that_falls_silent_is_no_load_that_left(tmp_path: Path, columns: Columns) -> None:
    def value(place: str, back: int) -> float | None:
        # Three of eight racks are silent in the last three weeks.
        return None if back <= 21 and place in RACKS[:3] else 1000 + 2.0 * (200 - back)

    hub = outlook(forecast(columns, history(tmp_path, value, 200), TODAY, resources=["power"]))

    assert hub.slope[1] is not None
    assert hub.slope[1] > 12
    assert (hub.known, hub.parts, hub.days) == (8, 8, 200)


def test_days_on_which_most_were_silent_are_unknown(tmp_path: Path, columns: Columns) -> None:
    def value(place: str, back: int) -> float | None:
        return None if 30 < back <= 60 and place in RACKS[:5] else 1000 + 2.0 * (200 - back)

    hub = outlook(forecast(columns, history(tmp_path, value, 200), TODAY, resources=["power"]))

    assert hub.days == 170
    assert hub.slope[1] == pytest.approx(16, abs=1e-3)


def test_half_the_racks_without_meters_lower_the_coverage_and_less_is_no_date(tmp_path: Path, columns: Columns) -> None:
    kept = history(tmp_path / "half", lambda place, back: 4500 - 10.0 * back, 300, places=RACKS[:4])
    hub = outlook(forecast(columns, kept, TODAY, resources=["power"]))
    assert (hub.known, hub.parts) == (4, 8)
    assert hub.limit == float(columns.racks.budget[:4].sum())

    kept = history(tmp_path / "less", lambda place, back: 4500 - 10.0 * back, 300, places=RACKS[:3])
    hub = outlook(forecast(columns, kept, TODAY, resources=["power"]))
    assert (hub.status, hub.exhaustion, hub.order_by) == (Status.TOO_FEW_PARTS, (None, None, None), None)
    assert outlook(forecast(columns, kept, TODAY, resources=["power"]), RACKS[0]).status is Status.RUNS_OUT


def test_a_meter_that_starts_again_at_zero_or_gives_nonsense_for_weeks_bends_nothing(
    tmp_path: Path, columns: Columns
) -> None:
    def value(place: str, back: int) -> float | None:
        if place == RACKS[0] and 100 < back <= 130:
            return 0.0
        if place == RACKS[1] and 150 < back <= 180:
            return 4.0e6
        return 2000 + 5.0 * (364 - back)

    found = forecast(columns, history(tmp_path, value, 364), TODAY, resources=["power"])

    for place in RACKS[:3]:
        assert outlook(found, place).slope[1] == pytest.approx(5, abs=1e-3)


def test_faults_of_the_history_are_told(tmp_path: Path, columns: Columns) -> None:
    kept = history(tmp_path, lambda place, back: 1000.0, 60)
    kept.add(
        [
            Row(day=TODAY + timedelta(days=3), metric="power", place=RACKS[0], p95=1, max=1, mean=1, coverage=1),
            Row(day=days_back(5), metric="power", place=RACKS[0], p95=-8, max=1, mean=1, coverage=1, collected=9),
        ]
    )
    found = forecast(columns, kept, TODAY, resources=["power"])

    assert found.as_of == LAST
    assert [item.code for item in found.problems] == ["FOR003", "FOR004"]
    late = forecast(columns, kept, TODAY + timedelta(days=60), resources=["power"])
    assert late.as_of == TODAY + timedelta(days=3)
    assert "FOR014" in [item.code for item in late.problems]


def test_without_history_everything_is_unknown_and_nothing_is_a_date(tmp_path: Path, columns: Columns) -> None:
    found = forecast(columns, History(tmp_path / "none"), TODAY)

    assert {item.status for item in found.places} == {Status.UNKNOWN}
    assert {item.resource for item in found.places} == {"power", "allocated", "space", "racks", "cooling", "cores"}
    assert [item.code for item in found.problems] == ["FOR009"]
    told = figures(found.places, SHANGHAI)
    assert {value for item in told for value in (item.order_by, item.backtest_error, *item.exhaustion.values())} == {
        None
    }


def test_departments_run_out_of_their_quota(tmp_path: Path, columns: Columns) -> None:
    kept = history(tmp_path, lambda place, back: 1 + 0.01 * (200 - back), 200, metric="cores", places=["education"])
    found = forecast(columns, kept, TODAY, resources=["cores"])
    item = outlook(found, "education", "cores")

    # The quota class is of 4 cores; on the last day 2.99 are asked for.
    assert (item.level, item.limit, item.lead_days) == ("tenant", 4, 90)
    assert item.exhaustion[1] == LAST + timedelta(days=101)
    assert outlook(found, "civil-affairs", "cores").status is Status.UNKNOWN
    assert forecast(columns, kept, TODAY, place="site-a", resources=["cores"]).places == []


def test_metrics_have_a_sample_for_what_is_known_alone(tmp_path: Path, columns: Columns) -> None:
    kept = history(tmp_path, lambda place, back: 5000 - 10.0 * (back + 99), 300)
    found = figures(forecast(columns, kept, TODAY, resources=["power", "space"]).places, SHANGHAI)
    by = {(item.site, item.hall, item.resource): item for item in found}
    hall = by["site-a", "h1", "power"]
    day = hall.exhaustion["0.5"]

    # Midnight in Shanghai is 16:00 UTC.
    assert day is not None
    assert hall.order_by is not None
    assert day % 86400 == 16 * 3600
    assert day - hall.order_by == 270 * 86400
    assert by["site-a", "", "power"].backtest_error == pytest.approx(0, abs=1e-5)
    assert by["", "", "power"].history_days == 300
    nothing = by["", "", "space"]
    assert (nothing.history_days, nothing.order_by, nothing.backtest_error) == (0, None, None)
    assert set(nothing.exhaustion.values()) == {None}


def wavy(place: str, back: int) -> float:
    return 1000 + 4.0 * (200 - back) + (300 if back % 7 < 2 else 0)


def test_the_seasonal_model_knows_the_week_and_says_that_it_answered(
    tmp_path: Path, columns: Columns, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("statsforecast")
    plain = forecast(columns, history(tmp_path, wavy, 200), TODAY, resources=["power"])
    found = seasonal(plain)
    hub, before = outlook(found), outlook(plain)

    assert (hub.model, before.model) == ("ets-weekly", "robust")
    assert hub.mase is not None
    assert before.mase is not None
    # It follows the week, where the line goes through the middle.
    assert hub.mase < before.mase
    assert outlook(found, "site-a/h1/r01").model == "robust"
    main(("capacity", "forecast", "mini", "--history", str(tmp_path), "--resource", "power", "--seasonal"))
    # The hub, its site and its hall; rows keep the line.
    assert "weekly season by statsforecast: 3 / 5" in capsys.readouterr().out


def test_without_the_extra_the_robust_line_answers_and_says_so(
    tmp_path: Path, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    plain = forecast(columns, history(tmp_path, wavy, 200), TODAY, resources=["power"])
    found = seasonal(plain)

    assert found.places == plain.places
    assert [item.code for item in found.problems] == ["FOR015"]


@pytest.fixture
def yichang(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(Path(__file__).parents[3] / "inventories"))
    halls = [f"dongyuemiao/h{number:02d}" for number in range(1, 11)]
    folder = tmp_path / "history"
    history(folder, lambda place, back: 600 + 1.0 * (365 - back), 365, metric="racks", places=halls)
    return folder


def test_the_declared_ramp_stands_beside_what_is_measured(yichang: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("capacity", "forecast", "yichang", "--resource", "racks", "--history", str(yichang))
    assert main((*words, "--json")) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    ramp = document["ramp"][0]

    # 10 halls of 1,080, each with 964 on the last day and one more a day: 116 days.
    assert ramp["runs_out"] == (LAST + timedelta(days=116)).isoformat()
    assert (ramp["used"], ramp["limit"]) == (9640, 10800)
    assert ramp["next_step"] == {"month": "2027-12", "planned": 40000}
    assert ramp["short_days"] == (date(2027, 12, 31) - LAST - timedelta(days=116)).days
    assert ramp["declared"][-1]["planned"] == 80000
    main(words)
    text = capsys.readouterr().out
    assert "365 days of history" in text
    assert "days before the next declared step" in text
    main(("--lang", "zh", *words))
    assert "何时用尽" in capsys.readouterr().out


def test_a_place_or_resource_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(("capacity", "forecast", "mini", "--resource", "pwer")) == 64
    assert 'did you mean "power"' in capsys.readouterr().err
    assert main(("capacity", "forecast", "mini", "--place", "site-b")) == 3


def test_the_view_fits_narrow_and_wide_terminals(tmp_path: Path, columns: Columns) -> None:
    from rich.console import Console

    from govhub.cli.views.capacity_forecast import show_forecast
    from govhub.ops.capacity.forecast import ForecastRequest, forecast_hub

    i18n.use("en")
    history(tmp_path, lambda place, back: 5000 - 10.0 * (back + 99), 300)
    document = forecast_hub(ForecastRequest(hub="mini", folder=tmp_path))
    texts = {}
    for width in (90, 180):
        out = io.StringIO()
        show_forecast(Console(file=out, width=width), document)
        texts[width] = out.getvalue()
    assert "error (within)" in texts[180]
    assert "error (within)" not in texts[90]
    assert (LAST + timedelta(days=100)).isoformat() in texts[180]
