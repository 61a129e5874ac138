"""History in Parquet: added, never changed; read whole although a file is not; the same by any way in and out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from govhub.cli.main import main
from govhub.monitoring.forecast.days import between, ends, halves, spans
from govhub.monitoring.forecast.store import COLUMNS, History, Row

from .conftest import ROOT, TODAY, days_back

PLACES = [f"site-a/h1/r0{row}/0{rack}" for row in (1, 2) for rack in (1, 2, 3, 4)]


def row(day: date, place: str = PLACES[0], value: float = 100.0, **more: object) -> Row:
    base = {"day": day, "metric": "power", "place": place, "p95": value, "max": value + 10, "mean": value * 0.5}
    return Row(**base | {"coverage": 1.0, "collected": 1} | more)  # type: ignore[arg-type]


def values(history: History, days: int = 10, place: str = PLACES[0]) -> list[float | None]:
    found = history.matrix("power", [place], days_back(1), days).p95[0]
    return [None if np.isnan(value) else float(value) for value in found]


def test_days_come_back_where_they_belong_and_gaps_stay_gaps(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add([row(days_back(number), value=float(number)) for number in (5, 3, 1)])

    assert values(history, 6) == [None, 5.0, None, 3.0, None, 1.0]
    assert values(history, 6, "site-a/h1/r09/01") == [None] * 6
    assert [item.as_dict()["gaps"] for item in history.stored()] == [2]


def test_months_are_apart_and_the_same_rows_are_the_same_file(tmp_path: Path) -> None:
    rows = [row(day) for day in between(date(2026, 1, 30), date(2026, 2, 2))]
    History(tmp_path).add(rows)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet"))
    History(tmp_path).add(rows)

    assert [name.split("/")[0] for name in files] == ["2026-01", "2026-02"]
    assert files[0].split("/")[1].startswith("power_2026-01-30_2026-01-31_")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")) == files


def test_a_day_that_stands_there_twice_counts_once_and_the_later_one(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add([row(days_back(1), value=1.0, collected=2)])
    history.add([row(days_back(1), value=9.0, collected=1)])

    assert values(history, 1) == [1.0]
    assert history.stored()[0].rows == 1
    history.add([row(days_back(1), value=5.0, collected=3)])
    assert values(history, 1) == [5.0]


def test_what_cannot_be_is_unknown(tmp_path: Path) -> None:
    history = History(tmp_path)
    rows = [row(days_back(4), value=-1.0), row(days_back(3), value=float("inf")), row(days_back(2), coverage=0.49)]
    history.add([*rows, row(days_back(1), coverage=0.5)])

    assert values(history, 4) == [None, None, None, 100.0]
    assert history.impossible("power") == 2
    assert history.days_after("power", days_back(3)) == 2
    assert history.last_day("power", days_back(2)) == days_back(2)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "other"])
def test_a_damaged_file_is_told_and_the_rest_is_read(tmp_path: Path, damage: str) -> None:
    history = History(tmp_path)
    history.add([row(days_back(3), value=3.0)])
    history.add([row(days_back(2), value=2.0)])
    victim = next(path for path in tmp_path.rglob("*.parquet") if days_back(3).isoformat() in path.name)
    raw = victim.read_bytes()
    if damage == "other":
        pl.DataFrame({"day": [1]}).write_parquet(victim)
    else:
        victim.write_bytes({"cut": raw[: len(raw) // 2], "empty": b"", "text": b"not parquet at all"}[damage])
    history = History(tmp_path)

    assert values(history, 3) == [None, 2.0, None]
    found = {item.code for item in history.problems}
    assert found == {"FOR002" if damage == "other" else "FOR001"}
    before = victim.read_bytes()
    history.compact()
    # What nobody can read is nobody's to throw away.
    assert victim.read_bytes() == before
    assert values(history, 3) == [None, 2.0, None]


def test_compaction_changes_nothing_that_is_read(tmp_path: Path) -> None:
    history = History(tmp_path)
    for number in range(1, 41):
        history.add([row(days_back(number), place, value=number * 10.0, collected=number) for place in PLACES])
    history.add([row(days_back(3), value=7.0, collected=99)])
    before = History(tmp_path).export()
    done = history.compact()

    assert done == {"parts_before": 41, "parts": 3, "months_into_years": 0}
    assert History(tmp_path).export() == before
    assert History(tmp_path).compact()["parts_before"] == 3


def test_a_compaction_that_was_killed_half_way_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(tmp_path)
    for number in (5, 4, 3):
        history.add([row(days_back(number) - timedelta(days=10), value=float(number), collected=number)])
    before = History(tmp_path).export()

    def killed(self: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            history.compact()
    assert len(list(tmp_path.rglob("*.parquet"))) == 4
    assert History(tmp_path).export() == before
    History(tmp_path).compact()
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert History(tmp_path).export() == before


def test_old_months_become_one_row_a_place_however_often(tmp_path: Path) -> None:
    history = History(tmp_path)
    january = between(date(2024, 1, 1), date(2024, 1, 31))
    history.add([row(day, value=float(day.day), coverage=0.5) for day in january])
    history.add([row(date(2024, 2, 1), value=5.0), row(days_back(1))])
    first = history.compact(date(2024, 6, 1))
    kept = history.years()

    assert first["months_into_years"] == 2
    assert [path.name for path in sorted((tmp_path / "years").glob("*.parquet"))] == ["2024.parquet"]
    row_of = kept.filter(pl.col("day") == date(2024, 1, 1)).row(0, named=True)
    assert (row_of["p95"], row_of["max"], row_of["mean"]) == (16.0, 41.0, 8.0)
    assert row_of["coverage"] == pytest.approx(0.5)
    # Days that are brought in again of such a month take their place.
    history.add([row(date(2024, 2, 1), value=50.0, collected=2)])
    history.compact(date(2024, 6, 1))
    assert history.years().filter(pl.col("day") == date(2024, 2, 1))["p95"].to_list() == [50.0]
    assert history.stored()[0].days == 1


WORKER = """
import sys
from datetime import date, timedelta
from pathlib import Path
from govhub.monitoring.forecast.store import History, Row
folder, start, today, places = Path(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3]), sys.argv[4:]
for number in range(start, 41, 2):
    day = today - timedelta(days=number)
    base = {"day": day, "metric": "power", "p95": number, "max": number, "mean": number, "coverage": 1}
    rows = [Row(place=place, **base) for place in places]
    History(folder).add(rows)
    History(folder).compact()
