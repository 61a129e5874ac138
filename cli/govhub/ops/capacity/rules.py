"""``capacity rules``, ``alerts`` and ``dashboards``: Prometheus', Alertmanager's and Grafana's files of a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from govhub.core.errors import UsageError
from govhub.inventory.loader import Hub
from govhub.monitoring.columns import Columns
from govhub.monitoring.dashboards.files import dashboard_files
from govhub.monitoring.rules.files import alert_files, rule_files
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.routes import Delivery, alertmanager_file
from govhub.monitoring.rules.scope import scope_of
from govhub.monitoring.rules.scraping import federation_file, prometheus_file
from govhub.monitoring.rules.texts import Texts
from govhub.ops.capacity.generated import write_files
from govhub.ops.capacity.places import SCHEMA, columns_of

PROMETHEUS = "127.0.0.1:9090"


def rules(hub: str, out: Path, *, serve: str, alertmanager: str) -> dict[str, Any]:
    """Write recording rules with their tests, and examples of Prometheus' configuration.

    Raises:
        InvalidInput: the hub is not valid, or a foreign file is in the way.
        PolicyViolation: its quotas do not fit.
        UsageError: ``serve`` is no address.
    """
    _address(serve, "--serve")
    scope = scope_of(columns_of(hub))
    files = rule_files(scope)
    files["prometheus.example.yml"] = prometheus_file(scope, serve, alertmanager)
    files["federation.example.yml"] = federation_file(scope, PROMETHEUS)
    return _document(scope.hub, out, files)


def alerts(hub: str, out: Path, *, limits: Limits, texts: Texts, webhook: str = "") -> dict[str, Any]:
    """Write alerting rules with their tests, and Alertmanager's configuration.

    Raises:
        InvalidInput: the hub is not valid, or a foreign file is in the way.
        PolicyViolation: its quotas do not fit.
        UsageError: ``webhook`` is no address.
    """
    if webhook:
        _address(webhook, "--webhook")
    scope = scope_of(columns_of(hub))
    files = alert_files(scope, limits, texts)
    files["alertmanager.yml"] = alertmanager_file(scope, limits, Delivery(webhook=webhook))
    return _document(scope.hub, out, files)


def lab_files(hub: Hub, texts: Texts) -> dict[str, str]:
    """Rules for the Prometheus of the hub's lab, and the configuration of its Alertmanager, which tells nobody."""
    scope = scope_of(Columns(hub))
    files = {**rule_files(scope), **alert_files(scope, Limits(), texts)}
    rules = {f"rules/{Path(name).name}": text for name, text in files.items() if Path(name).parts[0] == "rules"}
    return rules | {"alertmanager.yml": alertmanager_file(scope, Limits(), Delivery())}


def dashboards(hub: str, out: Path, *, language: str, path: str, prometheus: str = "") -> dict[str, Any]:
    """Write Grafana's dashboards and its provisioning files; ``path`` is their folder on Grafana's host.

    Raises:
        InvalidInput: the hub is not valid, or a foreign file is in the way.
        PolicyViolation: its quotas do not fit.
        UsageError: ``prometheus`` is no address.
    """
    if prometheus:
        _address(prometheus, "--prometheus")
    name = columns_of(hub).hub.name
    return _document(name, out, dashboard_files(name, language, path, prometheus))


def _document(hub: str, out: Path, files: dict[str, str]) -> dict[str, Any]:
    return {"schema": SCHEMA, "hub": hub, "folder": str(out), "files": write_files(out, files)}


def _address(text: str, flag: str) -> None:
    try:
        found = urlsplit(text)
        fine = found.scheme in ("http", "https") and bool(found.hostname) and text.isascii() and text.isprintable()
        fine = fine and " " not in text and (found.port or 1) > 0
    except ValueError:
        fine = False
    if not fine:
        # The address may hold a token: it is not repeated.
        raise UsageError.one("RUL002", f"{flag} takes an address such as http://127.0.0.1:9840")
