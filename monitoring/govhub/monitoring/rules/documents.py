"""Rules and their tests as YAML, grouped as Prometheus reads them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from govhub.monitoring.rules.spec import Alert, Recording
from govhub.monitoring.rules.texts import Texts


def as_yaml(document: Any, *remarks: str) -> str:
    """A document with remarks above; texts of several lines stay readable."""
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.allow_unicode = True
    out = io.StringIO()
    writer.dump(_literal(document), out)
    return "".join(f"# {remark}\n" for remark in remarks) + out.getvalue()


def recording_group(name: str, rules: Iterable[Recording], interval: str) -> dict[str, Any]:
    """A group of recording rules."""
    return {
        "name": name,
        "interval": interval,
        "rules": [{"record": rule.record, "expr": rule.expr} for rule in rules],
    }


def alert_group(name: str, alerts: Iterable[Alert], interval: str, hub: str, texts: Texts) -> dict[str, Any]:
    """A group of alerting rules."""
    return {"name": name, "interval": interval, "rules": [_alert(alert, hub, texts) for alert in alerts]}


def _alert(alert: Alert, hub: str, texts: Texts) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **({"for": f"{alert.hold}m"} if alert.hold else {}),
        "labels": {"hub": hub, "severity": alert.severity.value, "owner": alert.owner.value, **alert.fixed},
        "annotations": texts.annotations(alert.name),
    }


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_literal(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return value
