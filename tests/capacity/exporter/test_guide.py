"""The guide tells every family with its labels, in both languages, and nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from capacity.exporter.guide import PAGES, blocks, queries
from capacity.exporter.serving import needs_prometheus
from govhub.monitoring.metrics.catalogue import FAMILIES

_ROW = re.compile(r"^\| `(govhub_[a-z_]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


@pytest.mark.parametrize("language", PAGES)
def test_the_table_is_the_catalogue(language: str) -> None:
    rows = _ROW.findall(PAGES[language].read_text(encoding="utf-8"))
    assert [name for name, _, _ in rows] == list(FAMILIES)
    for name, labels, meaning in rows:
        assert tuple(re.findall(r"`([a-z_]+)`", labels)) == FAMILIES[name].labels, name
        assert meaning
        if language == "guide":
            assert f"{meaning}." == FAMILIES[name].help


def test_families_are_named_as_prometheus_names_them() -> None:
    for name, family in FAMILIES.items():
        assert re.fullmatch(r"govhub_[a-z]+(_[a-z]+)+", name)
        assert re.fullmatch(r"[A-Z][^\"\\\n]*\.", family.help)
        assert not name.endswith(("_total", "_sum", "_count", "_bucket"))
        assert not {"hub", "job", "instance", "le", "quantile"} & set(family.labels) or name.startswith(
            "govhub_forecast"
        )


def test_examples_are_the_same_in_both_languages() -> None:
    for kind in ("yaml", "promql", "sh"):
        english, chinese = ([_bare(text) for text in blocks(language, kind)] for language in PAGES)
        assert english == chinese
        assert english
    assert len(queries()) == 5


@needs_prometheus
@pytest.mark.parametrize("number", [0, 1])
def test_configurations_are_taken_by_promtool(tmp_path: Path, number: int) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(blocks("guide", "yaml")[number], encoding="utf-8")
    command = ["promtool", "check", "config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def _bare(text: str) -> list[str]:
    """Lines without their comments."""
    return [line.partition(" #")[0].rstrip() for line in text.splitlines() if not line.startswith("#")]
