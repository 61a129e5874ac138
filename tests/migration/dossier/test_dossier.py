"""The dossier: made of the chain alone, in both languages; one changed byte in any of its files is found and named."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from openpyxl import load_workbook

from govhub.core.canonical import canonical
from govhub.core.errors import InvalidInput
from govhub.core.events import GENESIS, Event, chained
from govhub.migration.dossier.checking import check
from govhub.migration.dossier.writing import write
from govhub.ops.migration.dossier import export, verify
from migration.city import SYSTEM, City, make_city

FILES = (
    "chain.ndjson",
    "dossier.json",
    "dossier.html",
    "dossier.zh.docx",
    "dossier.en.docx",
    "dossier.zh.xlsx",
    "dossier.en.xlsx",
    "manifest.json",
)


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The dossier of an accepted system, and its city."""
    folder = tmp_path_factory.mktemp("accepted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOVHUB_HOME", str(folder / "home"))
        patch.setenv("GOVHUB_ACTOR", "operator")
        city = make_city(folder)
        city.run("migrate")
        city.everybody_approves()
        city.run()
        city.clock.forward(days=31)
        city.run()
        city.everybody_approves()
        assert city.run()["state"] == "done"
        out = folder / "papers"
        export(str(city.hub), SYSTEM, out)
        yield city, out


def codes(folder: Path) -> list[tuple[str, str]]:
    return [(item["code"], item["address"]) for item in check(folder)["problems"]]


def test_it_proves_itself_offline(accepted: tuple[City, Path]) -> None:
    found = verify(accepted[1])
    assert found["intact"], found["problems"]
    assert found["signatures"] == 6
    assert sorted(path.name for path in accepted[1].iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_in_any_file_is_found_and_named(
    accepted: tuple[City, Path], name: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(accepted[1], copy)
    data = bytearray((copy / name).read_bytes())
    for place in (0, len(data) // 3, len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[place] ^= 0x01
        (copy / name).write_bytes(changed)
        found = codes(copy)
        assert name in {file for _, file in found}, (place, found)


def test_a_missing_and_a_foreign_file_are_named(accepted: tuple[City, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(accepted[1], copy)
    (copy / "dossier.en.xlsx").unlink()
    (copy / "extra.txt").write_text("hello")
    assert codes(copy) == [("DOS005", "dossier.en.xlsx"), ("DOS004", "extra.txt")]


def _rechained(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> list[Event]:
    """The chain after somebody changed it and computed all hashes anew."""
    raw = [json.loads(line) for line in (folder / "chain.ndjson").read_text().splitlines()]
    change(raw)
    events: list[Event] = []
    for number, item in enumerate(raw):
        previous = events[-1].hash if events else GENESIS
        events.append(chained(number, item["time"], item["kind"], item["data"], previous))
    return events


def _forge_decision(raw: list[dict[str, Any]]) -> None:
    next(item for item in raw if item["kind"] == "approval-given")["data"]["statement"]["name"] = "sun"


def _drop_an_approval(raw: list[dict[str, Any]]) -> None:
    raw.remove(next(item for item in raw if item["kind"] == "approval-given"))


def _forge_evidence(raw: list[dict[str, Any]]) -> None:
    found = next(
        item for item in raw if item["data"].get("phase") == "WaitForVerification" and "evidence" in item["data"]
    )
    found["data"]["evidence"]["papers"]["behind"] = 3


def _shorten_the_trial(raw: list[dict[str, Any]]) -> None:
    begun = next(item for item in raw if item["data"].get("reaches") == "trial")
    begun["time"] = "2026-03-30T00:00:00.000Z"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_forge_decision, "DOS007"),
        (_drop_an_approval, "DOS009"),
        (_forge_evidence, "DOS009"),
        (_shorten_the_trial, "DOS010"),
    ],
)
def test_a_forger_who_computes_everything_anew_is_still_found(
    accepted: tuple[City, Path], change: Callable[[list[dict[str, Any]]], None], code: str, tmp_path: Path
) -> None:
    events = _rechained(accepted[1], change)
    write(tmp_path / "forged", "mini", SYSTEM, events, lambda _: "")
    assert code in {found for found, _ in codes(tmp_path / "forged")}


def test_the_seal_needs_the_hubs_key(accepted: tuple[City, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    city, folder = accepted
    found = verify(folder, str(city.hub))
    assert not found["sealed"]
    assert [item["code"] for item in found["problems"]] == ["DOS013"]


def test_the_papers_hold_every_stage_and_approval_in_both_languages(accepted: tuple[City, Path]) -> None:
    folder = accepted[1]
    page = (folder / "dossier.html").read_text(encoding="utf-8")
    for language, stages, word in (
        ("zh", ("调研", "评估", "方案", "申请", "准备", "迁移", "测试", "试运行", "验收", "下线"), "业务部门"),
        ("en", ("Survey", "Assessment", "Plan", "Trial run", "Acceptance", "Retirement"), "department"),
    ):
        paper = docx.Document(str(folder / f"dossier.{language}.docx"))
        headings = [item.text for item in paper.paragraphs if item.style and item.style.name.startswith("Heading")]
        cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
        book = load_workbook(io.BytesIO((folder / f"dossier.{language}.xlsx").read_bytes()))
        for stage in stages:
            assert any(stage in item for item in headings)
            assert any(stage in name for name in book.sheetnames)
            assert stage in page
        assert {"chen", "zhao", "qian", word} <= set(cells)
        approvals = book.worksheets[12]
        assert approvals.max_row == 7
    assert "http" not in page.replace("http-equiv", "")


def test_the_statement_is_that_of_the_chain(accepted: tuple[City, Path]) -> None:
    document = json.loads((accepted[1] / "dossier.json").read_text(encoding="utf-8"))
    assert document["stage"] == "accepted"
    lines = (accepted[1] / "chain.ndjson").read_text(encoding="utf-8").splitlines()
    assert document["chain"]["events"] == len(lines)
    assert canonical(json.loads(lines[0])) == lines[0]


def test_a_dossier_is_never_overwritten_and_never_empty(accepted: tuple[City, Path], tmp_path: Path) -> None:
    city, folder = accepted
    with pytest.raises(InvalidInput, match="already there"):
        export(str(city.hub), SYSTEM, folder)
    with pytest.raises(InvalidInput, match="holds no dossier"):
        verify(tmp_path)


def test_nothing_recorded_makes_no_papers(city: City, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing is recorded"):
        export(str(city.hub), SYSTEM, tmp_path / "none")
