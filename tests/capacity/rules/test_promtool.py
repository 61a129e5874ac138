"""Every generated rule has unit tests that the real promtool passes, and that notice when the rule is gone or wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity.rules.tools import all_files, hub_scope, lay, run
from govhub.monitoring.rules.alerting import alerts_of
from govhub.monitoring.rules.contract import FAMILIES
from govhub.monitoring.rules.files import alert_files
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.recording import recordings
from govhub.monitoring.rules.texts import Texts, catalogue

SCOPE = hub_scope("huating")
FILES = all_files(SCOPE)
TESTS = sorted(path for path in FILES if path.startswith("tests/"))
ALERTS = [alert for group in alerts_of(SCOPE).values() for alert in group]
RECORDS = [rule for group in recordings(SCOPE).values() for rule in group]
QUICK = ("cooling.yml", "growth.yml", "recording-network.yml", "recording-p95.yml")
CASES = ("not yet", "now", "missing data", "duplicate series")
_FAILED = re.compile(r"^    name: (.+),$", re.MULTILINE)


def documents(prefix: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for path, text in FILES.items() if path.startswith(prefix)]


def test_all_rules_are_read_and_pass_their_unit_tests(tmp_path: Path) -> None:
    folder = lay(tmp_path, FILES)

    code, out = run("promtool", "check", "rules", *sorted((folder / "rules").glob("*.yml")))
    assert code == 0, out
    code, out = run("promtool", "test", "rules", *sorted((folder / "tests").glob("*.yml")))
    assert code == 0, out
    assert out.count("SUCCESS") == len(TESTS) == 15


def test_every_rule_is_tested_not_yet_now_with_missing_data_and_with_duplicates() -> None:
    told: dict[str, set[str]] = {}
    for document in documents("tests/"):
        for test in document["tests"]:
            name, _, case = test["name"].rpartition(": ")
            told.setdefault(name, set()).add(case.partition(",")[0])
    rules = [rule for document in documents("rules/") for rule in document["groups"][0]["rules"]]
    names = {rule.get("alert") or rule["record"] for rule in rules}

    assert names == set(told)
    about_absence = {alert.name for alert in ALERTS if alert.absence}
    for name, cases in told.items():
        # An alert about missing data has that case as its "now"; the watchdog reads nothing and always fires.
        wanted = set(CASES) - ({"missing data"} if name in about_absence else set())
        assert cases == ({"now"} if name == "GovhubWatchdog" else wanted), name


def test_every_alert_says_who_acts_how_soon_and_what_to_do_in_both_languages() -> None:
    names = {alert.name for alert in ALERTS}
    assert names == set(catalogue())
    for texts in catalogue().values():
        (english, advice), (chinese, rat) = texts["en"], texts["zh"]
        placeholders = re.compile(r"\$labels\.\w+|\$value")
        assert sorted(placeholders.findall(english)) == sorted(placeholders.findall(chinese))
        assert advice
        assert rat
        assert re.search(r"[\u4e00-\u9fff]", chinese)
    for document in documents("rules/"):
        for rule in document["groups"][0]["rules"]:
            if "alert" in rule:
                assert {"hub", "severity", "owner"} <= rule["labels"].keys()
                assert rule["annotations"]["runbook_url"].endswith(f"#{rule['alert'].lower()}")
                assert rule["labels"]["severity"] != "critical" or "for" in rule


@pytest.mark.parametrize("folder", ["guide", "guide.zh-CN"])
def test_the_runbook_has_a_heading_for_every_alert_and_for_nothing_else(folder: str) -> None:
    page = Path(__file__).parents[3] / "docs" / folder / "capacity-runbook.md"
    found = re.findall(r"^### (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(found) == sorted({alert.name for alert in ALERTS})


def test_rules_name_only_metrics_that_are_promised_or_recorded() -> None:
    recorded = {rule.record for rule in RECORDS}
    names = re.compile(r"(?<![\w:\"])((?:\w+:)?(?:govhub|prometheus)_\w+(?::\w+)?|up|scrape_\w+)(?=\{)")
    for expr in [rule.expr for rule in RECORDS] + [alert.expr for alert in ALERTS]:
        assert set(names.findall(expr)) <= set(FAMILIES) | recorded, expr
    assert {alert.softer for alert in ALERTS} - {""} <= {alert.name for alert in ALERTS}


# What these read is recorded, and so there once.
SINGLE = {alert.name for alert in ALERTS if all(":" in item.metric for item in (*alert.fires, *alert.quiet))}
SINGLE |= {rule.record for rule in RECORDS if all(":" in item.metric for item in rule.given)}
# Its raw input only says which of the recorded series are meant.
SINGLE |= {"element:govhub_feeds:level0"}


def gone(rule: dict[str, Any]) -> None:
    rule["expr"] = f"({rule['expr']}) and on () (vector(0) > 1)"


def at_once(rule: dict[str, Any]) -> None:
    if rule.get("for", "1m") != "1m":
        del rule["for"]


def at_any_level(rule: dict[str, Any]) -> None:
    tail = re.search(r"(>=?|<=?) -?[0-9.]+$", rule["expr"])
    if "alert" in rule and tail:
        rule["expr"] = rule["expr"][: tail.start()] + (">" if ">" in tail[1] else "<") + "= -Inf or vector(1)"


def not_aggregated(rule: dict[str, Any]) -> None:
    rule["expr"] = re.sub(r"\b(max|min|sum|count) by \(", r"\1 by (instance, replica, ", rule["expr"])


MUTATIONS: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (gone, "now"),
    (at_once, "not yet, not for long enough"),
    (at_any_level, "not yet, below its level"),
    (not_aggregated, "duplicate series"),
]


@pytest.mark.parametrize(("break_it", "case"), MUTATIONS, ids=lambda item: getattr(item, "__name__", ""))
@pytest.mark.parametrize(
    "group",
    [pytest.param(path, marks=[] if path.endswith(QUICK) else [pytest.mark.slow]) for path in TESTS],
    ids=lambda path: path.removeprefix("tests/govhub-huating-"),
)
def test_a_broken_rule_fails_its_unit_test(
    tmp_path: Path, group: str, break_it: Callable[[dict[str, Any]], None], case: str
) -> None:
    """All rules of a group are broken at once, and each has to be found by its own test."""
    broken, failed = _after(tmp_path, group, break_it, None)

    # Where one rule cannot be evaluated promtool tells of no other one in that test: the rest is broken one by one.
    left = [name for name in broken if f"{name}: {case}" not in failed and name not in failed]
    for name in left:
        _after(tmp_path, group, break_it, name)


def _after(
    folder: Path, group: str, break_it: Callable[[dict[str, Any]], None], only: str | None
) -> tuple[list[str], set[str]]:
    """The rules of a group that were broken, and the tests that failed: all rules, or only one.

    Raises:
        AssertionError: no test failed although a rule was broken, or one did although none was.
    """
    source = group.replace("tests/", "rules/")
    document = yaml.safe_load(FILES[source])
    broken = []
    unaffected = SINGLE if break_it is not_aggregated else set()
    for rule in document["groups"][0]["rules"]:
        name = rule.get("alert") or rule["record"]
        before = dict(rule)
        if only in (None, name):
            break_it(rule)
        if rule != before and name not in unaffected:
            broken.append(name)
    lay(folder, {source: yaml.safe_dump(document), group: FILES[group]})
    code, out = run("promtool", "test", "rules", folder / group)
    assert (code != 0) == bool(broken), out
    return broken, set(_FAILED.findall(out)) | _unnamed(out)


def _unnamed(out: str) -> set[str]:
    """Recording rules whose tests failed, and rules that could not be evaluated: promtool tells no test's name."""
    return set(re.findall(r'^    (?:expr: "|rule: )([^",]+)', out, re.MULTILINE))


