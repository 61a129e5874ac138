"""Departments come from sheets as cities have them, and land in the hub's own files."""

from __future__ import annotations

import pytest

from importing.sheets import DEPARTMENT_HEAD, Desk, codes, outcomes

CHINESE = "标识,部门名称,英文名称,层级,配额\nfinance,财政局,Finance Bureau,市级,small\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_every_encoding_that_excel_saves_is_read(desk: Desk, encoding: str) -> None:
    result = desk.csv(CHINESE.encode(encoding))
    assert outcomes(result) == ["finance added"]
    assert desk.hub().model.tenants[-1].title.zh == "财政局"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "{n}各部门清单（2026 年）\n", "sep={d}\n"])
def test_the_delimiter_is_found_and_a_title_above_the_header_is_passed_over(
    desk: Desk, delimiter: str, first: str
) -> None:
    first = first.replace("{d}", delimiter).replace("{n}", "")
    result = desk.csv(first + CHINESE.replace(",", delimiter))
    assert outcomes(result) == ["finance added"]
    assert result.rows[0].row == 2 + bool(first)


def test_the_rest_of_the_file_stays_as_it_was_written(desk: Desk) -> None:
    path = desk.folder / "tenants.yaml"
    path.write_text(
        "# Our departments.\ntenants:\n- name:   education   # first\n"
        "  title: {zh: 教育局,\n    en: 'Education Bureau'}\n  quota: small\n\n# 民政\n"
        "- {name: civil-affairs, title: {zh: 民政局, en: Civil Affairs}, quota: small}\n\n# The end.\n",
        encoding="utf-8",
    )
    path.chmod(0o640)
    before = path.read_text(encoding="utf-8")
    assert outcomes(desk.csv(f"{DEPARTMENT_HEAD}\nfinance,财政局,Finance,small\n")) == ["finance added"]
    after = path.read_text(encoding="utf-8")
    added = "\n- name: finance\n  title: {zh: 财政局, en: Finance}\n  quota: small\n"
    assert after == before.replace("\n\n# The end", f"\n{added}\n# The end")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_changed_row_changes_its_lines_only(desk: Desk) -> None:
    before = desk.read("tenants.yaml")
    result = desk.csv(
        f"{DEPARTMENT_HEAD},region\neducation,教育局,Bureau of Education,small,\ncivil-affairs,,,small,city\n"
    )
    assert outcomes(result) == ["education updated", "civil-affairs updated"]
    expected = before.replace("Education Bureau", "Bureau of Education")
    expected = expected.replace("Civil Affairs Bureau}\n", "Civil Affairs Bureau}\n    region: city\n")
    assert desk.read("tenants.yaml") == expected


def test_what_the_hub_has_already_is_unchanged_and_nothing_is_written(desk: Desk) -> None:
    result = desk.csv("name,quota\neducation,small\n")
    assert (outcomes(result), result.files) == (["education unchanged"], ())


def test_windows_line_ends_and_the_byte_order_mark_are_kept(desk: Desk) -> None:
    path = desk.folder / "tenants.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    desk.csv(CHINESE)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf# The departments")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert "finance" in raw.decode()


@pytest.mark.parametrize("text", ["tenants: []\n", "tenants:\n", "# none yet\n"])
def test_the_first_department_of_a_hub_finds_its_place(desk: Desk, text: str) -> None:
    (desk.folder / "systems.yaml").unlink()
    (desk.folder / "tenants.yaml").write_text(text, encoding="utf-8")
    result = desk.csv(CHINESE)
    assert (outcomes(result), [path.name for path in result.files]) == (["finance added"], ["tenants.yaml"])
    assert [tenant.name for tenant in desk.hub().model.tenants] == ["finance"]


def test_a_changed_row_stays_in_its_file_and_a_new_one_goes_to_the_last(desk: Desk) -> None:
    (desk.folder / "z.yaml").write_text(
        "tenants:\n  - {name: justice, title: {zh: 司法局, en: Justice}, quota: small}\n", encoding="utf-8"
    )
    result = desk.csv(f"{DEPARTMENT_HEAD}\neducation,教育局,New,small\nfinance,财政局,Finance,small\n")
    assert [path.name for path in result.files] == ["tenants.yaml", "z.yaml"]
    assert "en: New" in desk.read("tenants.yaml")
    assert "finance" in desk.read("z.yaml")


def test_a_value_behind_an_alias_changes_in_one_place_only(desk: Desk) -> None:
    (desk.folder / "tenants.yaml").write_text(
        "tenants:\n  - name: education\n    title: &t {zh: 教育局, en: Education}\n    quota: small\n"
        "  - name: civil-affairs\n    title: *t\n    quota: small\n",
        encoding="utf-8",
    )
    desk.csv("name,title_en\neducation,Changed\n")
    assert [tenant.title.en for tenant in desk.hub().model.tenants] == ["Changed", "Education"]


@pytest.mark.parametrize(
    "title", ["=1+1", "+86", "-x", "@SUM(A1)", "no", "1.5", "null", "a: b # c", "'\"", "🏛 局", "{{ x }}"]
)
def test_text_that_looks_like_something_else_stays_text(desk: Desk, title: str) -> None:
    quoted = title.replace('"', '""')
    assert outcomes(desk.csv(f'{DEPARTMENT_HEAD}\nfinance,"{quoted}",Finance,small\n')) == ["finance added"]
    assert desk.hub().model.tenants[-1].title.zh == title


def test_overrides_go_through_the_model_and_the_checks(desk: Desk) -> None:
    result = desk.csv("name,cpu,memory,storage,pods\neducation,2,4 Gi,１００Gi,10\n")
    assert outcomes(result) == ["education updated"]
    assert "overrides: {cpu: 2, memory: 4Gi, storage: 100Gi, pods: 10}" in desk.read("tenants.yaml")
    raised = desk.csv("name,cpu\neducation,400\n")
    assert "EXC003" in codes(raised)
    assert raised.rows[0].diagnostics[0].source is not None
    assert str(raised.rows[0].diagnostics[0].source) == "sheet.csv:2:1"


def test_a_dry_run_tells_the_same_and_writes_nothing(desk: Desk) -> None:
    before = desk.read("tenants.yaml")
    result = desk.csv(CHINESE, dry_run=True)
    assert (outcomes(result), [path.name for path in result.files]) == (["finance added"], ["tenants.yaml"])
    assert desk.read("tenants.yaml") == before
    assert result.as_dict()["counts"]["added"] == 1
