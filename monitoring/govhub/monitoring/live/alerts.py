"""Alerts as Prometheus tells them, as plain rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from govhub.core.errors import GovhubError
from govhub.monitoring.prometheus import Prometheus

PLACES = (
    ("site", "hall", "row", "rack"),
    ("element",),
    ("tenant",),
    ("cluster", "pool"),
    ("link",),
    ("layer",),
    ("device", "port"),
)
"""Labels that name what an alert is about, the first that is there."""
SEVERITIES = ("critical", "warning", "info")
MOST = 5000


def read_alerts(client: Prometheus, hub: str) -> dict[str, Any]:
    """``state`` (``ok``, or ``down`` when Prometheus does not answer), ``alerts`` that are pending or firing.

    Alerts of another hub are left out; those that name none are shown. The severest come first, of these the oldest.
    """
    try:
        found = client.alerts()
    except GovhubError as error:
        first = error.diagnostics[0]
        return {"state": "down", "alerts": [], "problem": f"{first.code} {first.summary}"}
    rows = [row for item in found if (row := _row(item, hub))]
    rows.sort(key=lambda row: (row["state"] != "firing", _rank(row["severity"]), row["since"] or 0.0, row["name"]))
    return {"state": "ok", "alerts": rows[:MOST], "count": len(rows)}


def _row(item: Any, hub: str) -> dict[str, Any] | None:
    """One alert; None for one of another hub, or of no form that is known."""
    if not isinstance(item, Mapping):
        return None
    labels, notes = item.get("labels"), item.get("annotations")
    labels = labels if isinstance(labels, Mapping) else {}
    notes = notes if isinstance(notes, Mapping) else {}
    if labels.get("hub", hub) != hub or item.get("state") not in ("pending", "firing"):
        return None
    return {
        "name": str(labels.get("alertname", ""))[:200],
        "state": item["state"],
        "severity": str(labels.get("severity", ""))[:40],
        "place": _place(labels),
        "tenant": labels.get("tenant"),
        "since": _seconds(item.get("activeAt")),
        "summary": str(notes.get("summary", ""))[:1000],
        "description": str(notes.get("description", ""))[:4000],
        "runbook": _address(str(notes.get("runbook_url") or notes.get("runbook") or "")),
    }


def _place(labels: Mapping[str, Any]) -> str:
    for names in PLACES:
        told = [str(labels[name]) for name in names if labels.get(name)]
        if told:
            return "/".join(told)[:300]
    return ""


def _address(text: str) -> str:
    """Addresses of the web alone: a link must not run a script."""
    return text[:1000] if text.startswith(("https://", "http://")) else ""


def _seconds(text: Any) -> float | None:
    try:
        # Nanoseconds are more digits than Python reads.
        whole, _, rest = str(text).partition(".")
        zone = rest.lstrip("0123456789") or "Z"
        return datetime.fromisoformat(f"{whole.removesuffix('Z')}{zone.replace('Z', '+00:00')}").timestamp()
    except ValueError:
        return None


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
