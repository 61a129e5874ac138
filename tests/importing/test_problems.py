"""A bad row never stops a good one from being judged, and never gets into the hub."""

from __future__ import annotations

import pytest

from govhub.core.files import write_atomic
from govhub.inventory.editing import trial
from govhub.inventory.importers import import_table
from importing.sheets import DEPARTMENT_HEAD, SYSTEM_HEAD, TODAY, Desk, codes, outcomes

GOOD = "finance,财政局,Finance,small"

# row, the codes of the row, column, part of the message or hint
BAD_ROWS = [
    (",财政局,Finance,small", "IMP020", 1, "fill the column name"),
    ("财政局,财政局,Finance,small", "IMP021", 1, "does not have the right form"),
    ("Finance,财政局,Finance,small", "IMP021", 1, "lower-case"),
    ("justice,,Justice,small", "IMP021", 2, "is missing"),
    ("justice,司法局,Justice,", "IMP021", 4, "is missing"),
    ("justice,司法局,Justice,smal", "REF001", 4, "small"),
    ("kube-x,司法局,Justice,small", "NAM002", 1, "reserved"),
    ("justice,司法\u200b局,Justice,small", "IMP024", 2, "U+200B"),
    ("justice,司法局,Justice,small,more", "IMP025", 1, "quotes"),
    ("j,司法局," + "x" * 121 + ",small", "IMP021", 3, "at most 120"),
]


@pytest.mark.parametrize(("row", "code", "column", "message"), BAD_ROWS)
def test_a_bad_row_is_told_with_its_cell_and_a_way_out(
    desk: Desk, row: str, code: str, column: int, message: str
) -> None:
    before = desk.read("tenants.yaml")
    text = f"{DEPARTMENT_HEAD}\n{GOOD}\n{row}\n"
    result = desk.csv(text)
    assert [item.outcome.value for item in result.rows] == ["skipped", "error"]
    (found,) = result.rows[1].diagnostics
    assert (found.code, str(found.source)) == (code, f"sheet.csv:3:{column}")
    assert message in found.summary + found.hint
    assert codes(result)[0] == "IMP031"
    assert desk.read("tenants.yaml") == before
    partial = desk.csv(text, partial=True)
    assert [item.outcome.value for item in partial.rows] == ["added", "error"]
    assert [tenant.name for tenant in desk.hub().model.tenants][2:] == ["finance"]


def test_rows_that_disagree_are_all_refused_and_a_repeat_is_skipped(desk: Desk) -> None:
    repeated = desk.csv(f"{DEPARTMENT_HEAD}\n{GOOD}\n{GOOD}\n", dry_run=True)
    assert (outcomes(repeated), codes(repeated)) == (["finance added", "finance skipped"], ["IMP023"])
    result = desk.csv(f"{DEPARTMENT_HEAD}\n{GOOD}\nfinance,财政厅,Finance,small\n", partial=True)
    assert outcomes(result) == ["finance error", "finance error"]


# text of the file, the codes
BAD_SHEETS = [
    ("", ["IMP006"]),
    ("\n\n,,\n", ["IMP006"]),
    (DEPARTMENT_HEAD, ["IMP006"]),
    ("title_zh,title_en,quota\n财政局,Finance,small\n", ["IMP011"]),
    ("name,title_zh\nfinance,财政局\n", ["IMP011", "IMP011"]),
    ("a,b\n1,2\n", ["IMP011"] * 4 + ["IMP010"] * 2),
    (f"{DEPARTMENT_HEAD},部门\n{GOOD},x\n", ["IMP012"]),
    (f'{DEPARTMENT_HEAD}\n"finance,财政局,Finance,small\n', ["IMP004"]),
    (f'{DEPARTMENT_HEAD}\n"a"b,财政局,Finance,small\n', ["IMP004"]),
    (b"name,\xff\xff\n", ["IMP003"]),
    ("name," + "," * 200 + "x\n", ["IMP007"]),
]


