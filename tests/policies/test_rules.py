"""Every rule, as data: change X of the good objects, expect rule R and no other, or nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.inventory.loader import Hub
from govhub.stacks.policies import RULES, Level, evaluate
from policies.objects import GOOD, HERE, graph, hub

CASES: dict[str, dict[str, list[dict[str, Any]]]] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
TODAY = date(2026, 1, 15)


def flat(side: str) -> list[Any]:
    return [
        pytest.param(rule, case, id=f"{rule}-{number}")
        for rule, sides in CASES.items()
        for number, case in enumerate(sides[side], 1)
    ]


def run(case: dict[str, Any], folder: Path) -> list[Diagnostic]:
    exceptions = [{**entry, "until": str(entry["until"])} for entry in case.get("exceptions", [])]
    changes = {key: value for key, value in case.items() if key in GOOD}
    assert set(case) <= {*GOOD, "exceptions", "policies", "says"}
    return evaluate(hub(folder, policies=case.get("policies"), exceptions=exceptions), graph(changes), TODAY)


def test_good_objects_break_no_rule(hub: Hub) -> None:
    assert evaluate(hub, graph(), TODAY) == []


@pytest.mark.parametrize(("rule", "case"), flat("fails"))
def test_a_mistake_is_found_by_its_rule_and_by_no_other(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    found = run(case, tmp_path / "testcity")

    assert {item.code for item in found} == {f"POL-{rule}"}, [(item.code, item.detail) for item in found]
    level = case.get("policies", {}).get(rule, RULES[rule].level)
    assert {item.severity for item in found} == {Severity.ERROR if level == "mandatory" else Severity.WARNING}
    assert case.get("says", "") in found[0].detail
    assert all(item.summary and item.detail and item.address and item.source for item in found)
    assert {item.hint for item in found} == {RULES[rule].remedy}


@pytest.mark.parametrize(("rule", "case"), flat("passes"))
def test_what_comes_close_to_a_mistake_is_left_alone(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    assert [(item.code, item.detail) for item in run(case, tmp_path / "testcity")] == []


def test_every_rule_has_cases_of_both_sides_and_a_way_out() -> None:
    assert len(RULES) >= 20
    assert set(CASES) == set(RULES)
    assert all(sides["fails"] and sides["passes"] for sides in CASES.values())
    assert all(rule.summary and rule.remedy and rule.why for rule in RULES.values())
    assert all(rule.name == name and rule.code == f"POL-{name}" for name, rule in RULES.items())


def test_rules_are_told_in_one_voice() -> None:
    for rule in RULES.values():
        assert not rule.summary.endswith("."), rule.name
        assert not rule.remedy.endswith("."), rule.name


def test_a_finding_names_the_object_its_place_in_the_files_and_all_that_is_wrong_with_it(hub: Hub) -> None:
    bare = {"pod initContainers 0 image": "nginx", "container image": "nginx"}

    found = evaluate(hub, graph({"deployment": bare}), TODAY)

    item = next(item for item in found if item.code == "POL-image-tag-pinned")
    assert item.summary == "Deployment/finance-prod/tax-web: the image has no version"
    assert item.detail == '"nginx" has no tag'
    assert item.address == "main/systems/Deployment/finance-prod/tax-web"
    assert str(item.source) == f"testcity/systems.yaml:{list(GOOD).index('deployment') + 1}:1"


def test_a_secret_in_the_environment_is_named_but_its_value_not_repeated(hub: Hub) -> None:
    leak = {"container env": [{"name": "DB_PASSWORD", "value": "hunter2-very-secret"}]}

    found = evaluate(hub, graph({"deployment": leak}), TODAY)

    assert "DB_PASSWORD" in str(found)
    assert "hunter2" not in str(found)


def test_objects_with_empty_parts_are_findings_and_not_crashes(hub: Hub) -> None:
    empties: list[Any] = [None, {}, []]
    for emptiness in empties:
        changes: dict[str, Any] = {key: {"spec": emptiness} for key in GOOD}
        changes |= {"role": {"rules": emptiness}, "binding": {"subjects": emptiness, "roleRef": emptiness}}

        assert evaluate(hub, graph(changes), TODAY)


def test_most_rules_stop_and_only_opt_in_rules_are_off() -> None:
    off = {name for name, rule in RULES.items() if rule.level is Level.DISABLED}

    assert off == {"production-read-only"}
