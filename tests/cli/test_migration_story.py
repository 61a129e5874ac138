"""The story of `demo migrate` as people read it; the story itself is told by tests on real hosts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from govhub.cli import i18n
from govhub.cli.terminal import Terminal
from govhub.cli.views.migration_story import show_step, show_story
from govhub.cli.views.view import view_of
from govhub.core.errors import ToolMissing
from govhub.ops.migration.demo.story import Told
from govhub.ops.migration.demo.telling import demo_migrate, document_of

STEPS = [
    Told(step="boot", seconds=5.04, facts={"hosts": "db1 (10.77.0.11)"}),
    Told(step="cutover", about="open-days", seconds=4.96, facts={"writes_lost": 0, "longest_gap_seconds": 0.9}),
]


def test_each_step_is_told_with_what_was_counted(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    for told in STEPS:
        show_step(view_of(terminal), told)
    said = capsys.readouterr().err
    assert "5.0 s  Cutover: open-days" in said
    assert "acknowledged writes that are lost: 0" in said


@pytest.mark.parametrize(("language", "title"), [("en", "Cutover: open-days"), ("zh", "割接: open-days")])
def test_all_steps_come_with_their_times_in_the_end(
    capsys: pytest.CaptureFixture[str], language: str, title: str
) -> None:
    i18n.use(language)
    try:
        show_story(Terminal().out, document_of(STEPS, Path("/tmp/dossiers")))
    finally:
        i18n.use("en")
    said = capsys.readouterr().out
    assert title in said
    assert "10.0" in said
    assert "/tmp/dossiers" in said


def test_who_is_not_root_is_told_so_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match="root"):
        demo_migrate(print, print)
    assert list(tmp_path.iterdir()) == []