@pytest.mark.parametrize(
    "limits",
    [
        Limits(near=0.333, room=1, order_days=1),
        pytest.param(Limits(near=1.0, order_days=45), marks=pytest.mark.slow),
    ],
    ids=lambda item: f"near-{item.near}",
)
def test_unit_tests_follow_the_limits_that_were_chosen(tmp_path: Path, limits: Limits) -> None:
    files = alert_files(SCOPE, limits, Texts())
    wanted = [f"tests/govhub-huating-alerts-{name}.yml" for name in ("cooling", "forecast", "failover")]
    folder = lay(tmp_path, files)

    code, out = run("promtool", "test", "rules", *(folder / name for name in wanted))

    assert code == 0, out
    assert f"> {limits.near}" in files["rules/govhub-huating-alerts-compute.yml"]


@pytest.mark.parametrize("name", ["jinzhou", pytest.param("yichang", marks=pytest.mark.slow)])
def test_rules_of_larger_hubs_pass_in_chinese(tmp_path: Path, name: str) -> None:
    files = all_files(hub_scope(name), "zh")
    folder = lay(tmp_path, files)
    wanted = "*.yml" if name == "yichang" else "*-alerts-room.yml"

    code, out = run("promtool", "check", "rules", *sorted((folder / "rules").glob("*.yml")))
    assert code == 0, out
    code, out = run("promtool", "test", "rules", *sorted((folder / "tests").glob(wanted)))
    assert code == 0, out
    assert "机房" in files[f"rules/govhub-{name}-alerts-room.yml"]
