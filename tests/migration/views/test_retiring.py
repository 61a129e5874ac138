"""``migrate retire``: a wiped source leaves the hub's files when it is confirmed, and gives back what it held."""

from __future__ import annotations

from typing import Any

import pytest

from govhub.core.errors import PolicyViolation
from govhub.core.settings import today
from govhub.inventory.checks import check_hub
from govhub.inventory.loader import load
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import opened
from govhub.ops.migration.retiring import retire_systems
from govhub.ops.migration.run import RunSystems
from migration.city import SYSTEM, City

OTHER = "open-days"


def racked(city: City, *, units: int = 4, other: bool = False) -> str:
    """Put the old server into the hub's first rack; the address of the rack."""
    city.write(rules="trial_days: 0")
    rack = next(iter(valid_hub(str(city.hub))[0].topology.racks))
    file = city.hub / "migration.yaml"
    held = f"address: localhost, rack: {rack}, units: {units}, watts: 400, kg: 20"
    text = file.read_text().replace("address: localhost", held)
    if other:
        text += f"  - system: {OTHER}\n    moves:\n"
        text += f"      - {{name: more, kind: files, source: old-server, path: {city.source}-2, to_path: /srv/more}}\n"
    file.write_text(text)
    return rack


def accepted(city: City) -> None:
    city.run("migrate")
    city.everybody_approves()
    city.run()
    city.everybody_approves()
    assert city.run()["state"] == "done"


def retire(city: City, *confirm: str) -> dict[str, Any]:
    request = RunSystems(hub=str(city.hub), systems=(SYSTEM,), clock=city.clock)
    return retire_systems(request, confirm)


def test_a_source_leaves_as_a_reviewed_diff_and_frees_its_rack(city: City) -> None:
    rack = racked(city)
    accepted(city)
    before = (city.hub / "migration.yaml").read_text()
    waiting = retire(city)
    assert waiting["systems"][0]["phase"] == "WaitForRetirementApproval"
    assert [(item["source"], item["state"]) for item in waiting["sources"]] == [("old-server", "needed")]
    assert (waiting["diff"], waiting["freed"]) == ("", [])
    city.everybody_approves()

    shown = retire(city)
    assert shown["systems"][0]["state"] == "done"
    (source,) = shown["sources"]
    assert (source["state"], source["rack"], source["units"], source["watts"]) == ("free", rack, 4, 400)
    assert source["wiped"][0]["evidence"]["papers"]["removed"] == str(city.source)
    (room,) = shown["freed"]
    assert room["after"]["units"] - room["before"]["units"] == 4
    assert round(room["after"]["kw"] - room["before"]["kw"], 3) == 0.4
    assert "+  - {name: old-server, tenant: education, units: 4" in shown["diff"], shown["diff"]
    assert (city.hub / "migration.yaml").read_text() == before
    assert not shown["written"]

    written = retire(city, "old-server")
    assert written["written"]
    hub, _ = valid_hub(str(city.hub))
    (left,) = hub.model.sources
    assert (left.retired, left.rack, left.address) == (today(), None, None)
    with opened("mini") as record:
        events = record.events(SYSTEM)
    (note,) = [event.data["document"] for event in events if event.data.get("what") == "source-freed"]
    assert (note["source"], note["rack"], note["units"], note["address"]) == ("old-server", rack, 4, "localhost")
    wiped = next(event for event in events if event.seq == note["wiped"][0]["event"])
    assert (wiped.kind, wiped.data["phase"]) == ("phase-finished", "EnsureWiped")

    again = retire(city)
    assert (again["sources"][0]["state"], again["diff"], again["systems"][0]["state"]) == ("gone", "", "done")
    with opened("mini") as record:
        assert len(record.events(SYSTEM)) == len(events)


def test_a_source_that_another_system_needs_stays(city: City) -> None:
    racked(city, other=True)
    accepted(city)
    retire(city)
    city.everybody_approves()
    found = retire(city)
    assert (found["sources"][0]["state"], found["sources"][0]["needed_by"]) == ("needed", [OTHER])
    with pytest.raises(PolicyViolation) as caught:
        retire(city, "old-server")
    assert (caught.value.diagnostics[0].code, OTHER in caught.value.diagnostics[0].summary) == ("RET021", True)
    with pytest.raises(PolicyViolation):
        retire(city, "nothing")


def test_racks_count_sources_and_know_them(city: City) -> None:
    racked(city, units=20)
    file = city.hub / "migration.yaml"
    text = file.read_text()
    file.write_text(text.replace("sources:\n", "sources:\n" + _more(city, 3)))
    found = load(city.hub)
    assert found.hub is not None
    problems = [item for item in check_hub(found.hub, today()) if item.severity.value == "error"]
    assert [(item.code, "migration.yaml" in str(item.source)) for item in problems] == [("PLC010", True)]
    file.write_text(text.replace("rack: ", "rack: no/such/"))
    found = load(city.hub)
    assert found.hub is not None
    assert "REF001" in [item.code for item in check_hub(found.hub, today())]
    file.write_text(text.replace("address: localhost, ", "address: localhost, retired: 2026-01-01, "))
    assert load(city.hub).problems.errors


def _more(city: City, count: int) -> str:
    rack = next(iter(valid_hub(str(city.hub))[0].topology.racks))
    line = "  - {{name: old-{}, tenant: education, rack: {}, units: 20, watts: 10, kg: 1}}\n"
    return "".join(line.format(number, rack) for number in range(count))
