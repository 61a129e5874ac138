"""Figures for Prometheus: right names and units, and nothing that is not known."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from govhub.cli.main import main
from govhub.cli.views.metrics import exposition
from govhub.migration.movers.protocol import Lag, Progress
from govhub.ops.migration.figures import figures_of
from govhub.ops.migration.records import opened
from migration.city import SYSTEM, City

Samples = dict[tuple[str, ...], float]


def samples(text: str) -> Samples:
    """Values by name and the values of labels, in the order of the labels' names."""
    out: Samples = {}
    for family in text_string_to_metric_families(text):
        for item in family.samples:
            out[item.name, *(item.labels[key] for key in sorted(item.labels))] = item.value
    return out


def page(city: City, **more: Any) -> tuple[str, Samples]:
    text = exposition(figures_of(str(city.hub), clock=city.clock, **more))
    return text, samples(text)


def accepted_by_promtool(text: str) -> None:
    """Prometheus' own judgement on names, units and form, where it is installed."""
    if tool := shutil.which("promtool"):
        said = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (said.returncode, said.stdout + said.stderr) == (0, ""), said


def test_a_parked_run_shows_stage_state_age_and_bytes(city: City) -> None:
    city.run("migrate")
    city.clock.forward(hours=2)
    text, found = page(city)
    size = sum(path.stat().st_size for path in city.source.rglob("*") if path.is_file())
    assert found["govhub_migration_systems", "mini", "moved"] == 1
    assert found["govhub_migration_systems", "mini", "trial"] == 0
    key = ("mini", "migrate")
    assert found["govhub_migration_run_state", *key, "waiting", SYSTEM] == 1
    assert found["govhub_migration_run_state", *key, "failed", SYSTEM] == 0
    assert found["govhub_migration_phase_age_seconds", "mini", "WaitForCutoverApproval", SYSTEM] == 7200
    assert found["govhub_migration_copied_bytes", "mini", "papers", SYSTEM] == size > 0
    assert found["govhub_migration_size_bytes", "mini", "papers", SYSTEM] == size
    last = found["govhub_migration_last_event_timestamp_seconds", "mini", SYSTEM]
    assert last == city.clock.time.timestamp() - 7200
    accepted_by_promtool(text)


def test_what_is_not_known_is_absent_and_not_zero(city: City) -> None:
    text, found = page(city)
    assert found["govhub_migration_systems", "mini", "not-begun"] == 1
    about = [key for key in found if SYSTEM in key]
    assert about == []
    accepted_by_promtool(text)
    city.run("migrate")
    _, found = page(city)
    names = {key[0] for key in found if "papers" in key}
    # Folders are copied by passes: there is no replication that could lag, and no rate from one look.
    assert names == {
        "govhub_migration_copied_bytes",
        "govhub_migration_size_bytes",
        "govhub_migration_copy_remaining_seconds",
    }
    _, found = page(city, ask=False)
    assert not [key for key in found if "papers" in key]


def test_a_figure_that_a_server_did_not_tell_has_no_sample(city: City) -> None:
    found = figures_of(str(city.hub), clock=city.clock, ask=False)
    at = city.clock.time
    found.moves = {
        ("a", "db"): Progress(at=at, bytes_done=0, lag=Lag(bytes=None, seconds=None), rate=None),
        ("b", "db"): Progress(at=at, lag=Lag(bytes=0, seconds=0.25), rate=1e6, retained=16),
    }
    got = samples(exposition(found))
    assert got["govhub_migration_copied_bytes", "mini", "db", "a"] == 0
    assert ("govhub_migration_copied_bytes", "mini", "db", "b") not in got
    assert ("govhub_migration_replication_lag_bytes", "mini", "db", "a") not in got
    assert got["govhub_migration_replication_lag_bytes", "mini", "db", "b"] == 0
    assert got["govhub_migration_replication_lag_seconds", "mini", "db", "b"] == 0.25


def test_a_broken_record_is_at_no_stage(city: City) -> None:
    city.run("rehearse")
    with opened("mini") as record, record.database.transaction() as link:
        link.exec_driver_sql("UPDATE govhub_events SET kind = 'forged' WHERE seq = 4")
    _, found = page(city)
    assert found["govhub_migration_broken_records", "mini"] == 1
    assert sum(value for key, value in found.items() if key[0] == "govhub_migration_systems") == 0


def test_the_file_is_for_the_collector_and_the_words_for_people(
    city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "govhub.prom"
    assert main(["migrate", "metrics", str(city.hub), "--out", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert "# TYPE govhub_migration_systems gauge" in file.read_text()
    assert (file.stat().st_mode & 0o777) == 0o644
    assert main(["migrate", "metrics", str(city.hub)]) == 0
    assert samples(capsys.readouterr().out)["govhub_migration_systems", "mini", "not-begun"] == 1
