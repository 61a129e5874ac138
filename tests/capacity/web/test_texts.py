"""Every text of the page is in the Chinese catalogue, and nothing else is."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from govhub.cli import i18n
from govhub.monitoring import words
from govhub.monitoring.web import texts
from govhub.monitoring.web.rendering import TEMPLATES

CODE = texts.CATALOGUE.parents[1]


def marked(files: Iterable[Path]) -> set[str]:
    """The arguments of ``tr`` and ``look`` in code."""
    found = {
        node.args[0].value
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("tr", "look")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    return {text for text in found if isinstance(text, str)}


def said() -> set[str]:
    """The texts of the page's code, and the arguments of ``_`` in templates."""
    found = marked(CODE.rglob("*.py"))
    environment = Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=True)
    for path in TEMPLATES.glob("*.html"):
        for call in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                found.add(str(call.args[0].value))
    return found


def translations(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def test_the_catalogue_is_complete_and_holds_nothing_else() -> None:
    catalogue, shared = translations(texts.CATALOGUE), translations(words.CATALOGUE)

    # What stands behind it is not said twice.
    assert said() - set(shared) - set(catalogue) == set()
    assert set(catalogue) - (said() - set(shared)) == set()
    assert all(catalogue.values())
    assert all(("{count}" in one) == ("{count}" in other) for one, other in catalogue.items())


def test_the_words_of_the_field_are_complete_and_the_same_on_the_terminal_and_on_pages() -> None:
    shared = translations(words.CATALOGUE)

    assert marked([Path(words.__file__)]) == set(shared)
    assert all(shared.values())
    i18n.use("zh")
    look = texts.catalogue("zh").gettext
    try:
        told = {text: {i18n.tr(text), look(text)} for text in shared}
    finally:
        i18n.use("en")
    assert told == {text: {translation} for text, translation in shared.items()}


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "language"),
    [
        (None, None, "", "en"),
        (None, None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, None, "de,en;q=0.5,zh;q=0.9", "zh"),
        (None, None, "en-GB,zh;q=0.3", "en"),
        (None, None, "fr", "en"),
        (None, None, "zh;q=nonsense,en;q=0.1", "en"),
        (None, "zh", "en", "zh"),
        ("en", "zh", "zh", "en"),
        ("../../x", "<script>", "zh", "zh"),
    ],
)
def test_the_query_before_the_cookie_before_what_the_browser_prefers(
    query: str | None, cookie: str | None, accepted: str, language: str
) -> None:
    assert texts.chosen(query, cookie, accepted) == language
