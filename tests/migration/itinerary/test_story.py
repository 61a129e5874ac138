"""A system's whole way with real files, from the first look to the retired source, by durable runs."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from govhub.migration.itinerary import folders
from migration.city import City


def test_a_system_is_rehearsed_migrated_accepted_and_its_source_retired(city: City) -> None:
    before = {str(path.relative_to(city.source)) for path in city.source.rglob("*") if path.is_file()}
    assert city.run("rehearse")["state"] == "done"
    assert not city.target.exists()

    parked = city.run("migrate")
    assert (parked["state"], parked["phase"]) == ("waiting", "WaitForCutoverApproval")
    assert city.live.resolve() == city.source.resolve()
    city.everybody_approves()
    trial = city.run()
    assert (trial["state"], trial["phase"]) == ("waiting", "WaitForTrialRun"), trial
    assert city.live.resolve() == city.target.resolve()
    assert set(city.files()) == before

    city.clock.forward(days=29)
    assert city.run()["phase"] == "WaitForTrialRun"
    city.clock.forward(days=2)
    assert city.run()["phase"] == "WaitForAcceptance"
    city.everybody_approves()
    assert city.run()["state"] == "done"

    assert city.run("retire")["phase"] == "WaitForRetirementApproval"
    assert city.source.exists()
    city.everybody_approves()
    assert city.run()["state"] == "done"
    assert not city.source.exists()
    assert set(city.files()) == before
    # What is through leaves nothing behind but its record.
    with closing(sqlite3.connect(Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "phases.db")) as link:
        assert link.execute("SELECT count(*) FROM workflow_status").fetchone() == (0,)


def test_a_rehearsal_that_is_cancelled_leaves_nothing_behind(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    (city.data / "new").mkdir()
    city.target.with_name("papers.rehearsal").write_text("in the way")
    assert city.run("rehearse")["state"] == "failed"
    city.target.with_name("papers.rehearsal").unlink()
    monkeypatch.setattr(folders, "_behind", lambda *_: 1 / 0)
    assert "ZeroDivisionError" in city.run()["reason"]
    assert city.target.with_name("papers.rehearsal").is_dir()
    assert city.run("cancel")["state"] == "done"
    assert not city.target.with_name("papers.rehearsal").exists()
