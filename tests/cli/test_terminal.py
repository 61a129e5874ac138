"""Languages, colour, width and encodings."""

from __future__ import annotations

import ast
import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

import govhub.cli.i18n as i18n_module
from cli import samples
from govhub.cli import i18n
from govhub.cli.terminal import Terminal
from govhub.cli.views.page import LIMIT, Page, code, prose
from govhub.cli.views.plan import show_plan
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.plan import Coverage, Plan
from govhub.monitoring import words

CODE = Path(i18n_module.__file__).parent
# The demo's figures and steps come from its use case and are looked up by their names.
MADE_UP = {"departments", "systems", "platform services", "toolchain", "lab", "validate", "plan", "up"}


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def coloured(monkeypatch: pytest.MonkeyPatch, *words: str, **environ: str) -> str:
    """A plan as a colour terminal gets it."""
    for name, value in ({"TERM": "xterm-256color"} | environ).items():
        monkeypatch.setenv(name, value)
    out = Tty()
    monkeypatch.setattr(sys, "stdout", out)
    show_plan(Terminal.of(words, {"TERM": "xterm-256color"} | environ).out, samples.plan())
    return out.getvalue()


def test_colour_only_adds_to_what_the_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    text = coloured(monkeypatch)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert plain != text
    assert "- delete  main/systems/Secret/health-test/old-login" in plain


@pytest.mark.parametrize(
    ("words", "environ"), [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--no-color",), {})], ids=str
)
def test_no_escape_sequences_where_none_are_wanted(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], environ: dict[str, str]
) -> None:
    assert "\x1b" not in coloured(monkeypatch, *words, **environ)


def test_no_escape_sequences_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    show_plan(Terminal().out, samples.plan())
    assert "\x1b" not in out.getvalue()


def test_an_encoding_without_our_characters_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    show_plan(Terminal().out, samples.big_plan(3))
    out.flush()
    assert b"\\u90e8" in raw.getvalue()


@pytest.mark.parametrize(
    ("environ", "flag", "language"),
    [
        ({}, None, "en"),
        ({"LANG": "zh_CN.UTF-8"}, None, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, None, "en"),
        ({"LANG": "zh_CN.UTF-8", "GOVHUB_LANG": "en"}, None, "en"),
        ({"GOVHUB_LANG": "zh"}, None, "zh"),
        ({"GOVHUB_LANG": "zh"}, "en", "en"),
        ({"LANG": "de_DE.UTF-8"}, None, "en"),
    ],
)
def test_flag_before_environment_before_locale(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], flag: str | None, language: str
) -> None:
    monkeypatch.delenv("LANG")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert i18n.chosen(flag) == language


def test_the_user_file_may_choose_the_language_and_may_be_damaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config" / "govhub" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('lang = "zh"\n')
    assert i18n.chosen(None) == "zh"
    assert i18n.chosen("en") == "en"
    file.write_text("lang = ")
    assert i18n.chosen(None) == "en"


def said(name: str) -> set[str]:
    """The first argument of every call of ``name`` in the command line's code."""
    calls = (
        node
        for path in CODE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    )
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}  # type: ignore[misc]


def translations(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {
            message.id if isinstance(message.id, str) else message.id[0]: message.string
            for message in read_po(file)
            if message.id
        }


def test_the_catalogue_is_complete_and_holds_nothing_else() -> None:
    catalogue = translations(i18n.CATALOGUE)
    # Words that the terminal shares with the pages stand behind it, and are not said twice.
    assert (said("tr") | said("trn") | MADE_UP) - set(translations(words.CATALOGUE)) == set(catalogue)
    for text, translation in catalogue.items():
        strings = [translation] if isinstance(translation, str) else list(translation or ())
        assert all(strings), text
        assert all(("{count}" in one) == ("{count}" in text) for one in strings)


def test_a_broken_catalogue_leaves_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(i18n, "CATALOGUE", tmp_path / "none.po")
    i18n.use("zh")
    assert i18n.tr("done") == "done"


def test_identifiers_and_diagnostics_stay_as_they_are(govhub: Any) -> None:
    assert "error[USE001] Missing command." in govhub("--lang", "zh")[2]


def test_the_page_never_exceeds_its_limit() -> None:
    """Everything at once: thousands of changes, findings and unpredicted objects, all with long names."""
    from govhub.cli.views.markdown import plan_page

    big = samples.big_plan(3000)
    findings = tuple(
        Diagnostic(code=f"POL-{index}", severity=Severity.ERROR, summary="長" * 400, hint="示" * 400)
        for index in range(3000)
    )
    coverage = Coverage(0, 3000, tuple(("a" * 300, "未" * 300) for _ in range(3000)))
    plan = Plan(
        hub="jinzhou",
        basis=big.basis,
        changes=(*samples.plan().changes, *big.changes),
        unchanged=0,
        findings=findings,
        coverage=coverage,
        selection=tuple(f"--tenant {'x' * 200}" for _ in range(500)),
    )
    page = plan_page(plan, "govhub").encode()
    assert len(page) <= LIMIT
    assert page.decode().count("more") >= 3


def test_a_marker_cannot_be_closed_from_inside() -> None:
    assert "-->" not in Page("plan x --><script>").text()[:-5]


def test_prose_and_code_in_tables() -> None:
    assert prose("a|b\n<c>") == r"a\|b &lt;c&gt;"
    assert code("a|`b`") == "`a\\|'b'`"
