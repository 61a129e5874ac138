"""What alerts say, in both languages, and where their runbook stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

FILE = Path(__file__).with_name("texts.yaml")
RUNBOOKS = {"en": "docs/guide/capacity-runbook.md", "zh": "docs/guide.zh-CN/capacity-runbook.md"}
"""Where the runbook stands in the project; sites that publish it give their own address."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language."""

    language: str = "en"
    runbook: str = ""
    """Address of the page; each alert has a heading of its name there."""

    def annotations(self, alert: str) -> dict[str, str]:
        """Summary, description and runbook of an alert, with Prometheus' templates in them.

        Raises:
            KeyError: the alert has no texts.
        """
        summary, description = catalogue()[alert][self.language]
        page = self.runbook or RUNBOOKS[self.language]
        return {"summary": summary, "description": description, "runbook_url": f"{page}#{alert.lower()}"}


@cache
def catalogue() -> dict[str, dict[str, list[str]]]:
    """Summary and description by alert and language."""
    loaded = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
    return dict(loaded)