@pytest.mark.parametrize(("text", "expected"), BAD_SHEETS)
def test_a_sheet_that_cannot_be_used_is_told_once(desk: Desk, text: str | bytes, expected: list[str]) -> None:
    result = desk.csv(text)
    assert (codes(result), result.rows, result.files) == (expected, (), ())
    assert all(item.hint for item in result.diagnostics)


def test_an_unknown_column_is_a_warning_with_the_word_that_was_meant(desk: Desk) -> None:
    result = desk.csv(f"{DEPARTMENT_HEAD},regoin\n{GOOD},city\n")
    assert (outcomes(result), codes(result)) == (["finance added"], ["IMP010"])
    assert result.diagnostics[0].hint == 'did you mean "region"?'


def test_missing_files_and_other_formats_are_refused(desk: Desk) -> None:
    assert codes(desk.bring(desk.place / "none.csv")) == ["IMP001"]
    assert codes(desk.bring(desk.place)) == ["IMP001"]
    (desk.place / "old.xls").write_bytes(b"\xd0\xcf")
    assert codes(desk.bring(desk.place / "old.xls")) == ["IMP002"]
    (desk.place / "large.csv").write_bytes(b"x" * (16 * 1024**2 + 1))
    assert codes(desk.bring(desk.place / "large.csv")) == ["IMP005"]


def test_too_many_rows_are_refused(desk: Desk) -> None:
    assert codes(desk.csv("name\n" + "x\n" * 100_001)) == ["IMP007"]


def test_what_breaks_the_hub_as_a_whole_stops_the_import(desk: Desk) -> None:
    rows = "\n".join(f"d{number},局,Bureau,medium" for number in range(30))
    result = desk.csv(f"{DEPARTMENT_HEAD}\n{rows}\n", partial=True)
    assert "CAP001" in codes(result)
    assert (result.counts["skipped"], result.files) == (30, ())


def test_a_hub_that_changed_since_it_was_read_is_left_alone(desk: Desk) -> None:
    hub = desk.hub()
    sheet = desk.place / "sheet.csv"
    sheet.write_text(f"{DEPARTMENT_HEAD}\n{GOOD}\n", encoding="utf-8")
    (desk.folder / "tenants.yaml").write_text(desk.read("tenants.yaml") + "# mine\n", encoding="utf-8")
    assert codes(import_table(hub, sheet, "departments", dry_run=False, today=TODAY)) == ["IMP032"]
    assert desk.read("tenants.yaml").endswith("# mine\n")


def test_a_full_disk_leaves_all_files_as_they_were(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "z.yaml").write_text(
        "tenants:\n  - {name: justice, title: {zh: 司法局, en: Justice}, quota: small}\n", encoding="utf-8"
    )
    before = {path.name: path.read_bytes() for path in desk.folder.iterdir()}
    write = write_atomic

    def full(path, data, *, mode):  # type: ignore[no-untyped-def]
        if path.name == "z.yaml":
            raise OSError(28, "No space left on device")
        write(path, data, mode=mode)

    monkeypatch.setattr(trial, "write_atomic", full)
    result = desk.csv(f"{DEPARTMENT_HEAD}\neducation,教育局,New,small\n{GOOD}\n")
    assert (codes(result), result.files) == (["IMP033"], ())
    assert {path.name: path.read_bytes() for path in desk.folder.iterdir()} == before


def test_many_bad_systems_are_told_in_one_go(desk: Desk) -> None:
    image = "registry.testcity.gov.internal/a/b:1"
    rows = [
        f"a,甲,A,nowhere,处,2,2,{image},1,1Gi",
        f"b,乙,B,education,处,9,2,{image},1,1Gi",
        f"c,丙,C,education,处,2,五级,{image},1,1Gi",
        "d,丁,D,education,处,2,2,docker.io/x/y:1,1,1Gi",
        f"e,戊,E,education,处,2,2,{image},1,64",
        f"f,己,F,未知局,处,2,2,{image},1,1Gi",
    ]
    result = desk.csv(SYSTEM_HEAD + "\n" + "\n".join(rows), "systems")
    found = [[item.code for item in row.diagnostics] for row in result.rows]
    assert found == [["REF001"], ["IMP021"], ["SEC002"], ["SEC003"], ["IMP021"], ["IMP021"]]
