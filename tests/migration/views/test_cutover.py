"""``migrate cutover``: over the switch when everything is open, else refused with the reason and the way out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from govhub.migration.itinerary.outcome import Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.ops.migration.cutover import cut_over
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.run import RunSystems
from govhub.ops.migration.status import one_system
from migration.city import SYSTEM, City, Clock

FRIDAY = datetime(2026, 3, 6, 14, 0, tzinfo=UTC)
NIGHT = "window: {days: [fri], start: '22:00', minutes: 60}"


class Slow:
    """The real steps; some of them take so long by the clock of the test."""

    def __init__(self, steps: Steps, clock: Clock, seconds: dict[Step, float]) -> None:
        self._steps, self._clock, self._seconds = steps, clock, seconds

    def ensure(self, step: Step, context: Context) -> Outcome:
        self._clock.forward(seconds=self._seconds.get(step, 0))
        return self._steps.ensure(step, context)

    def look(self, step: Step, context: Context) -> Outcome:
        return self._steps.look(step, context)


def declare(city: City, *, minutes: int = 60, rules: str = "trial_days: 30") -> None:
    """With a window on Fridays."""
    city.write(rules=rules)
    file = city.hub / "migration.yaml"
    usual = "window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}"
    text = file.read_text()
    assert usual in text
    file.write_text(text.replace(usual, NIGHT.replace("60}", f"{minutes}}}")))


def rehearsed(city: City, **seconds: float) -> None:
    took = {Step[name.upper()]: value for name, value in seconds.items()}
    done = city.run("rehearse", steps=lambda hub, name: Slow(steps_of(hub, name), city.clock, took))
    assert done["state"] == "done", done


def cutover(city: City, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    request = RunSystems(hub=str(city.hub), systems=(SYSTEM,), clock=city.clock, **more)
    (row,) = cut_over(request, told.extend)["systems"]
    return row, told


def codes(row: dict[str, Any]) -> list[str]:
    return [item["code"] for item in row["problems"]]


def test_everything_open_goes_over_the_switch(city: City) -> None:
    declare(city)
    rehearsed(city, final_verification=40, service_test=3)
    city.clock.time = FRIDAY
    assert city.run("migrate")["phase"] == "WaitForCutoverApproval"
    city.everybody_approves()
    row, told = cutover(city)
    assert (row["state"], row["phase"]) == ("waiting", "WaitForTrialRun"), row
    assert city.live.resolve() == city.target
    assert told[0]["seconds"] == {"pause": 60.0, "test": 3.0, "return": 60.0, "total": 123.0}
    assert told[0]["latest"] == "2026-03-06T22:57:57+08:00"
    assert told[0]["window"] == {
        "begins": "2026-03-06T22:00:00+08:00",
        "ends": "2026-03-06T23:00:00+08:00",
        "open": True,
    }
    assert codes(row) == []


def test_nothing_under_way_or_not_there_yet_is_refused(city: City) -> None:
    row, told = cutover(city)
    assert (row["state"], codes(row), row["exit"], told) == ("refused", ["CUT001"], 4, [])
    (city.source / "locked").mkdir()
    steps = {Step.TARGET: 0.0}

    class Stuck(Slow):
        def look(self, step: Step, context: Context) -> Outcome:
            if step is Step.FILE_COPY:
                raise OSError("the disk is gone")
            return super().look(step, context)

    city.run("migrate", steps=lambda hub, name: Stuck(steps_of(hub, name), city.clock, steps))
    row, _ = cutover(city)
    assert codes(row) == ["CUT002"]
    assert "migrate run mini" in row["problems"][0]["hint"]


def test_a_gate_and_a_window_that_are_closed_are_both_told(city: City) -> None:
    declare(city)
    city.run("migrate")
    city.approve("chen")
    row, told = cutover(city)
    assert (row["state"], row["exit"]) == ("refused", 4)
    assert codes(row) == ["CUT003", "CUT004", "CUT006"]
    assert "authority, provider missing" in row["problems"][0]["summary"]
    assert "2026-03-06T22:00:00+08:00" in row["problems"][1]["summary"]
    assert told[0]["seconds"]["total"] is None
    assert told[0]["latest"] is None
    assert city.live.resolve() == city.source


def test_a_window_that_is_too_short_is_refused_with_figures_by_every_command(city: City) -> None:
    declare(city, minutes=2)
    rehearsed(city, final_verification=40, service_test=3)
    city.clock.time = FRIDAY
    city.run("migrate")
    city.everybody_approves()
    row, _ = cutover(city)
    assert codes(row) == ["CUT005"]
    assert "the window of 120 s is too short: cutover and return take 123 s" in row["problems"][0]["summary"]
    found = city.run()
    assert (found["state"], found["phase"]) == ("waiting", "WaitForWindow")
    assert "the window of 120 s is too short" in found["reason"]
    assert city.live.resolve() == city.source


def test_after_the_latest_moment_it_is_too_late_until_the_next_window(city: City) -> None:
    declare(city)
    rehearsed(city, final_verification=40, service_test=3)
    city.clock.time = FRIDAY
    city.run("migrate")
    city.everybody_approves()
    city.clock.forward(minutes=58)
    row, _ = cutover(city)
    assert codes(row) == ["CUT005"]
    assert "had to be entered by 2026-03-06T22:57:57+08:00" in row["problems"][0]["summary"]
    assert "too late" in city.run()["reason"]
    city.clock.forward(days=6, hours=23, minutes=5)
    city.everybody_approves()
    row, _ = cutover(city)
    assert row["phase"] == "WaitForTrialRun", row


def test_a_pause_beyond_what_is_allowed_is_warned_of(city: City) -> None:
    declare(city)
    rehearsed(city, final_verification=110)
    city.clock.time = FRIDAY
    city.run("migrate")
    row, _ = cutover(city)
    assert codes(row) == ["CUT003", "CUT007"]


def test_status_shows_what_is_ahead_until_the_switch(city: City) -> None:
    declare(city)
    assert one_system(str(city.hub), SYSTEM, clock=city.clock)["expected"]["seconds"]["total"] is None
    rehearsed(city, final_verification=40, service_test=3)
    city.clock.time = FRIDAY
    city.run("migrate")
    city.everybody_approves()
    ahead = one_system(str(city.hub), SYSTEM, clock=city.clock)["expected"]
    assert (ahead["seconds"]["total"], ahead["measured_in"]) == (123.0, [f"{SYSTEM}-rehearse-1"])
    cutover(city)
    assert one_system(str(city.hub), SYSTEM, clock=city.clock)["expected"] is None


def test_what_was_begun_is_finished_outside_of_the_window(city: City) -> None:
    # Else users would be brought back at once, while the window is open.
    declare(city, rules="automatic_return: {switch_failed: report}")
    city.clock.time = FRIDAY
    city.run("migrate")
    city.everybody_approves()

    class Dying(Slow):
        def look(self, step: Step, context: Context) -> Outcome:
            if step is Step.SWITCHED:
                raise OSError("the worker's disk is gone")
            return super().look(step, context)

    city.run(steps=lambda hub, name: Dying(steps_of(hub, name), city.clock, {}))
    city.clock.forward(hours=5)
    row, _ = cutover(city)
    assert (row["phase"], codes(row)) == ("WaitForTrialRun", [])


@pytest.mark.parametrize("wait", [0.0, 1.0])
def test_waiting_only_helps_when_the_window_opens_in_time(city: City, wait: float) -> None:
    declare(city)
    city.clock.time = FRIDAY
    city.run("migrate")
    city.everybody_approves()
    city.clock.time = FRIDAY.replace(hour=13, minute=59)
    city.clock.forward(seconds=59.5)
    row, _ = cutover(city, wait=wait)
    assert (row["state"], "CUT004" in codes(row)) == (("waiting", False) if wait else ("refused", True))
