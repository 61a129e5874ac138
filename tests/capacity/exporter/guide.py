"""The guide's page of metrics, taken apart: what stands there is what the tests run."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {language: DOCS / language / "capacity-metrics.md" for language in ("guide", "guide.zh-CN")}


def blocks(language: str, kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGES[language].read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def scrape_config(address: str) -> str:
    """The configuration that scrapes halls, quicker than one would."""
    text = blocks("guide", "yaml")[0]
    return _put(_put(text, "http://127.0.0.1:9840", address), "scrape_interval: 30s", "scrape_interval: 1s")


def federation_config(address: str) -> str:
    """The configuration that takes roll-ups from another Prometheus."""
    text = _put(blocks("guide", "yaml")[1], "prometheus.yichang.example:9090", address.removeprefix("http://"))
    return f"global: {{scrape_interval: 1s}}\n{text}"


def queries() -> list[str]:
    """The example queries, comments left out."""
    lines = "".join(blocks("guide", "promql")).splitlines()
    return [line for line in lines if not line.startswith("#")]


def _put(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)
