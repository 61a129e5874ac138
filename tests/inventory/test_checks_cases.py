"""Every diagnostic of the checks, as data: change X of the base hub, expect code Y at line Z with hint W."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from govhub.inventory import checks
from inventory.hubs import HERE, HubFolder

CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
SOURCES = [*Path(checks.__file__).parent.glob("*.py"), Path(checks.__file__).parents[1] / "topology.py"]
CODE = re.compile(r'"([A-Z]{3}\d{3})"')


def test_the_base_hub_has_no_problem(base: HubFolder) -> None:
    assert base.everything() == []


@pytest.mark.parametrize("more", sorted((HERE / "more").iterdir()), ids=lambda path: path.stem)
def test_what_cases_add_to_it_has_none_either(base: HubFolder, more: Path) -> None:
    shutil.copy(more, base.path)

    assert base.everything() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_mistake_is_found_at_its_line_with_a_way_out(base: HubFolder, case: dict[str, Any]) -> None:
    if more := case.get("with"):
        shutil.copy(HERE / "more" / more, base.path)
    for file, old, new in case["edit"]:
        base.edit(file, old, new)

    found = base.everything()

    assert {item.code for item in found} == {case["code"], *case.get("also", [])}, [item.summary for item in found]
    item = next(item for item in found if item.code == case["code"])
    assert item.severity == case.get("severity", "error")
    assert case["at"] in base.line(item)
    assert case.get("summary", "") in item.summary
    assert case.get("hint", "") in item.hint
    assert case.get("address", item.address) == item.address
    assert item.hint
    assert item.address


def test_every_code_of_the_checks_has_a_case() -> None:
    codes = {code for path in SOURCES for code in CODE.findall(path.read_text(encoding="utf-8"))}

    assert len(codes) > 40
    assert codes - {case["code"] for case in CASES} == set()
