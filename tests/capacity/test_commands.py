"""``capacity show`` and ``capacity racks``: documents, CSV, both languages, narrow and wide."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from govhub.cli import i18n
from govhub.cli.main import main


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(Path(__file__).parents[2] / "inventories"))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-02")
    i18n.use("en")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_every_figure_carries_what_it_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "capacity", "show", "yichang", "--json")
    document = json.loads(out)

    assert (code, document["schema"], len(document["halls"])) == (0, "govhub.capacity/1", 10)
    figures = [*document["figures"].values(), *(f for hall in document["halls"] for f in hall["figures"].values())]
    assert all({"numerator", "denominator", "unit", "coverage", "age_seconds"} <= figure.keys() for figure in figures)
    assert document["figures"]["power.allocated"]["denominator"] == 27_000_000
    assert document["ledger"][-1]["planned"] == 80_000
    assert all(hall["binding"]["servers"] >= 0 for hall in document["halls"])


def test_a_place_narrows_and_a_wrong_one_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "capacity", "show", "yichang", "dongyuemiao/h03/r01", "--json")
    document = json.loads(out)

    assert [hall["hall"] for hall in document["halls"]] == ["dongyuemiao/h03"]
    assert document["figures"]["racks"]["coverage"]["of"] == 36
    assert "departments" not in document
    code, _, err = run(capsys, "capacity", "show", "yichang", "dongyuemiao/h3")
    assert code == 3
    assert 'did you mean "dongyuemiao/h' in err


def test_the_view_says_what_binds_first_and_what_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "capacity", "show", "jinzhou")

    assert out.index("What binds each hall first") < out.index("Figures")
    assert "power budget of the hall" in out
    assert "unknown" in out
    _, chinese, _ = run(capsys, "--lang", "zh", "capacity", "show", "yichang")
    assert "各机房最先受限的资源" in chinese
    assert "标准机柜台账" in chinese


def test_racks_as_json_csv_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("capacity", "racks", "yichang", "--place", "dongyuemiao/h03/r01")
    document = json.loads(run(capsys, *words, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(run(capsys, *words, "--csv")[1])))

    assert [row["rack"] for row in rows] == [row["rack"] for row in document["racks"]]
    assert len(rows) == 36
    first = document["racks"][0]
    # An AI host of 4.6 kW in a cabinet of 6 kW leaves one server of 800 W.
    assert (first["watts"], first["rated_watts"], first["servers"], first["binding"]) == (4600, 6000, 1, "power")
    assert rows[0]["gap"] == ("" if first["gap"] is None else str(first["gap"]))
    assert "16 more" in run(capsys, *words)[1]


@pytest.mark.parametrize(
    ("words", "rows_of"),
    [
        (("show", "jinzhou"), lambda told: [(place, name) for place, figures in figures_of(told) for name in figures]),
        (("report", "jinzhou"), lambda told: [(row["place"], row["resource"]) for row in told["forecasts"]]),
        (("forecast", "jinzhou"), lambda told: [(row["place"], row["resource"]) for row in told["forecasts"]]),
        (("what-if", "jinzhou", "--servers", "5"), lambda told: [(row["at"], row["unit"]) for row in told["changes"]]),
    ],
)
def test_the_rows_of_each_document_are_to_be_had_as_csv(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], rows_of: Callable[[Any], list[tuple[str, str]]]
) -> None:
    code, out, _ = run(capsys, "capacity", *words, "--csv")
    told = json.loads(run(capsys, "capacity", *words, "--json")[1])
    found = list(csv.DictReader(io.StringIO(out)))

    assert code == 0
    names = {"show": ("place", "figure"), "what-if": ("at", "unit")}
    first, second = names.get(words[0], ("place", "resource"))
    assert [(row[first], row[second]) for row in found] == rows_of(told) != []
    # What is not known is empty, never zero.
    assert all(row.get("numerator") == "" for row in found if row.get("figure") == "power.measured")
    assert run(capsys, "capacity", *words, "--csv", "--json")[0] == 64


def test_a_hall_that_is_shown_alone_has_each_figure_once(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "capacity", "show", "yichang", "dongyuemiao/h01", "--csv")[1]
    names = [row["figure"] for row in csv.DictReader(io.StringIO(out))]
    assert len(names) == len(set(names))
    assert {"racks", "failover.busway"} <= set(names)


def figures_of(told: Any) -> list[tuple[str, Any]]:
    return [("", told["figures"]), *((hall["hall"], hall["figures"]) for hall in told["halls"])]


@pytest.mark.parametrize("sort", ["power", "feed", "space", "gap", "weight", "stranded", "name"])
def test_every_order_shows_every_rack(capsys: pytest.CaptureFixture[str], sort: str) -> None:
    document = json.loads(run(capsys, "capacity", "racks", "jinzhou", "--sort", sort, "--json")[1])

    assert len({row["rack"] for row in document["racks"]}) == 196


def test_two_forms_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "capacity", "racks", "jinzhou", "--csv", "--json")

    assert code == 64
    assert "USE009" in out


def test_a_narrow_terminal_leaves_out_the_feeds(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from govhub.cli.views.capacity import show_capacity, show_racks
    from govhub.ops.capacity.racks import racks
    from govhub.ops.capacity.show import show

    texts = {}
    for width in (70, 160):
        out = io.StringIO()
        console = Console(file=out, width=width)
        show_racks(console, racks("jinzhou"))
        show_capacity(console, show("jinzhou", "jz-a/h1"))
        texts[width] = out.getvalue()
        # The remark is a sentence; it is not cut.
        assert all(len(text) <= width for text in texts[width].splitlines() if not text.startswith("Known:"))
    assert "feed A" in texts[160]
    assert "feed A" not in texts[70].split("Figures")[0]
