"""Dashboards as Grafana's provisioning reads them."""

from __future__ import annotations

from govhub.monitoring.dashboards.boards import boards
from govhub.monitoring.rules.documents import as_yaml
from govhub.monitoring.rules.files import REMARK

PATH = "/var/lib/grafana/dashboards/govhub"


def dashboard_files(hub: str, language: str, path: str = PATH, prometheus: str = "") -> dict[str, str]:
    """The dashboards, and the files that make Grafana read them, by path.

    Args:
        hub: the hub that is shown first.
        language: ``en`` or ``zh``.
        path: the folder on Grafana's host where the dashboards will be.
        prometheus: address of Prometheus; without one no data source is written.
    """
    files = {f"dashboards/capacity-{name}.json": board.as_json() for name, board in boards(hub, language).items()}
    provider = {
        "name": "govhub-capacity",
        "folder": "govhub",
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": path},
    }
    files["provisioning/dashboards/govhub.yml"] = as_yaml({"apiVersion": 1, "providers": [provider]}, REMARK)
    if prometheus:
        source = {
            "name": "govhub Prometheus",
            "uid": "govhub-prometheus",
            "type": "prometheus",
            "access": "proxy",
            "url": prometheus,
            "jsonData": {"timeInterval": "1m"},
        }
        files["provisioning/datasources/govhub.yml"] = as_yaml({"apiVersion": 1, "datasources": [source]}, REMARK)
    return files
