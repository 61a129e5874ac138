"""Systems and waves by the names that people type, and the itineraries as commands of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from govhub.cli import i18n
from govhub.cli.main import main
from govhub.migration.record.stages import Stage
from govhub.ops.migration.entries import add_evidence, reach
from govhub.ops.migration.records import opened
from migration.city import SYSTEM, City

Result = tuple[int, str, str]


@pytest.fixture
def govhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("LANG", "C.UTF-8")

    def run(*words: object) -> Result:
        capsys.readouterr()
        try:
            code = main(["migrate", *(str(word) for word in words)])
        finally:
            i18n.use("en")
        return code, *capsys.readouterr()

    return run


def in_wave(number: int, **more: object) -> None:
    with opened("mini") as record:
        reach(record, SYSTEM, Stage.PLANNED, {"wave": number, "cutover": "2026-03-06", "digest": "0" * 64, **more})


def test_a_wave_of_the_plan_of_record_stands_for_its_systems(city: City, govhub: Callable[..., Result]) -> None:
    in_wave(3)
    code, out, err = govhub("run", city.hub, "wave-3", "--itinerary", "rehearse")
    assert (code, f"{SYSTEM}: done" in out) == (0, True), (out, err)
    code, out, _ = govhub("status", city.hub, "wave-3", "--json")
    assert [(row["system"], row["wave"]) for row in json.loads(out)["systems"]] == [(SYSTEM, 3)]
    document = json.loads(govhub("status", city.hub, SYSTEM, "--json")[1])
    assert (document["wave"], document["planned_cutover"]) == (3, "2026-03-06")


def test_the_plan_that_was_entered_last_counts(city: City, govhub: Callable[..., Result]) -> None:
    in_wave(3)
    with opened("mini") as record:
        add_evidence(record, SYSTEM, "planned", {"wave": 5, "cutover": None, "digest": "1" * 64})
    code, _, err = govhub("rehearse", city.hub, "wave-3")
    assert (code, "RUN032" in err, "wave-5" in err) == (3, True, True)
    assert govhub("rehearse", city.hub, "wave-5")[0] == 0


def test_a_plan_file_goes_before_the_plan_of_record(city: City, govhub: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "waves.yaml"
    file.write_text(f"schema: govhub.waves/1\nhub: mini\nwaves:\n  - wave: 2\n    systems: [{{system: {SYSTEM}}}]\n")
    code, out, err = govhub("rehearse", city.hub, "wave-2", "--plan", file)
    assert (code, f"{SYSTEM}: done" in out) == (0, True), err
    assert govhub("status", city.hub, "wave-2")[0] == 3
    file.write_text(file.read_text().replace("hub: mini", "hub: other"))
    code, _, err = govhub("rehearse", city.hub, "wave-2", "--plan", file)
    assert (code, "WAV001" in err) == (3, True)
    file.write_text("waves: 3\n")
    code, _, err = govhub("rehearse", city.hub, "wave-2", "--plan", file)
    assert (code, "waves.yaml:1" in err, "Traceback" in err) == (3, True, False)


@pytest.mark.parametrize(
    ("word", "code", "hint"),
    [
        ("school-enrolmet", "RUN013", f'did you mean "{SYSTEM}"?'),
        ("wave-33", "RUN032", "wave-3"),
        ("wawe-3", "RUN013", 'did you mean "wave-3"?'),
    ],
)
@pytest.mark.parametrize("command", ["run", "rehearse", "cutover", "rollback", "retire", "cancel", "status"])
def test_an_unknown_name_gets_the_closest_one(
    city: City, govhub: Callable[..., Result], command: str, word: str, code: str, hint: str
) -> None:
    in_wave(3)
    found, _, err = govhub(command, city.hub, word)
    assert (found, code in err, hint in err) == (3, True, True), err


def test_without_a_plan_a_wave_says_how_to_get_one(city: City, govhub: Callable[..., Result]) -> None:
    code, _, err = govhub("rehearse", city.hub, "wave-1")
    assert (code, "migrate plan HUB --out FILE" in err) == (3, True)


def test_a_system_of_a_wave_that_cannot_move_stops_nobody_else(
    city: City, govhub: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "waves.yaml"
    lines = f"[{{system: {SYSTEM}}}, {{system: open-days}}]"
    file.write_text(f"schema: govhub.waves/1\nhub: mini\nwaves:\n  - wave: 2\n    systems: {lines}\n")
    code, out, _ = govhub("rehearse", city.hub, "wave-2", "--plan", file, "--json")
    rows = {item["system"]: item for item in json.loads(out)["systems"]}
    assert (code, rows[SYSTEM]["state"], rows["open-days"]["state"]) == (3, "done", "refused")
    assert rows["open-days"]["problems"][0]["code"] == "RUN013"


def test_the_itineraries_are_commands(city: City, govhub: Callable[..., Result]) -> None:
    code, out, _ = govhub("run", city.hub, SYSTEM, "--itinerary", "migrate")
    assert (code, "WaitForCutoverApproval" in out) == (0, True)
    assert f"migrate approve mini {SYSTEM} --party" in out, "what is next is said where it is waited for"
    code, out, _ = govhub("rehearse", city.hub, SYSTEM)
    assert (code, "RUN012" in out) == (4, True)
    code, out, _ = govhub("rollback", city.hub, SYSTEM)
    assert (code, "there is nothing to roll back" in out) == (4, True)
    code, out, _ = govhub("cancel", city.hub, SYSTEM)
    assert (code, f"{SYSTEM}: done" in out) == (0, True)
    assert not city.target.exists()
    code, out, _ = govhub("retire", city.hub, SYSTEM)
    assert (code, "RUN012" in out) == (4, True)


def test_a_whole_wave_is_approved_at_once_and_each_refusal_is_told(
    city: City, govhub: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "waves.yaml"
    lines = f"[{{system: {SYSTEM}}}, {{system: open-days}}]"
    file.write_text(f"schema: govhub.waves/1\nhub: mini\nwaves:\n  - wave: 2\n    systems: {lines}\n")
    govhub("run", city.hub, SYSTEM, "--itinerary", "migrate")
    words = ("--plan", file, "--party", "authority", "--as", "zhao", "--key", city.keys / "zhao", "--json")
    code, out, err = govhub("approve", city.hub, "wave-2", *words)
    document = json.loads(out)
    assert code == 3, err
    assert [item["system"] for item in document["approvals"]] == [SYSTEM]
    assert [item["problems"][0]["code"] for item in document["refused"]] == ["RUN013"]
    code, out, _ = govhub("approve", city.hub, SYSTEM, *words[2:])
    assert (code, json.loads(out)["schema"]) == (0, "govhub.migrate-approve/1")
