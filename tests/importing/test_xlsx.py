"""Workbooks: cached values of formulas, numbers as people see them, and files made to do harm."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from importing.sheets import Desk, codes, outcomes

HEAD = ["标识", "部门名称", "英文名称", "配额"]
GOOD = ["finance", "财政局", "Finance", "small"]


def rezip(path: Path, part: str, change: dict[str, str]) -> None:
    """Replace text in a part of the workbook, as another program would have written it."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts[part].decode()
    for old, new in change.items():
        text, count = re.subn(old, new, text)
        assert count, f"{old} is not in {part}"
    parts[part] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_a_workbook_is_read_with_numbers_as_people_see_them(desk: Desk) -> None:
    result = desk.xlsx(
        [["各部门清单"], [*HEAD, "核数"], [*GOOD, 2.0], [], ["justice", "司法局", "Justice", "small", None]]
    )
    assert (outcomes(result), codes(result)) == (["finance added", "justice added"], [])
    assert [row.row for row in result.rows] == [3, 5]
    assert desk.hub().model.tenants[2].overrides.cpu == "2"


def test_a_formula_without_its_value_is_an_error_and_with_it_is_its_value(desk: Desk) -> None:
    result = desk.xlsx([HEAD, ["finance", "财政局", '=CONCAT("Fin","ance")', "small"]])
    assert codes(result) == ["IMP031", "IMP022"]
    assert str(result.rows[0].diagnostics[0].source) == "sheet.xlsx:2:3"
    path = desk.place / "sheet.xlsx"
    rezip(path, "xl/worksheets/sheet1.xml", {'r="C2"': 'r="C2" t="str"', r"<v ?/>|<v></v>": "<v>Finance</v>"})
    assert outcomes(desk.bring(path)) == ["finance added"]
    assert desk.hub().model.tenants[-1].title.en == "Finance"


def test_text_that_starts_like_a_formula_is_only_text(desk: Desk) -> None:
    book = Workbook()
    book.active.append(HEAD)  # type: ignore[union-attr]
    book.active.append(GOOD)  # type: ignore[union-attr]
    cell = book.active["C2"]  # type: ignore[index]
    cell.value, cell.data_type = "=HYPERLINK(1)", "s"
    book.save(desk.place / "sheet.xlsx")
    assert outcomes(desk.bring(desk.place / "sheet.xlsx")) == ["finance added"]
    assert desk.hub().model.tenants[-1].title.en == "=HYPERLINK(1)"


def test_an_error_value_is_told(desk: Desk) -> None:
    assert codes(desk.xlsx([HEAD, ["finance", "#REF!", "Finance", "small"]])) == ["IMP031", "IMP022"]


def test_other_sheets_are_mentioned(desk: Desk) -> None:
    book = Workbook()
    book.active.append(HEAD)  # type: ignore[union-attr]
    book.active.append(GOOD)  # type: ignore[union-attr]
    book.create_sheet("备注")
    book.save(desk.place / "sheet.xlsx")
    result = desk.bring(desk.place / "sheet.xlsx")
    assert (outcomes(result), codes(result)) == (["finance added"], ["IMP008"])


def test_an_empty_sheet_and_far_away_cells_end_in_a_diagnostic(desk: Desk) -> None:
    assert codes(desk.xlsx([])) == ["IMP006"]
    assert codes(desk.xlsx([[*HEAD, *[None] * 300, "x"], GOOD])) == ["IMP007"]


@pytest.mark.parametrize("place", ['<row r="999999999999"', '<row r="1048577"'])
def test_a_row_beyond_the_last_one_is_not_waited_for(desk: Desk, place: str) -> None:
    desk.xlsx([HEAD, GOOD], dry_run=True)
    path = desk.place / "sheet.xlsx"
    rezip(path, "xl/worksheets/sheet1.xml", {'<row r="2"': place, 'r="([A-D])2"': r'r="\1"'})
    assert not desk.bring(path).ok


def broken_files() -> dict[str, bytes]:
    """Files that are no workbooks, or only look like one."""
    good = io.BytesIO()
    Workbook().save(good)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x")
    return {
        "text": b"name,title\n",
        "nothing": b"",
        "cut": good.getvalue()[:-200],
        "scrambled": good.getvalue()[:900] + b"\0" * 400 + good.getvalue()[1300:],
        "empty-zip": empty.getvalue(),
        "other-zip": other.getvalue(),
        "encrypted": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    }


@pytest.mark.parametrize("kind", sorted(broken_files()))
def test_a_broken_workbook_is_told(desk: Desk, kind: str) -> None:
    path = desk.place / "sheet.xlsx"
    path.write_bytes(broken_files()[kind])
    assert codes(desk.bring(path)) == ["IMP004"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(desk: Desk) -> None:
    path = desk.place / "sheet.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        for _ in range(300):
            part.write(b" " * 1024**2)
    assert path.stat().st_size < 1024**2
    assert codes(desk.bring(path)) == ["IMP005"]


def test_a_bomb_of_entities_is_refused(desk: Desk) -> None:
    desk.xlsx([HEAD, GOOD], dry_run=True)
    path = desk.place / "sheet.xlsx"
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "aaaaaaaaaa">{entities}]><worksheet'
    rezip(path, "xl/worksheets/sheet1.xml", {"<worksheet": bomb, "Finance": "&e11;"})
    assert codes(desk.bring(path)) == ["IMP004"]
