"""Every text of the page is in the Chinese catalogue, and nothing else is."""

from __future__ import annotations

import ast

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from govhub.monitoring.web import texts
from govhub.monitoring.web.rendering import TEMPLATES

CODE = texts.CATALOGUE.parents[1]


def said() -> set[str]:
    """The arguments of ``tr`` and ``look`` in code and of ``_`` in templates."""
    found = {
        node.args[0].value
        for path in CODE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("tr", "look")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    environment = Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=True)
    for path in TEMPLATES.glob("*.html"):
        for call in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                found.add(call.args[0].value)
    return {text for text in found if isinstance(text, str)}


def test_the_catalogue_is_complete_and_holds_nothing_else() -> None:
    with texts.CATALOGUE.open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if message.id}

    assert said() - set(catalogue) == set()
    assert set(catalogue) - said() == set()
    assert all(catalogue.values())
    assert all(("{count}" in str(one)) == ("{count}" in str(other)) for one, other in catalogue.items())


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
