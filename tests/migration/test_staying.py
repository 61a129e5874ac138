"""A system that is not to move, or of which nobody said what moves, begins no run."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.cli.main import main
from govhub.migration.record.standing import stand
from govhub.ops.migration.records import opened
from govhub.ops.migration.run import RunSystems, run_systems
from migration.city import SYSTEM, City


def declare(city: City, lines: str) -> None:
    """The city's system with other lines than its moves."""
    city.write()
    file = city.hub / "migration.yaml"
    head, _, _ = file.read_text(encoding="utf-8").partition("    moves:")
    file.write_text(head + lines, encoding="utf-8")


def begun() -> bool:
    with opened("mini") as record:
        return bool(record.chains())


@pytest.mark.parametrize("itinerary", ["rehearse", "migrate"])
def test_nothing_to_move_is_refused_before_anything_is_entered(city: City, itinerary: str) -> None:
    declare(city, "")
    done = city.run(itinerary)
    assert (done["state"], done["exit"]) == ("refused", 3)
    (problem,) = done["problems"]
    assert problem["code"] == "RUN033"
    assert problem["source"]["file"].endswith("migration.yaml")
    assert "`moves`" in problem["hint"]
    assert not begun()


@pytest.mark.parametrize(("strategy", "words"), [("retain", "stays where it is"), ("retire", "is switched off")])
@pytest.mark.parametrize("itinerary", ["rehearse", "migrate"])
def test_what_people_decided_not_to_move_is_told_apart(city: City, strategy: str, words: str, itinerary: str) -> None:
    city.write(migration=f"strategy: {strategy}")
    done = city.run(itinerary)
    assert (done["state"], done["exit"]) == ("refused", 4)
    (problem,) = done["problems"]
    assert (problem["code"], words in problem["summary"]) == ("RUN034", True)
    assert problem["source"]["line"] == next(
        number
        for number, line in enumerate((city.hub / "migration.yaml").read_text().splitlines(), 1)
        if "strategy:" in line
    )
    assert not begun()


def test_a_run_that_is_open_needs_its_moves_until_it_is_given_up(city: City) -> None:
    assert city.run("migrate")["state"] == "waiting"
    declare(city, "")
    done = city.run()
    assert (done["state"], done["problems"][0]["code"]) == ("refused", "RUN033")
    assert "migrate cancel mini" in done["problems"][0]["hint"]
    assert city.run("cancel")["state"] == "done"


def test_a_decision_to_stay_does_not_strand_a_run_that_is_open(city: City) -> None:
    assert city.run("migrate")["state"] == "waiting"
    city.write(migration="strategy: retain")
    assert city.run()["state"] == "waiting"
    assert city.run("cancel")["state"] == "done"
    assert city.run("migrate")["problems"][0]["code"] == "RUN034"


def test_others_of_a_wave_go_on(city: City, tmp_path: Path) -> None:
    with (city.hub / "migration.yaml").open("a", encoding="utf-8") as file:
        file.write("  - {system: open-days, strategy: retain}\n")
    found = run_systems(
        RunSystems(hub=str(city.hub), systems=(SYSTEM, "open-days"), itinerary="rehearse", clock=city.clock)
    )
    states = {item["system"]: item["state"] for item in found["systems"]}
    assert states == {SYSTEM: "done", "open-days": "refused"}
    with opened("mini") as record:
        assert stand("open-days", record.unchecked("open-days")).runs == []


def test_who_has_begun_nothing_is_told_that_first(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    declare(city, "")
    for itinerary, code in (("", "RUN011"), ("roll-back", "RUN012"), ("retire", "RUN012"), ("cancel", "RUN012")):
        assert city.run(itinerary)["problems"][0]["code"] == code, itinerary
    assert main(["migrate", "rehearse", str(city.hub), SYSTEM]) == 3
    assert "error[RUN033] mini/migration.yaml:13:" in capsys.readouterr().out, "the place to declare it at"
