"""Generations are raised in place: one number changes, in whatever style a file is written, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.inventory.generations import raise_generations

HUB = "hub: {name: x}   # kept\n"
CASES = {
    "a number": ("baseline:\n  certificates: {generation: 7}  # why\n", "certificates: {generation: 8}  # why"),
    "a block": ("baseline:\n  certificates:\n    generation: 1\n", "    generation: 2\n"),
    "no certificates": (
        "baseline:\n  timezone: Asia/Shanghai\n",
        "baseline:\n  certificates: {generation: 2}\n  timezone",
    ),
    "one line": ("baseline: {journal_days: 200, login: x}\n", "200, certificates: {generation: 2}, login: x}"),
    "no baseline": ("", "baseline:\n  certificates: {generation: 2}\n"),
    "windows": ("baseline:\r\n  certificates: {generation: 1}\r\n", "certificates: {generation: 2}\r\n"),
}


def raised(folder: Path, text: str, *databases: str) -> str:
    (folder / "hub.yaml").write_text(HUB + text, encoding="utf-8", newline="")
    (edit,) = raise_generations(folder, certificates=not databases, databases=databases)
    assert edit.before == HUB + text
    assert edit.after.startswith(HUB)
    return edit.after


@pytest.mark.parametrize("name", CASES)
def test_the_certificates_generation(name: str, tmp_path: Path) -> None:
    text, expected = CASES[name]
    assert expected in raised(tmp_path, text)


def test_a_databases_generation_by_its_name_in_either_style(tmp_path: Path) -> None:
    text = (
        "databases:\n"
        "  - {name: one, engine: mariadb, hosts: [a]}\n"
        "  # the second\n"
        "  - name: two\n"
        "    engine: postgresql\n"
        "    hosts: [b]\n"
    )
    assert "  - {name: one, generation: 2, engine: mariadb, hosts: [a]}\n" in raised(tmp_path, text, "one")
    assert "  - name: two\n    generation: 2\n    engine: postgresql\n" in raised(tmp_path, text, "two")
    both = raised(tmp_path, text, "one", "two")
    assert both.count("generation: 2") == 2
    assert "  # the second\n" in both


def test_a_number_that_stands_for_two_things_is_not_raised_for_both(tmp_path: Path) -> None:
    text = "databases:\n  - &one {name: one, generation: 1}\n  - *one\n"
    with pytest.raises(InvalidInput) as refused:
        raised(tmp_path, text, "one")
    assert refused.value.diagnostics[0].code == "HST041"


def test_the_change_is_shown_as_a_diff(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(HUB + "baseline: {certificates: {generation: 1}}\n", encoding="utf-8")
    (edit,) = raise_generations(tmp_path, certificates=True, databases=())
    shown = edit.diff(tmp_path).splitlines()
    assert "-baseline: {certificates: {generation: 1}}" in shown
    assert "+baseline: {certificates: {generation: 2}}" in shown
