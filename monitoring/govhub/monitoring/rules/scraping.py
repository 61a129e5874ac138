"""Examples of Prometheus' configuration: what it scrapes, which rules it loads, and a region above several hubs."""

from __future__ import annotations

from typing import Any

from govhub.monitoring.rules.contract import EXPORTER_JOB, FEDERATION_JOB
from govhub.monitoring.rules.documents import as_yaml
from govhub.monitoring.rules.files import MARK
from govhub.monitoring.rules.scope import Scope

REMARK = f"{MARK} from the hub's files, as an example: fit the addresses, and keep it under another name."


def prometheus_file(scope: Scope, serve: str, alertmanager: str) -> str:
    """One hub's Prometheus: a target for each hall by http_sd, the rules beside this file, and Alertmanager.

    Args:
        scope: the hub.
        serve: address of ``govhub serve``, such as ``http://127.0.0.1:9840``.
        alertmanager: ``host:port``.
    """
    document = {
        "global": {"scrape_interval": "1m", "scrape_timeout": "10s", "evaluation_interval": "1m"},
        "rule_files": ["rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            {
                "job_name": EXPORTER_JOB,
                # Each target brings its path and the label `hub`; halls are scraped side by side.
                # Places are the samples' own; a target adds its hall to what says none.
                "honor_labels": True,
                "http_sd_configs": [{"url": f"{serve.rstrip('/')}/sd", "refresh_interval": "5m"}],
            },
            {"job_name": "prometheus", "static_configs": [{"targets": ["127.0.0.1:9090"]}]},
        ],
    }
    return as_yaml(document, REMARK, f"Hub {scope.hub}.")


def federation_file(scope: Scope, source: str) -> str:
    """The Prometheus of a region: sums of halls, sites and regions from each hub's, never single racks.

    Args:
        scope: the hub.
        source: ``host:port`` of the hub's Prometheus.
    """
    wanted = [
        f'{{__name__=~"(hall|site|region):govhub_.*", hub="{scope.hub}"}}',
        f'{{__name__=~"govhub_(hall|ledger|pool|forecast|exporter)_.*", hub="{scope.hub}"}}',
        f'ALERTS{{alertstate="firing", hub="{scope.hub}"}}',
    ]
    job: dict[str, Any] = {
        "job_name": FEDERATION_JOB,
        "metrics_path": "/federate",
        "honor_labels": True,
        "params": {"match[]": wanted},
        "static_configs": [{"targets": [source]}],
    }
    document = {"global": {"scrape_interval": "1m", "evaluation_interval": "1m"}, "scrape_configs": [job]}
    return as_yaml(document, REMARK, "Add one target for each hub of the region.")
