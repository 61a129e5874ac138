"""Loading: YAML with positions, the sections of several files as one tree, and files that are refused."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.inventory.loader import find_hub, hub_names, load
from govhub.inventory.located import LocatedMap, locate, read_yaml
from inventory.hubs import HubFolder


def read(tmp_path: Path, content: str | bytes) -> tuple[LocatedMap | None, Diagnostics]:
    path = tmp_path / "file.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    problems = Diagnostics()
    return read_yaml(path, "hub/file.yaml", problems), problems


def only(problems: Diagnostics) -> tuple[str, int, int]:
    (item,) = problems
    assert item.source
    assert item.source.file == "hub/file.yaml"
    return item.code, item.source.line, item.source.column


def test_every_key_and_item_knows_its_line_and_column(tmp_path: Path) -> None:
    tree, _ = read(tmp_path, "a:\n  b: [x, y]\n  c:\n  - d: 1\n    e: {f: 2}\n")

    for path, line, column in (
        (("a",), 1, 1),
        (("a", "b"), 2, 3),
        (("a", "b", 1), 2, 10),
        (("a", "c", 0), 4, 5),
        (("a", "c", 0, "e", "f"), 5, 9),
    ):
        assert locate(tree, path) == SourceRange("hub/file.yaml", line, column)


def test_a_missing_key_points_at_its_parent(tmp_path: Path) -> None:
    tree, _ = read(tmp_path, "a:\n  b: 1\n")

    assert locate(tree, ("a", "c", "d")) == SourceRange("hub/file.yaml", 1, 1)
    assert locate(tree, ("z",)) is None
    assert locate(tree, ("a", 0)) == SourceRange("hub/file.yaml", 1, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("22:00", "22:00"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("True", True),
        ("NULL", None),
        ("~", None),
        ("''", ""),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("1234567890123456789", "1234567890123456789"),
        (".", "."),
        ("-", [None]),
        ("中文", "中文"),
    ],
)
def test_scalars_follow_the_core_schema(tmp_path: Path, text: str, value: object) -> None:
    separator = "\n" if text == "-" else " "
    tree, problems = read(tmp_path, f"a:{separator}{text}\n")

    assert tree is not None, list(problems)
    assert tree["a"] == value
    assert type(tree["a"]) is type(value) or isinstance(value, list)


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    tree, problems = read(tmp_path, "a: &x {b: 1}\nc: *x\nd: &s text\ne: *s\n")

    assert tree == {"a": {"b": 1}, "c": {"b": 1}, "d": "text", "e": "text"}
    assert not problems.items


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    tree, _ = read(tmp_path, b"\xef\xbb\xbfa: 1\n")

    assert tree == {"a": 1}


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        (b"", "YAML002", 1, 1),
        (b"# only a comment\n", "YAML002", 1, 1),
        (b"- a\n", "YAML003", 1, 1),
        (b"text\n", "YAML003", 1, 1),
        (b"a: 1\nb: \xb2\xe2\xca\xd4\n", "YAML006", 2, 4),
        (b"\xff\xfea\x00:\x00", "YAML006", 1, 1),
        (b"a: 1\n---\nb: 2\n", "YAML007", 2, 1),
        (b"a: 1\nb:\n\t- c\n", "YAML001", 3, 1),
        (b"a: [1, 2\nb: 3\n", "YAML001", 2, 2),
        (b"a: *nothing\n", "YAML001", 1, 4),
        (b"a: &x [*x]\n", "YAML001", 1, 8),
        (b"a: 'open\n", "YAML001", 2, 1),
        (b"a: b: c\n", "YAML001", 1, 5),
        (b"a: \x07\n", "YAML001", 1, 1),
        (b"a: \x00\n", "YAML001", 1, 1),
        (b"? [a]\n: 1\n", "YAML010", 1, 3),
        (b"{a: 1}: 2\n", "YAML010", 1, 1),
        (b"a: &x [1]\n*x : 2\n", "YAML010", 2, 1),
        (b"a: 1\nb: 2\na: 3\n", "YAML011", 3, 1),
    ],
)
def test_a_broken_file_is_told_with_its_position(
    tmp_path: Path, content: bytes, code: str, line: int, column: int
) -> None:
    _, problems = read(tmp_path, content)

    assert only(problems) == (code, line, column)


def test_the_first_of_two_equal_keys_counts(tmp_path: Path) -> None:
    tree, _ = read(tmp_path, "a: 1\nb: 2\na: {c: 3}\nd: 4\n")

    assert tree == {"a": 1, "b": 2, "d": 4}


def test_a_file_of_50_megabytes_is_refused_unread(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    with (folder / "large.yaml").open("wb") as file:
        file.truncate(50 * 1024 * 1024)

    start = time.perf_counter()
    loaded = load(folder)

    assert time.perf_counter() - start < 0.5
    assert loaded.hub is None
    assert [(item.code, str(item.source)) for item in loaded.problems] == [("YAML004", "hub/large.yaml:1:1")]


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 12)]

    start = time.perf_counter()
    _, problems = read(tmp_path, "\n".join(lines))

    assert only(problems)[0] == "YAML008"
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_quickly(tmp_path: Path, opening: str) -> None:
    start = time.perf_counter()
    _, problems = read(tmp_path, "a:\n  " + opening * 100_000)

    assert only(problems)[0] in {"YAML001", "YAML009", "YAML010"}
    assert time.perf_counter() - start < 2


def test_a_number_of_a_million_digits_is_refused_quickly(base: HubFolder) -> None:
    base.edit("tenants.yaml", "pods: 40", "pods: " + "9" * 1_000_000)

    start = time.perf_counter()
    (item,) = base.everything()

    assert item.code == "INV004"
    assert len(item.summary) < 300
    assert time.perf_counter() - start < 2


def test_sections_of_the_same_name_are_joined_and_remember_their_files(base: HubFolder) -> None:
    (base.path / "more.yaml").write_text(
        "tenants:\n  - {name: works, title: {zh: 局, en: Works}, quota: smal}\n", encoding="utf-8"
    )

    (item,) = base.check()

    assert str(item.source) == "testcity/more.yaml:2:46"
    assert item.address == "tenants.works.quota"


def test_a_section_points_into_the_file_it_stands_in(base: HubFolder) -> None:
    hub = base.hub()

    assert str(hub.at("hub")) == "testcity/hub.yaml:1:1"
    assert str(hub.at("systems")) == "testcity/systems.yaml:10:1"
    assert str(hub.at("systems", 1, "nothing")) == "testcity/systems.yaml:50:5"


def test_a_single_section_in_two_files_is_an_error(base: HubFolder) -> None:
    (base.path / "z.yaml").write_text("hub: {name: other}\n", encoding="utf-8")

    (item,) = base.everything()

    assert (item.code, str(item.source)) == ("HUB005", "testcity/z.yaml:1:1")


def test_an_empty_section_is_a_warning(base: HubFolder) -> None:
    (base.path / "z.yaml").write_text("waves:\n", encoding="utf-8")

    (item,) = base.everything()

    assert (item.code, item.severity) == ("HUB006", "warning")


def test_an_unknown_key_names_the_one_that_was_meant(base: HubFolder) -> None:
    base.edit("systems.yaml", "tier: 2", "teir: 2")

    found = {item.code: item for item in base.everything()}

    assert found["INV001"].hint == 'did you mean "tier"?'
    assert base.line(found["INV001"]) == "teir: 2"
    assert "tier" in found["INV002"].summary


def test_a_folder_without_content_says_how_to_start(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert [item.code for item in loaded.problems] == ["HUB002"]


def test_too_many_files_are_refused(base: HubFolder) -> None:
    for number in range(201):
        (base.path / f"f{number}.yaml").write_text("", encoding="utf-8")

    assert [item.code for item in base.everything()] == ["HUB004"]


def test_a_link_out_of_the_folder_is_refused(base: HubFolder, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("tenants: []\n", encoding="utf-8")
    (base.path / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (base.path / "inside.yaml").symlink_to(base.path / "nowhere.yaml")

    found = base.everything()

    assert [(item.code, str(item.source)) for item in found] == [
        ("HUB003", "testcity/inside.yaml:1:1"),
        ("HUB003", "testcity/link.yaml:1:1"),
    ]


def test_links_in_a_circle_are_refused(base: HubFolder) -> None:
    (base.path / "a.yaml").symlink_to(base.path / "b.yaml")
    (base.path / "b.yaml").symlink_to(base.path / "a.yaml")
    (base.path / "loop").symlink_to(base.path, target_is_directory=True)

    assert [item.code for item in base.everything()] == ["HUB003", "HUB003"]


def test_a_named_pipe_is_refused_instead_of_waited_for(base: HubFolder) -> None:
    os.mkfifo(base.path / "pipe.yaml")

    assert [item.code for item in base.everything()] == ["HUB007"]


def test_hidden_files_and_folders_are_left_out(base: HubFolder) -> None:
    (base.path / ".hidden.yaml").write_text("nonsense: [", encoding="utf-8")
    (base.path / ".git").mkdir()
    (base.path / ".git" / "x.yaml").write_text("nonsense: [", encoding="utf-8")

    assert base.everything() == []


def test_inputs_change_with_a_files_content_and_name(base: HubFolder) -> None:
    first = base.hub().inputs
    (base.path / "network.yaml").rename(base.path / "net.yaml")
    second = base.hub().inputs
    base.edit("net.yaml", "100.64.0.0/16", "100.65.0.0/16")

    assert len({first, second, base.hub().inputs}) == 3


def test_a_hub_is_found_by_name_and_by_path(base: HubFolder) -> None:
    assert find_hub("testcity", base.path.parent) == base.path
    assert find_hub(str(base.path), base.path.parent / "elsewhere") == base.path
    assert hub_names(base.path.parent) == ["testcity"]


@pytest.mark.parametrize("name", ["", " ", "a\0b", "testcty", "x" * 5000, "../../nowhere"])
def test_a_hub_that_is_not_there_is_an_input_error_with_a_hint(base: HubFolder, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        find_hub(name, base.path.parent)

    (item,) = caught.value.diagnostics
    assert item.code == "HUB001"
    assert item.hint
