"""The engine with steps in memory: order, predicates, waiting, failing, and which itinerary may begin when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from govhub.core.errors import GovhubError, PolicyViolation
from govhub.inventory.model.migration import Window
from govhub.migration.itinerary.catalogue import Catalogue
from govhub.migration.itinerary.driver import Plain
from govhub.migration.itinerary.engine import Engine, Progress, Subject
from govhub.migration.itinerary.fake import FakeSteps
from govhub.migration.itinerary.itineraries import ALL, MIGRATE, Itinerary, Phase
from govhub.migration.itinerary.outcome import Failed, NotYet, Outcome
from govhub.migration.itinerary.phases import window_opens
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Record
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import context_of, opened
from govhub.ops.migration.status import board, one_system
from migration.city import SYSTEM, City


@pytest.fixture
def record(city: City) -> Iterator[Record]:
    with opened("mini", clock=city.clock) as found:
        yield found


def go(
    city: City, record: Record, steps: FakeSteps, itinerary: str = "", catalogue: Catalogue | None = None
) -> Progress:
    hub, _ = valid_hub(str(city.hub))
    engine = Engine(record, Plain(), "worker", catalogue=catalogue)
    return engine.advance(Subject(context=context_of(hub, SYSTEM, record), steps=steps), itinerary)


def test_phases_come_in_pairs_and_only_those_that_apply() -> None:
    for itinerary in ALL:
        names = [item.name for item in itinerary.phases]
        assert [name.removeprefix("Ensure") for name in names[::2]] == [
            name.removeprefix("WaitFor") for name in names[1::2]
        ]
    files = {item.name for item in MIGRATE.of({"files": True})}
    everything = {
        item.name
        for item in MIGRATE.of(dict.fromkeys(("databases", "files", "application", "online", "reverse"), True))
    }
    assert everything - files == {
        f"{verb}{step}"
        for verb in ("Ensure", "WaitFor")
        for step in ("DatabaseCopy", "Deployment", "Replication", "ReverseReplication")
    }


def test_a_failure_is_recorded_and_tried_again(city: City, record: Record) -> None:
    steps = FakeSteps({"EnsureBackup": Failed("the disk is full")})
    assert go(city, record, steps, "migrate").reason == "the disk is full"
    run = stand(SYSTEM, record.events(SYSTEM)).run
    assert run is not None
    assert run.failed == ("EnsureBackup", "the disk is full")
    steps.outcomes = {}
    assert go(city, record, steps).phase == "WaitForCutoverApproval"
    assert steps.calls.count("EnsureTarget") == 1
    assert steps.calls.count("EnsureBackup") == 2


def test_waiting_is_recorded_when_its_reason_changes_and_not_at_each_look(city: City, record: Record) -> None:
    steps = FakeSteps({"WaitForFileCopy": NotYet("10 %", 5)})
    for _ in range(5):
        assert go(city, record, steps, "migrate").look_again_in == 5
    steps.outcomes = {"WaitForFileCopy": NotYet("20 %", 5)}
    go(city, record, steps)
    waits = [item.data["reason"] for item in record.events(SYSTEM) if item.kind == "phase-waiting"]
    assert waits == ["10 %", "20 %"]
    shown = one_system(str(city.hub), SYSTEM, clock=city.clock)
    assert (shown["state"], shown["phase"], shown["waits_for"]) == ("waiting", "WaitForFileCopy", "20 %")
    assert board(str(city.hub), clock=city.clock)["systems"][0]["stage"] == "prepared"


def test_an_error_of_a_step_is_a_failure_of_its_phase_and_of_nothing_else(city: City, record: Record) -> None:
    class Broken(FakeSteps):
        def ensure(self, step: Step, context: Context) -> Outcome:
            raise OSError(28, "No space left on device")

    result = go(city, record, Broken(), "migrate")
    assert (result.state, result.phase) == ("failed", "EnsureApplication")
    assert "No space left" in result.reason


@pytest.mark.parametrize(
    ("itinerary", "why"),
    [
        ("cancel", "nothing is under way"),
        ("roll-back", "nothing to roll back"),
        ("retire", "only an accepted"),
        ("sideways", "no itinerary"),
    ],
)
def test_what_cannot_begin_is_refused(city: City, record: Record, itinerary: str, why: str) -> None:
    with pytest.raises(PolicyViolation, match=why) as caught:
        go(city, record, FakeSteps(), itinerary)
    assert caught.value.diagnostics[0].code == "RUN012"
    with pytest.raises(PolicyViolation, match="no run"):
        go(city, record, FakeSteps())


def test_what_is_past_the_point_of_no_return_is_rolled_back_and_not_cancelled(city: City, record: Record) -> None:
    steps = FakeSteps({"EnsureSwitched": Failed("the balancer does not answer")})
    city.write(rules="automatic_return: {switch_failed: report}")
    go(city, record, steps, "migrate")
    city.everybody_approves()
    assert go(city, record, steps).phase == "EnsureSwitched"
    with pytest.raises(PolicyViolation, match="point of no return"):
        go(city, record, FakeSteps(), "cancel")
    steps.outcomes = {}
    assert go(city, record, steps, "roll-back").state == "done"
    standing = stand(SYSTEM, record.events(SYSTEM))
    assert (standing.stage, standing.switched) == (Stage.PLANNED, False)
    assert [item.result for item in standing.runs] == ["superseded", "done"]


def test_acceptance_is_held_against_the_trial_run_whatever_the_itinerary_says(city: City, record: Record) -> None:
    hasty = Itinerary(
        "migrate",
        1,
        (Phase(name="EnsureTrialRun", reaches=Stage.TRIAL), Phase(name="EnsureTarget", reaches=Stage.ACCEPTED)),
    )
    with pytest.raises(GovhubError) as caught:
        go(city, record, FakeSteps(), "migrate", Catalogue.of([hasty]))
    assert caught.value.diagnostics[0].code == "REC007"
    city.write(migration="trial_days: 2")
    city.clock.forward(days=3)
    assert stand(SYSTEM, record.events(SYSTEM)).stage is Stage.TRIAL


def test_a_system_may_have_a_trial_of_its_own(city: City) -> None:
    city.write(migration="trial_days: 0.5")
    city.run("migrate")
    city.everybody_approves()
    assert city.run()["phase"] == "WaitForTrialRun"
    city.clock.forward(hours=13)
    assert city.run()["phase"] == "WaitForAcceptance"


@pytest.mark.parametrize(
    ("days", "start", "minutes", "now", "seconds"),
    [
        (["fri"], "22:00", 240, "2026-03-06T14:00:00", 0),
        (["fri"], "22:00", 240, "2026-03-06T17:59:00", 0),
        (["fri"], "22:00", 240, "2026-03-06T18:00:00", 6 * 86400 + 20 * 3600),
        (["fri"], "22:00", 240, "2026-03-06T13:00:00", 3600),
        (["sat"], "20:00", 4320, "2026-03-10T11:59:00", 0),
    ],
)
def test_windows_are_in_the_hubs_time_zone(days: list[str], start: str, minutes: int, now: str, seconds: float) -> None:
    window = Window(days=days, start=start, minutes=minutes)
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert window_opens(window, "Asia/Shanghai", moment) == seconds
