"""A new hub is valid from its first minute."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.inventory.checks import check_hub
from govhub.inventory.loader import load
from govhub.inventory.scaffold import init_hub


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("newcity", "", ""),
        ("a", "新城政务云", "New City"),
        ("0-1", '引"号: # {x}', "@NAME@ @TITLE_ZH@"),
        ("x" * 40, "云", "Z"),
    ],
)
def test_a_new_hub_has_no_problem_at_all(tmp_path: Path, name: str, zh: str, en: str) -> None:
    paths = init_hub(tmp_path / "deep" / name, name, title_zh=zh, title_en=en)
    loaded = load(tmp_path / "deep" / name)
    assert loaded.hub is not None, list(loaded.problems)
    assert [*loaded.problems, *check_hub(loaded.hub, date(2026, 1, 15))] == []
    model = loaded.hub.model
    assert model.hub.name == name
    assert (model.hub.title.zh, model.hub.title.en) == (zh or f"{name} 政务云", en or f"{name} government cloud")
    sizes = (len(model.sites), len(model.clusters), len(loaded.hub.topology.nodes("main")))
    assert sizes == (1, 1, 6)
    assert (len(model.tenants), len(model.systems), len(model.services)) == (2, 2, 1)
    assert all(path.read_text(encoding="utf-8").startswith("# ") for path in paths)


@pytest.mark.parametrize("name", ["", "New City", "新城", "-a", "a/b", "..", "x" * 41, "a\n"])
def test_a_bad_name_is_refused_with_the_right_form(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        init_hub(tmp_path / "hub", name)
    assert [(item.code, bool(item.hint)) for item in caught.value.diagnostics] == [("INI001", True)]
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize("title", ["x" * 81, "two\nlines", "\x07", "   "])
def test_a_title_that_cannot_be_shown_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        init_hub(tmp_path / "hub", "newcity", title_zh=title)
    assert caught.value.diagnostics[0].code == "INI002"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(InvalidInput) as caught:
            init_hub(folder, "newcity")
        assert caught.value.diagnostics[0].code == "INI003"
        assert caught.value.diagnostics[0].hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_fresh_git_checkout_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert len(init_hub(tmp_path, "newcity")) == 7


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        init_hub(tmp_path / "file" / "hub", "newcity")
    assert caught.value.diagnostics[0].code in ("INI003", "INI004")