"""


def test_two_that_collect_and_tidy_at_once_keep_all_days(tmp_path: Path) -> None:
    paths = {"PYTHONPATH": ":".join(str(ROOT / layer) for layer in ("inventories", "monitoring"))}
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    workers = [
        subprocess.Popen([*command, start, TODAY.isoformat(), *PLACES], env=os.environ | paths) for start in ("1", "2")
    ]

    assert [worker.wait(60) for worker in workers] == [0, 0]
    history = History(tmp_path)
    assert values(history, 40, PLACES[3]) == [float(number) for number in range(40, 0, -1)]
    assert not history.problems.items


def test_csv_goes_out_and_comes_in_unchanged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    History(first).add([row(days_back(number), place, number / 3) for number in (1, 2, 40) for place in PLACES])
    assert main(("capacity", "history", "export", "mini", "--history", str(first))) == 0
    table = tmp_path / "days.csv"
    table.write_text(capsys.readouterr().out, encoding="utf-8")

    assert main(("capacity", "history", "import", "mini", str(table), "--history", str(second), "--json")) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 24
    assert History(second).export() == History(first).export()
    assert main(("capacity", "history", "export", "mini", "--history", str(first), "--json")) == 0
    days = json.loads(capsys.readouterr().out)["days"]
    assert len(days) == 24
    assert days[0]["coverage"] == 1.0


def test_rows_that_are_wrong_are_told_with_their_line_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "days.csv"
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    lines = ["day,metric,place,p95,coverage", "2026-02-01,power,site-a/h1/r01/01,100,1", "soon,power,x,1,1"]
    lines += [f"{tomorrow},power,x,1,1", "2026-02-01,watts,x,1,1", "2026-02-01,power,,1,1", "2026-02-02,power,x,-1,1"]
    lines += ["2026-02-02,power,x,nan,1", "2026-02-02,power,x,1,1.5", "2026-02-01,power,site-a/h1/r01/01,120,1"]
    table.write_text("\n".join(lines), encoding="utf-8")
    code = main(("capacity", "history", "import", "mini", str(table), "--history", str(tmp_path / "h"), "--json"))
    document = json.loads(capsys.readouterr().out)

    assert (code, document["rows"], document["refused"]) == (3, 1, 7)
    told = [item["summary"] for item in document["problems"] if item["code"] == "FOR007"]
    assert [text.split(":")[1] for text in told] == ["3", "4", "5", "6", "7", "8", "9"]
    assert "FOR013" in {item["code"] for item in document["problems"]}
    assert values(History(tmp_path / "h"), 29)[0] == 120.0
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(("capacity", "history", "import", "mini", str(table), "--history", str(tmp_path / "h"))) == 3
    assert "lacks the columns" in capsys.readouterr().err
    assert main(("capacity", "history", "import", "mini", str(tmp_path / "none.csv"))) == 3


def test_days_are_those_of_the_hubs_time_zone() -> None:
    shanghai, berlin = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
    found = list(spans(between(date(2026, 1, 1), date(2026, 2, 15)), shanghai))

    assert [(len(span.days), span.hours) for span in found] == [(14, 24), (14, 24), (14, 24), (4, 24)]
    # 2026-01-01 in Shanghai ends at 16:00 UTC.
    assert found[0].first_end % 86400 == 16 * 3600
    assert found[0].last_end == ends(date(2026, 1, 14), shanghai)
    assert [half.days for half in halves(found[3])] == [found[3].days[:2], found[3].days[2:]]
    assert halves(found[3])[1].first_end == ends(found[3].days[2], shanghai)
    summer = list(spans(between(date(2026, 3, 28), date(2026, 3, 30)), berlin))
    assert [(span.days[0].day, span.hours) for span in summer] == [(28, 24), (29, 23), (30, 24)]
    holes = list(spans([date(2026, 1, 5), date(2026, 1, 1), date(2026, 1, 2)], shanghai))
    assert [[day.day for day in span.days] for span in holes] == [[1, 2], [5]]


def test_the_form_of_files_is_pinned(tmp_path: Path) -> None:
    History(tmp_path).add([row(days_back(1))])
    path = next(tmp_path.rglob("*.parquet"))

    assert pl.read_parquet_metadata(path)["govhub.schema"] == "govhub.capacity-history/1"
    assert dict(pl.read_parquet_schema(path)) == COLUMNS
    assert path.stat().st_mode & 0o077 == 0
