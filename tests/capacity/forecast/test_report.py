"""The morning page: orders, what binds, what changed, in four forms that say the same."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from govhub.cli.main import main
from govhub.ops.capacity.changes import changes

from .conftest import days_back
from .hubs import history

LAST = days_back(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # The hall's 20 kW are drawn in 60 days: 8 racks, each 10 W more a day.
    history(tmp_path / "history", lambda place, back: 1900 - 10.0 * (back - 1), 150)
    return tmp_path / "history"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def report(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> dict[str, Any]:
    code, out, err = run(capsys, "capacity", "report", "mini", "--history", str(folder), "--json", *words)
    assert code == 0, out + err
    document: dict[str, Any] = json.loads(out)
    return document


def test_orders_come_by_their_day_and_overdue_ones_say_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = report(capsys, folder)
    runs_out = LAST + timedelta(days=60)

    assert [(item["place"], item["resource"]) for item in document["orders"]] == [
        ("site-a", "power"),
        ("site-a/h1", "power"),
    ]
    order = document["orders"][0]
    assert order["runs_out"] == runs_out.isoformat()
    assert order["order_by"] == (runs_out - timedelta(days=270)).isoformat()
    assert order["overdue"] is True
    assert order["history_days"] == 150
    assert document["changes"] is None


def test_two_reports_are_compared(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier = report(capsys, folder)
    same = tmp_path / "same.json"
    same.write_text(json.dumps(earlier), encoding="utf-8")
    assert report(capsys, folder, "--against", str(same))["changes"] == []

    for item in earlier["forecasts"]:
        if (item["resource"], item["place"]) == ("power", "site-a"):
            item["exhaustion"]["p50"] = (LAST + timedelta(days=90)).isoformat()
        if (item["resource"], item["place"]) == ("power", "site-a/h1"):
            item["status"], item["exhaustion"] = "holds", {"p10": None, "p50": None, "p90": None}
    earlier["halls"][0]["binding"] = {"resource": "weight", "servers": 1, "fits": {}}
    earlier["figures"]["space"]["numerator"] = 1
    earlier["forecasts"] = [item for item in earlier["forecasts"] if item["resource"] != "cores"]
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(earlier), encoding="utf-8")
    document = report(capsys, folder, "--against", str(changed))
    found = {(item["what"], item["place"], item["resource"]): item for item in document["changes"]}

    assert found["runs-out", "site-a", "power"]["days"] == -30
    status = found["status", "site-a/h1", "power"]
    assert (status["before"], status["after"]) == ("holds", "runs-out")
    assert found["binding", "site-a/h1", ""]["before"] == "weight"
    assert found["room", "site-a/h1", "servers"]["before"] == 1
    assert found["figure", "", "space"]["before"][0] == 1
    assert {place for what, place, _ in found if what == "appeared"} == {"education", "civil-affairs"}
    assert document["against"] == {"today": "2026-03-02", "as_of": LAST.isoformat()}
    _, out, _ = run(
        capsys, "capacity", "report", "mini", "--history", str(folder), "--against", str(changed), "--lang", "zh"
    )
    assert "自上次报告以来的变化： 2026-03-02" in out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "other"}', "[" * 100_000])
def test_what_is_no_report_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = tmp_path / "earlier.json"
    path.write_text(text, encoding="utf-8")
    code, _, err = run(capsys, "capacity", "report", "mini", "--against", str(path))

    assert code == 3
    assert "FOR016" in err


def test_an_earlier_report_of_another_form_changes_nothing_it_does_not_say(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = report(capsys, folder)
    odd = {"halls": [{"hall": "site-a/h1"}, 7], "figures": [], "forecasts": {"not": "a list"}}
    found = changes(odd, now)

    assert {item["what"] for item in found} == {"appeared", "binding", "room"}


def test_markdown_holds_names_as_text(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    report(capsys, folder, "--markdown", str(page))
    text = page.read_text(encoding="utf-8")

    assert text.startswith("<!-- govhub:capacity report mini -->")
    assert "What to order by when" in text
    assert (LAST + timedelta(days=60)).isoformat() in text
    assert len(text.encode()) <= 64_000


def test_the_html_page_needs_no_network_and_says_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    document = report(capsys, folder, "--html", str(path))
    text = path.read_text(encoding="utf-8")

    assert "default-src 'none'" in text
    assert not re.findall(r"<script|src=|href=|url\(|@import", text)
    assert document["orders"][0]["order_by"] in text
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    # The hub, its site and its hall have a line for measured power.
    assert len(pictures) == 3
    for picture in pictures:
        tree = ElementTree.fromstring(picture)
        title = tree.findtext("{http://www.w3.org/2000/svg}title")
        assert title
        assert (LAST + timedelta(days=60)).isoformat() in title
        for line in tree.iter("{http://www.w3.org/2000/svg}polyline"):
            xs = [float(point.split(",")[0]) for point in line.attrib["points"].split()]
            assert all(0 <= x <= 460 for x in xs)


def test_the_ramp_is_drawn_beside_what_is_in_use() -> None:
    from govhub.cli.views.capacity_pictures import ramp_picture

    entry = {"planned": 40000, "built": None, "energised": 10800}
    item = {"site": "s", "used": 9640.0, "weeks": [9500.0, None, 9640.0]}
    item |= {"declared": [entry | {"ends": "2026-12-31"}, entry | {"ends": "2027-12-31", "planned": 80000}]}
    picture = ramp_picture(item, LAST.isoformat())
    tree = ElementTree.fromstring(picture)
    lines = [line.attrib["points"].split() for line in tree.iter("{http://www.w3.org/2000/svg}polyline")]

    # In use, planned, built (nothing declared), energised; a week that is unknown is no point.
    assert [len(line) for line in lines] == [2, 2, 0, 2]
    heights = [float(point.split(",")[1]) for point in lines[1]]
    assert heights[0] > heights[1]
    assert ramp_picture(item | {"declared": [], "weeks": []}, LAST.isoformat()) == ""
    assert ramp_picture(item, None) == ""


def test_names_cannot_break_out_of_the_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from govhub.cli.views.capacity_html import report_html
    from govhub.cli.views.capacity_report import report_page

    document = report(capsys, folder)
    nasty = '<script>alert("1")</script>|`*'
    document["title"] = {"zh": nasty, "en": nasty}
    document["halls"][0]["hall"] = nasty
    document["problems"] = [{"severity": "warning", "code": "FOR001", "summary": nasty, "hint": nasty}]

    page = report_html(document)
    assert "<script" not in page
    assert html.escape(nasty) in page
    assert "<script" not in report_page(document, "govhub")


def test_without_history_the_page_still_says_what_binds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "capacity", "report", "mini", "--history", str(tmp_path / "none"))

    assert code == 0
    assert "no history yet: unknown" in out
    assert "site-a/h1" in out
    assert "FOR009" in out
    path = tmp_path / "page.html"
    report(capsys, tmp_path / "none", "--html", str(path))
    assert "<svg" not in path.read_text(encoding="utf-8")
