"""Which alerts keep which others quiet, from the power and network tree: one trip is one page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from govhub.monitoring.rules.scope import Scope
from govhub.monitoring.rules.spec import Alert

LOST, SILENT = "GovhubPowerElementLost", "GovhubDeviceSilent"
BELOW = ("GovhubMeterSilent", "GovhubRackFeedDead")
"""What follows from a dead feed at each rack. Not among them: a feed or element that is over its limit now. That is
what a trip puts in danger, and is told."""
COVERAGE = ("GovhubMeterCoverageLow", "GovhubMetersMostlySilent")
PORTS = ("GovhubPortTrafficHigh", "GovhubPortSaturated")


def inhibitions(scope: Scope, alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """Alertmanager's ``inhibit_rules``; an alert that is itself kept quiet still keeps others quiet."""
    return [*_power(scope), *_network(scope), *_same_place(scope, alerts), *_watchers(scope)]


def _power(scope: Scope) -> list[dict[str, Any]]:
    hub = _is("hub", scope.hub)
    # Alerts of racks carry the element that their feed hangs on, so one rule serves all elements that feed racks.
    found = [_rule([_is("alertname", LOST), hub], [_among("alertname", BELOW), hub], "hub", "element")]
    for element, below in scope.below.items():
        target = [_among("alertname", (LOST, *BELOW)), hub, _among("element", below)]
        found.append(_rule([_is("alertname", LOST), hub, _is("element", element)], target, "hub"))
    for (site, hall), elements in scope.feeding.items():
        if elements:
            target = [_among("alertname", COVERAGE), hub, _is("site", site), _is("hall", hall)]
            found.append(_rule([_is("alertname", LOST), hub, _among("element", elements)], target, "hub"))
    return found


def _network(scope: Scope) -> list[dict[str, Any]]:
    hub = _is("hub", scope.hub)
    found = [_rule([_is("alertname", SILENT), hub], [_among("alertname", PORTS), hub], "hub", "site", "device")]
    for device, behind in scope.behind.items():
        target = [_among("alertname", (SILENT, *PORTS)), hub, _among("device", behind)]
        found.append(_rule([_is("alertname", SILENT), hub, _is("device", device)], target, "hub"))
    return found


def _same_place(scope: Scope, alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """The worse alert of a place silences the milder one about the same thing."""
    hub = _is("hub", scope.hub)
    known = {alert.name: alert for alert in alerts}
    found = []
    for alert in known.values():
        milder = alert.softer
        while milder:
            shared = sorted(set(alert.labels) & set(known[milder].labels))
            target = [_is("alertname", milder), hub]
            found.append(_rule([_is("alertname", alert.name), hub], target, "hub", *shared))
            milder = known[milder].softer
    return found


def _watchers(scope: Scope) -> list[dict[str, Any]]:
    hub = _is("hub", scope.hub)
    gone = ("GovhubExporterAbsent", "GovhubExporterDown")
    empty = ("GovhubHallMissing", "GovhubHallRoomUnknown", "GovhubSeriesDropped")
    silent = [_is("alertname", "GovhubMetersMostlySilent"), hub]
    return [
        _rule([_among("alertname", gone), hub], [_among("alertname", empty), hub], "hub"),
        _rule(silent, [_is("alertname", "GovhubMeterSilent"), hub], "hub", "site", "hall"),
        _rule(silent, [_is("alertname", "GovhubMeterTargetDown"), hub], "hub"),
    ]


def _rule(source: list[str], target: list[str], *equal: str) -> dict[str, Any]:
    return {"source_matchers": source, "target_matchers": target, "equal": list(equal)}


def _is(label: str, value: str) -> str:
    return f'{label}="{value}"'


def _among(label: str, values: Iterable[str]) -> str:
    # Alertmanager reads a matcher's value as a quoted string: what escapes a regular expression is escaped once more.
    found = "|".join(re.escape(value).replace("\\-", "-") for value in values)
    return f'{label}=~"{found}"'.replace("\\", "\\\\")
