"""``migrate plan`` on the command line, with real small hubs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.samples import matches
from migration.waves.hubs import write_hub

SYSTEMS: dict[str, dict[str, Any]] = {
    "payments": {"tenant": "finance", "tier": 1, "size": 120, "effort": 4},
    "budget": {
        "tenant": "finance",
        "tier": 2,
        "size": 40,
        "depends_on": [{"system": "payments", "kind": "server", "strong": True}],
    },
    "permits": {"tenant": "water", "depends_on": [{"system": "budget", "kind": "call"}], "size": None},
    "gauges": {"tenant": "water", "busy": [{"first": "06-01", "last": "09-30", "reason": "flood season"}]},
    "old-forum": {"tenant": "water", "strategy": "retire"},
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(tmp_path / "hubs"))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-01")
    monkeypatch.chdir(tmp_path)
    write_hub(tmp_path / "hubs" / "synthetic", SYSTEMS)
    return "synthetic"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plan_for_people(hub: str, govhub: Any, language: str) -> None:
    code, out, err = govhub("migrate", "plan", hub, "--lang", language)
    assert (code, err) == (0, "")
    assert matches(f"migrate-plan.{language}.txt", out)


def test_a_plan_for_programs_and_its_files(hub: str, govhub: Any, tmp_path: Path) -> None:
    out_file, picture = tmp_path / "waves.yaml", tmp_path / "waves.svg"
    code, out, _ = govhub("migrate", "plan", hub, "--json", "--out", str(out_file), "--gantt", str(picture))
    assert code == 0
    document = json.loads(out)
    assert document["schema"] == "govhub.waves/1"
    assert document["summary"]["systems"] == 4
    assert [item["system"] for item in document["retire"]] == ["old-forum"]
    assert matches("migrate-plan.yaml", out_file.read_text(encoding="utf-8").replace(document["inputs"], "0" * 64))
    root = ElementTree.parse(picture).getroot()
    assert root.tag.endswith("svg")
    assert len(root.findall(".//{*}polygon")) == 4 + 1, "one a system, and one in the legend"


def test_an_edited_plan_is_checked_with_file_and_line(hub: str, govhub: Any, tmp_path: Path) -> None:
    path = tmp_path / "waves.yaml"
    assert govhub("migrate", "plan", hub, "--out", str(path))[0] == 0
    code, out, _ = govhub("migrate", "plan", hub, "--check", str(path))
    assert code == 0
    assert "waves.yaml: keeps every rule" in out
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line for line in text.splitlines() if "gauges" not in line), encoding="utf-8")
    code, out, _ = govhub("migrate", "plan", hub, "--check", str(path))
    assert code == 4
    assert 'error[WAV004] waves.yaml:1:1: "gauges" is in no wave' in out
    path.write_text("waves: [", encoding="utf-8")
    assert govhub("migrate", "plan", hub, "--check", str(path))[0] == 3
    assert govhub("migrate", "plan", hub, "--check", str(tmp_path / "none.yaml"))[0] == 3


def test_no_plan_names_the_rules_that_conflict(govhub: Any, hub: str, tmp_path: Path) -> None:
    systems = SYSTEMS | {"payments": SYSTEMS["payments"] | {"effort": 11}}
    write_hub(tmp_path / "hubs" / "tight", systems)
    code, _, err = govhub("migrate", "plan", "tight")
    assert code == 4
    assert matches("migrate-plan-conflict.txt", err)
    code, _, err = govhub("migrate", "plan", "tight", "--greedy")
    assert code == 1
    assert "WAV022" in err


def test_what_if_shows_the_difference(hub: str, govhub: Any) -> None:
    code, out, _ = govhub("migrate", "plan", hub, "--what-if", "per-wave=1", "--what-if", "waves=+4", "--json")
    # Budget and payments move together, so one system a wave is not possible.
    assert code == 4
    code, out, _ = govhub("migrate", "plan", hub, "--what-if", "teams=+1", "--what-if", "per-wave=4", "--json")
    assert code == 0
    found = json.loads(out)["what_if"]
    assert found["now"]["waves"] > found["then"]["waves"] == 1
    assert found["earlier"] > 0
    code, out, _ = govhub("migrate", "plan", hub, "--what-if", "teams=+1")
    assert "What if: teams=+1" in out


@pytest.mark.parametrize("change", ["team=+1", "teams", "teams=many", "teams=-9", "first-wave=soon", "per-wave=0"])
def test_a_what_if_that_makes_no_sense_is_refused(hub: str, govhub: Any, change: str) -> None:
    code, _, err = govhub("migrate", "plan", hub, "--what-if", change)
    assert code == 64
    assert "WAV032" in err


def test_what_if_may_be_what_makes_a_plan_possible(govhub: Any, hub: str, tmp_path: Path) -> None:
    systems = SYSTEMS | {"payments": SYSTEMS["payments"] | {"effort": 11}}
    write_hub(tmp_path / "hubs" / "tight", systems)
    code, out, _ = govhub("migrate", "plan", "tight", "--what-if", "teams=+1")
    assert code == 0
    assert "As it is, there is no plan" in out


def test_measured_sizes_are_read_from_a_file(hub: str, govhub: Any, tmp_path: Path) -> None:
    path = tmp_path / "sizes.yaml"
    path.write_text("permits: 12Gi\nbudget/db: 41Gi\n", encoding="utf-8")
    document = json.loads(govhub("migrate", "plan", hub, "--json", "--sizes", str(path))[1])
    assert document["summary"]["coverage"]["sizes_known"] == 4
    path.write_text("permits: plenty\n", encoding="utf-8")
    code, _, err = govhub("migrate", "plan", hub, "--sizes", str(path))
    assert code == 3
    assert "error[WAV033] sizes.yaml:1:1" in err
