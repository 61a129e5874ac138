"""A real Prometheus finds the halls through /sd, scrapes them, and has the values of the pages."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from capacity.exporter.guide import federation_config, queries, scrape_config
from capacity.exporter.serving import Prometheus, needs_prometheus, prometheus, served, two_sites, wait_for

Key = tuple[str, tuple[tuple[str, str], ...]]

OWN = ("govhub_exporter_render", "govhub_exporter_series")
# Lines are contracted and ports are made in bits.
ACCEPTED = {'govhub_link_capacity_bits_per_second use base unit "bytes" instead of "bits"'}


def samples_of(text: str) -> dict[Key, float]:
    """Values by name and labels; Prometheus drops labels that are empty."""
    return {
        (sample.name, tuple(sorted((key, value) for key, value in sample.labels.items() if value))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.startswith(OWN)
    }


def scraped(server: Prometheus, hub: str) -> dict[Key, float]:
    found = {}
    for item in server.ask('{__name__=~"govhub_.*"}'):
        labels = dict(item["metric"])
        name = labels.pop("__name__")
        assert labels.pop("hub") == hub
        assert labels.pop("job") == "govhub-capacity"
        labels.pop("instance")
        if not name.startswith(OWN):
            key = (name, tuple(sorted(labels.items())))
            assert key not in found, f"{key} came twice"
            found[key] = float(item["value"][1])
    return found


def compared(folder: Path, hub: str | Path, name: str, halls: int) -> int:
    """Let Prometheus scrape a hub, and compare; returns how many samples there are."""
    with served(hub) as exporter:
        everything = exporter.get("/metrics").text
        with prometheus(folder / "prometheus", scrape_config(exporter.address)) as server:
            wait_for(lambda: len(server.ask("up == 1")) == halls + 1, "all targets are up", server.log)
            targets = server.targets()
            found = scraped(server, name)
            answers = {query: len(server.ask(query)) for query in queries()}
            federated(folder / "region", server)
            log = server.log.read_text()
    assert {target["health"] for target in targets} == {"up"}
    assert len({(target["labels"].get("site"), target["labels"].get("hall")) for target in targets}) == halls + 1
    expected = samples_of(everything)
    assert not any(math.isnan(value) for value in expected.values())
    assert found == expected
    assert not any(label.startswith("exported_") for _, labels in found for label, _ in labels)
    assert all(count for query, count in answers.items() if " > " not in query), answers
    # Warnings would be of samples that came twice, in the wrong order, or whose labels were renamed.
    assert log == ""
    return len(expected)


def federated(folder: Path, hub: Prometheus) -> None:
    """Let another Prometheus take the roll-ups of the first one."""
    wanted = "govhub_hall_servers_room"
    with prometheus(folder, federation_config(hub.address)) as region:
        wait_for(lambda: bool(region.ask(wanted)), "the region has the halls", region.log)
        theirs, ours = (
            {
                (item["metric"]["site"], item["metric"]["hall"], item["metric"]["hub"]): item["value"][1]
                for item in found
            }
            for found in (region.ask(wanted), hub.ask(f'{wanted}{{resource="binding"}}'))
        )
        assert theirs == ours
        assert region.ask("govhub_exporter_hub_valid")[0]["value"][1] == "1"
        assert not region.ask("govhub_rack_units")
        assert region.log.read_text() == ""


@needs_prometheus
def test_prometheus_scrapes_what_the_pages_say(tmp_path: Path) -> None:
    assert compared(tmp_path, two_sites(tmp_path).path, "testcity", 3) > 500


@needs_prometheus
@pytest.mark.slow
def test_prometheus_scrapes_10800_racks(tmp_path: Path) -> None:
    assert compared(tmp_path, "yichang", "yichang", 10) > 165_000


@needs_prometheus
def test_promtool_finds_nothing_but_units_that_were_agreed_on(tmp_path: Path) -> None:
    with served(two_sites(tmp_path).path) as exporter:
        page = exporter.get("/metrics").text
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=False, timeout=60)
    assert set((done.stdout + done.stderr).split("\n")) - {""} == ACCEPTED
