"""What was measured and what was moved feeds planning and figures, without a file that somebody writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govhub.core.sections import Reading, Section
from govhub.core.settings import hub_home
from govhub.migration.portfolio.found import Folder, SourceFacts
from govhub.ops.load import valid_hub
from govhub.ops.migration.assessing import AssessRequest, assess_portfolio
from govhub.ops.migration.measured import has_record, measured_sizes
from govhub.ops.migration.noting import note, surveyed
from govhub.ops.migration.waves import WavesRequest, plan_waves
from migration.city import SYSTEM, City, ready

NAME = f"{SYSTEM}/papers"


def survey(city: City, size: int, time: str) -> None:
    """Enter what an assessment would have found at ``time``."""
    hub, _ = valid_hub(str(city.hub))
    facts = SourceFacts(source="old-server", time=time, folders={str(city.source): Folder(exists=True, size=size)})
    item = ready()
    note("mini", surveyed(hub, [item], {"old-server": facts}, datetime(2020, 1, 1, tzinfo=UTC)))


def reading(city: City, size: int, time: str) -> None:
    """What a sweep leaves on this machine."""
    folder = hub_home("mini") / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    sections = {"folders": Section(0, (f"{city.source}\t{size}\t5",))}
    document = Reading(host="old-server", time=time, sections=sections).as_dict()
    saved = {"schema": "govhub.source-reading/1", "host_key": None, "reading": document}
    (folder / "old-server.json").write_text(json.dumps(saved))


def system(document: Mapping[str, Any]) -> dict[str, Any]:
    return next(item for wave in document["waves"] for item in wave["systems"] if item["system"] == SYSTEM)


def plan(city: City, sizes: Path | None = None) -> dict[str, Any]:
    return plan_waves(WavesRequest(hub=str(city.hub), greedy=True, sizes=sizes)).document


def test_sizes_that_were_surveyed_are_planned_with(city: City) -> None:
    assert system(plan(city))["size_from"] != "discovered"
    survey(city, 7 * 2**30, "2026-03-01T00:00:00+00:00")
    document = plan(city)
    assert (system(document)["bytes"], system(document)["size_from"]) == (7 * 2**30, "discovered")
    assert document["sizes"] == {
        "file": [],
        "survey": {NAME: {"bytes": 7 * 2**30, "time": "2026-03-01T00:00:00+00:00", "where": "record"}},
    }


def test_a_file_that_somebody_wrote_goes_before_them(city: City, tmp_path: Path) -> None:
    survey(city, 7 * 2**30, "2026-03-01T00:00:00+00:00")
    for name in (NAME, SYSTEM):
        file = tmp_path / "sizes.yaml"
        file.write_text(f"{name}: 9Gi\n")
        document = plan(city, file)
        assert system(document)["bytes"] == 9 * 2**30
        assert document["sizes"] == {"file": [name], "survey": {}}


@pytest.mark.parametrize(
    ("record", "here", "size", "where"),
    [("2026-03-01", "2026-03-02", 5, "reading"), ("2026-03-02", "2026-03-01", 7, "record")],
)
def test_the_newest_measurement_counts(city: City, record: str, here: str, size: int, where: str) -> None:
    survey(city, 7 * 2**30, f"{record}T00:00:00+00:00")
    reading(city, 5 * 2**30, f"{here}T00:00:00+00:00")
    hub, _ = valid_hub(str(city.hub))
    found = measured_sizes(hub)[NAME]
    assert (found.bytes, found.where) == (size * 2**30, where)


def test_a_hub_without_a_record_opens_none(city: City) -> None:
    hub, _ = valid_hub(str(city.hub))
    assert not has_record(hub)
    plan(city)
    assert not has_record(hub)


def test_what_is_not_measured_is_not_invented(city: City) -> None:
    hub, _ = valid_hub(str(city.hub))
    folder = hub_home("mini") / "sources"
    folder.mkdir(parents=True)
    (folder / "old-server.json").write_text("{}")
    assert measured_sizes(hub) == {}
    reading(city, 5, "2026-03-01T00:00:00+00:00")
    text = (folder / "old-server.json").read_text().replace("\\t5\\t5", "\\t?\\t?")
    (folder / "old-server.json").write_text(text)
    assert measured_sizes(hub) == {}


def test_systems_on_the_cloud_count_in_the_rates(city: City) -> None:
    def figures() -> tuple[dict[str, Any], dict[str, Any]]:
        found = assess_portfolio(AssessRequest(hub=str(city.hub), offline=True))["figures"]
        return found["all"]["migration_rate"], found["standing"]

    rate, standing = figures()
    assert (rate["numerator"], rate["denominator"], standing["accepted"]) == (0, 1, [])
    city.write(rules="trial_days: 30")
    city.run("migrate")
    city.everybody_approves()
    city.run()
    rate, standing = figures()
    assert (rate["numerator"], rate["denominator"]) == (1, 1)
    assert (standing["on_trial"], standing["accepted"], standing["from"]) == ([SYSTEM], [], "record")
    city.clock.forward(days=31)
    city.run()
    city.everybody_approves()
    assert city.run()["state"] == "done"
    assert figures()[1]["accepted"] == [SYSTEM]


def test_what_one_team_does_on_one_night_is_summed(city: City) -> None:
    text = (city.hub / "migration.yaml").read_text()
    team = "teams: [{name: ours, person_days: 40}]\n  trial_days: 30"
    (city.hub / "migration.yaml").write_text(text.replace("trial_days: 30", team))
    document = plan(city)
    found: dict[str, float] = {}
    for wave in document["waves"]:
        for night, teams in wave["nights"].items():
            for item in wave["systems"]:
                assert (item["cutover"] == night) is (item["system"] in teams["ours"]["systems"])
            found[night] = teams["ours"]["person_days"]
        assert sum(found.values()) == pytest.approx(sum(item["person_days"] for item in wave["systems"]))
        found.clear()
