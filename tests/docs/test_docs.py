"""The documentation follows the code: diagnostic codes, policy levels, events, links and reasons for dependencies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from govhub.stacks.policies import RULES

ROOT = Path(__file__).parents[2]
LAYERS = ("inventories", "stacks", "lab", "playbooks", "monitoring", "cli")
NO_CODES = {"SHA256"}
MARKDOWN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LITERAL = re.compile(r"""["']([A-Z]{3,4}[0-9]{3})["']""")
_ROW = re.compile(r"^\| `([A-Z]{3,4}[0-9]{3}|POL-[a-z0-9-]+)` \|", re.MULTILINE)
_EVENT = re.compile(r"""(?:(?:events|log)\.emit|_append|record\.append)\(\s*["']([a-z-]+)["']""")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def _sources() -> Iterator[str]:
    for layer in LAYERS:
        for path in (ROOT / layer / "govhub").rglob("*.py"):
            yield path.read_text(encoding="utf-8")


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _package(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]


def _anchors(text: str) -> set[str]:
    """The anchors that code hosts make of headings."""
    titles = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_every_diagnostic_code_is_documented_and_every_documented_one_exists() -> None:
    in_code = {code for text in _sources() for code in _LITERAL.findall(text)} - NO_CODES
    in_code |= {rule.code for rule in RULES.values()}
    documented = _ROW.findall(_read("docs/diagnostics.md"))
    assert sorted(documented) == sorted(set(documented)), "a code has two rows"
    assert in_code - set(documented) == set(), "add these to docs/diagnostics.md"
    assert set(documented) - in_code == set(), "no code says these any more"


def test_policy_levels_are_documented_as_they_are() -> None:
    text = _read("docs/diagnostics.md")
    wrong = [rule.name for rule in RULES.values() if f"| `{rule.code}` | {rule.level.value} |" not in text]
    assert wrong == []


def test_every_event_kind_is_documented_and_every_documented_one_exists() -> None:
    emitted = {kind for text in _sources() for kind in _EVENT.findall(text)}
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", _read("docs/events.md"), re.MULTILINE))
    assert emitted == documented


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        known = _anchors(target.read_text(encoding="utf-8")) if anchor and target.suffix == ".md" else {anchor}
        if not target.exists() or (anchor and anchor not in known):
            broken.append(link)
    assert broken == []


def test_every_page_of_the_guide_is_there_in_both_languages() -> None:
    english, chinese = (
        {path.name for path in (ROOT / "docs" / folder).glob("*.md")} for folder in ("guide", "guide.zh-CN")
    )
    assert english == chinese


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads(_read("pyproject.toml"))
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for extra in project["project"].get("optional-dependencies", {}).values():
        named += extra
    modules = [path.parent.name for path in (ROOT / "lab" / "toolchain").glob("*/go.mod")]
    wanted = {_package(item) for item in named if isinstance(item, str)} | set(modules)
    reasoned = set(re.findall(r"^\| `([^`]+)` \|", _read("CONTRIBUTING.md"), re.MULTILINE))
    assert wanted - reasoned == set(), "add a line of reason to CONTRIBUTING.md"
    assert reasoned - wanted == set(), "no longer a dependency"
