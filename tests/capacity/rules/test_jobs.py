"""Whoever scrapes ``serve`` calls the job the same: the guide, the examples, the lab, and the alerts about it."""

from __future__ import annotations

import pytest
import yaml

from capacity.exporter.guide import PAGES, blocks
from govhub.lab.meters.scraping import prometheus_config
from govhub.monitoring.rules.alerts.health import health_alerts
from govhub.monitoring.rules.contract import EXPORTER_JOB, FEDERATION_JOB
from govhub.monitoring.rules.scope import Scope
from govhub.monitoring.rules.scraping import federation_file, prometheus_file


def jobs(text: str) -> list[str]:
    return [item["job_name"] for item in yaml.safe_load(text)["scrape_configs"]]


@pytest.mark.parametrize("language", list(PAGES))
def test_the_job_of_serve_has_one_name(language: str) -> None:
    scope = Scope("testcity", (("jz", "h1"),), {}, {}, 1, {})
    serve, region = (jobs(text) for text in blocks(language, "yaml")[:2])
    shown = prometheus_file(scope, "http://127.0.0.1:9840", "127.0.0.1:9093")
    lab = prometheus_config("127.0.0.1:9116", 60, hub="testcity", serve="http://127.0.0.1:9840")

    assert serve == [EXPORTER_JOB]
    assert region == jobs(federation_file(scope, "127.0.0.1:9090")) == [FEDERATION_JOB]
    assert EXPORTER_JOB in jobs(shown)
    assert EXPORTER_JOB in jobs(lab)
    absent = next(alert for alert in health_alerts(scope.query) if alert.name == "GovhubExporterAbsent")
    assert f'job="{EXPORTER_JOB}"' in absent.expr


def test_everybody_keeps_the_places_of_the_samples() -> None:
    scope = Scope("testcity", (("jz", "h1"),), {}, {}, 1, {})
    texts = [
        blocks("guide", "yaml")[0],
        prometheus_file(scope, "http://127.0.0.1:9840", "127.0.0.1:9093"),
        prometheus_config("127.0.0.1:9116", 60, hub="testcity", serve="http://127.0.0.1:9840"),
    ]
    kept = [item for text in texts for item in yaml.safe_load(text)["scrape_configs"] if "http_sd_configs" in item]

    assert [item["honor_labels"] for item in kept] == [True, True, True]
