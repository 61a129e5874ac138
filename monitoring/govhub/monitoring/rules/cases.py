"""Unit tests for promtool, made from the examples that every rule carries.

Of each rule: not yet (the level is not reached; it is, but not for long enough), now, missing data (each input away,
and all of them), and duplicate series (each input scraped twice).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from govhub.monitoring.rules.spec import Alert, Recording, Series
from govhub.monitoring.rules.texts import Texts

_TEMPLATE = re.compile(r"\{\{\s*\$(labels\.(\w+)|value)[^}]*\}\}")
_MARGIN = 3
"""Minutes: what builds upon other rules comes that much later at most."""


def recording_tests(rules: Iterable[Recording]) -> list[dict[str, Any]]:
    """The tests of recording rules."""
    return [test for rule in rules for test in _of_recording(rule)]


def alert_tests(alerts: Iterable[Alert], hub: str, texts: Texts, interval: int = 1) -> list[dict[str, Any]]:
    """The tests of alerting rules; rules are evaluated every ``interval`` minutes."""
    return [test for alert in alerts for test in _of_alert(alert, hub, texts, interval)]


def _of_recording(rule: Recording) -> list[dict[str, Any]]:
    now = _samples(rule, f"{rule.record}: now", rule.given, present=True)
    # Each input begins only after the minute that is asked about.
    late = [Series(item.metric, item.labels, f"_x{rule.at} {_values(item.values, 60)}") for item in rule.given]
    tests = [_samples(rule, f"{rule.record}: not yet", late, present=False, at=rule.at - 1), now]
    for name, left in _without(rule.given, rule.optional):
        tests.append(_samples(rule, f"{rule.record}: missing data, {name}", left, present=False))
    tests.append(_samples(rule, f"{rule.record}: duplicate series", _twice(rule.given), present=True))
    return tests


def _samples(rule: Recording, name: str, given: Iterable[Series], *, present: bool, at: int = 0) -> dict[str, Any]:
    expected = [{"labels": _series(rule.record, labels), "value": value} for labels, value in rule.gives]
    return {
        "name": name,
        "interval": "1m",
        "input_series": _inputs(given, rule.at + 60),
        "promql_expr_test": [
            {"expr": rule.record, "eval_time": f"{at or rule.at}m", **({"exp_samples": expected} if present else {})}
        ],
    }


def _of_alert(alert: Alert, hub: str, texts: Texts, interval: int) -> list[dict[str, Any]]:
    def test(case: str, given: Iterable[Series], at: int, *, firing: bool) -> dict[str, Any]:
        expected = {"exp_alerts": [_expected(alert, hub, texts)]} if firing else {}
        return {
            "name": f"{alert.name}: {case}",
            "interval": f"{interval}m",
            "input_series": _inputs(given, now + 60, interval),
            "alert_rule_test": [{"alertname": alert.name, "eval_time": f"{at}m", **expected}],
        }

    now = alert.since + alert.hold + _MARGIN * interval
    tests = []
    if alert.quiet:
        tests.append(test("not yet, below its level", alert.quiet, now, firing=False))
    if alert.hold > interval:
        soon = alert.since + alert.hold - interval
        tests.append(test("not yet, not for long enough", alert.fires, soon, firing=False))
    tests.append(test("now", alert.fires, now, firing=True))
    if not alert.fires and not alert.quiet:
        return tests
    if alert.absence:
        return [*tests, test("duplicate series", _twice(alert.quiet), now, firing=False)]
    for name, left in _without(alert.fires, alert.alive):
        tests.append(test(f"missing data, {name}", left, now, firing=False))
    for name in sorted(alert.alive):
        left = [item for item in alert.fires if item.metric != name]
        tests.append(test(f"missing data, {name}", left, now, firing=True))
    return [*tests, test("duplicate series", _twice(alert.fires), now, firing=True)]


def _expected(alert: Alert, hub: str, texts: Texts) -> dict[str, Any]:
    labels = {"hub": hub, "severity": alert.severity.value, "owner": alert.owner.value, **alert.labels}

    def filled(text: str) -> str:
        return _TEMPLATE.sub(lambda hit: labels.get(hit[2], "") if hit[2] else alert.shown, text)

    return {
        "exp_labels": labels,
        "exp_annotations": {name: filled(text) for name, text in texts.annotations(alert.name).items()},
    }


def _without(given: Iterable[Series], kept: frozenset[str]) -> list[tuple[str, list[Series]]]:
    """The inputs without each metric in turn, and without all; without one of ``kept`` the rule may still speak."""
    given = list(given)
    names = sorted({item.metric for item in given} - kept)
    found = [(name, [item for item in given if item.metric != name]) for name in names]
    return found if len(found) == 1 else [*found, ("all", [])]


def _twice(given: Iterable[Series]) -> list[Series]:
    """Each input as two scrapes of it leave it; what is recorded is there once, whatever it was made from."""
    found: list[Series] = []
    for item in given:
        label = "replica" if "instance" in item.labels else "instance"
        recorded = ":" in item.metric
        found += [item] if recorded else [item.with_labels(**{label: name}) for name in ("one:9100", "two:9100")]
    return found


def _inputs(given: Iterable[Series], minutes: int, interval: int = 1) -> list[dict[str, str]]:
    return [
        {"series": _series(item.metric, item.labels), "values": _values(item.values, minutes // interval + 1)}
        for item in given
    ]


def _values(values: str, count: int) -> str:
    return f"{values}+0x{count}" if re.fullmatch(r"-?[0-9.]+", values) else values


def _series(metric: str, labels: Mapping[str, str]) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{inner}}}" if inner else metric
