"""Triggers after the switch: what the hub's rules make of them, whoever holds them, and what a kill leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation
from govhub.migration.itinerary.driver import Plain
from govhub.migration.itinerary.engine import Engine, Progress, Subject
from govhub.migration.itinerary.fake import FakeSteps
from govhub.migration.itinerary.outcome import Done, Failed, NotYet
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.record.lease import new_owner
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Database, Record
from govhub.ops.load import valid_hub
from govhub.ops.migration.holding import Hold, hold
from govhub.ops.migration.records import context_of, opened
from migration.city import SYSTEM, City

TEST_FAILS = {"EnsureServiceTest": Failed("the page does not answer")}


@pytest.fixture
def record(city: City) -> Iterator[Record]:
    with opened("mini", clock=city.clock) as found:
        yield found


def go(city: City, record: Record, steps: FakeSteps, itinerary: str = "") -> Progress:
    hub, _ = valid_hub(str(city.hub))
    engine = Engine(record, Plain(), new_owner())
    return engine.advance(Subject(context=context_of(hub, SYSTEM, record), steps=steps), itinerary)


def triggers(record: Record) -> list[tuple[str, str]]:
    return [
        (item.data["trigger"], item.data["action"]) for item in record.events(SYSTEM) if item.kind == "return-triggered"
    ]


def to_the_switch(city: City, record: Record, steps: FakeSteps) -> Progress:
    assert go(city, record, steps, "migrate").phase == "WaitForCutoverApproval"
    city.everybody_approves()
    return go(city, record, steps)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("govhub.migration.itinerary.watching._AGAIN", 0.0)


def test_a_service_test_that_fails_twice_sends_users_back(city: City, record: Record) -> None:
    steps = FakeSteps(TEST_FAILS)
    # It fails on the source as well: the roll-back is not through before that is put right.
    result = to_the_switch(city, record, steps)
    assert (result.itinerary, result.state, result.phase) == ("roll-back", "failed", "EnsureServiceTest")
    assert triggers(record) == [("service_test_failed", "return")]
    standing = stand(SYSTEM, record.events(SYSTEM))
    assert not standing.switched
    begun = [item for item in record.events(SYSTEM) if item.kind == "migration-run-started"][-1].data
    assert begun["because"]["trigger"] == "service_test_failed"
    assert record.events(SYSTEM)[begun["because"]["seq"]].data["evidence"]["failures"] == 2
    steps.outcomes = {}
    assert go(city, record, steps).state == "done"


def test_a_service_test_that_fails_once_is_tried_again(city: City, record: Record) -> None:
    class Once(FakeSteps):
        def ensure(self, step: Step, context: Context) -> Any:
            if step is Step.SERVICE_TEST and "EnsureServiceTest" not in self.calls:
                self.calls.append("EnsureServiceTest")
                return Failed("not up yet")
            return super().ensure(step, context)

    assert to_the_switch(city, record, Once()).phase == "WaitForTrialRun"
    assert triggers(record) == []


def test_a_switch_that_fails_sends_users_back_at_once(city: City, record: Record) -> None:
    result = to_the_switch(city, record, FakeSteps({"EnsureSwitched": Failed("the balancer does not answer")}))
    assert (result.itinerary, result.state) == ("roll-back", "done")
    assert triggers(record) == [("switch_failed", "return")]


def test_a_phase_that_overruns_its_limit_sends_users_back(city: City, record: Record) -> None:
    steps = FakeSteps({"WaitForServiceTest": NotYet("no session yet")})
    assert to_the_switch(city, record, steps).state == "waiting"
    city.clock.forward(minutes=29)
    assert go(city, record, steps).itinerary == "migrate"
    city.clock.forward(minutes=2)
    result = go(city, record, steps)
    assert result.itinerary == "roll-back"
    assert triggers(record) == [("phase_overran", "return")]


def test_a_person_holds_it_and_lets_go_again(city: City, record: Record) -> None:
    steps = FakeSteps({"WaitForServiceTest": NotYet("no session yet")})
    to_the_switch(city, record, steps)
    with pytest.raises(InvalidInput, match="reason"):
        hold(Hold(hub=str(city.hub), system=SYSTEM, clock=city.clock))
    hold(Hold(hub=str(city.hub), system=SYSTEM, reason="we look at it ourselves", clock=city.clock))
    city.clock.forward(minutes=31)
    for _ in range(3):
        assert go(city, record, steps).itinerary == "migrate"
    assert next(item for item in triggers(record) if item[0] == "phase_overran")[1] == "held"
    hold(Hold(hub=str(city.hub), system=SYSTEM, held=False, clock=city.clock))
    assert go(city, record, steps).itinerary == "roll-back"


def test_nothing_can_be_held_where_nothing_is_open(city: City) -> None:
    with pytest.raises(PolicyViolation, match="no migration"):
        hold(Hold(hub=str(city.hub), system=SYSTEM, reason="just so", clock=city.clock))


@pytest.mark.parametrize(
    ("rules", "minutes", "action"),
    [
        ("automatic_return: {phase_overran: report}", 1440, "report"),
        # It is 09:00 there, and the way back takes as long as the pause of writes may.
        ("write_pause_seconds: 120", 31, "outside of the window"),
        ("write_pause_seconds: 120", 33, "return"),
    ],
)
def test_rules_and_window_decide(city: City, record: Record, rules: str, minutes: int, action: str) -> None:
    city.write(rules=rules)
    file = city.hub / "migration.yaml"
    text = file.read_text().replace("start: '00:00', minutes: 1440", f"start: '09:00', minutes: {minutes}")
    file.write_text(text)
    steps = FakeSteps({"WaitForServiceTest": NotYet("no session yet")})
    to_the_switch(city, record, steps)
    city.clock.forward(minutes=30, seconds=1)
    go(city, record, steps)
    assert triggers(record) == [("phase_overran", action)]


@pytest.mark.parametrize(
    ("found", "rules", "expected"),
    [
        ({"lag_bytes": 5, "lag_seconds": 1.0, "problems": []}, "", None),
        ({"lag_bytes": 5, "lag_seconds": 301.0, "problems": []}, "", "report"),
        ({"lag_bytes": 1 << 29, "lag_seconds": None, "problems": []}, "", "report"),
        ({"lag_bytes": 1 << 29, "lag_seconds": None, "problems": []}, "reverse_lag: return", "return"),
        ({"lag_bytes": None, "lag_seconds": None, "problems": []}, "reverse_lag: return", "way back interrupted"),
        (
            {"lag_bytes": 5, "lag_seconds": 1.0, "problems": ["it refuses"]},
            "reverse_lag: return",
            "way back interrupted",
        ),
    ],
)
def test_the_way_back_is_looked_at_while_users_are_on_the_target(
    city: City, record: Record, found: dict[str, Any], rules: str, expected: str | None
) -> None:
    city.write(rules=f"automatic_return: {{{rules}}}")
    result = to_the_switch(city, record, FakeSteps(watched={Step.WAY_BACK: Done({"register": found})}))
    assert triggers(record) == ([("reverse_lag", expected)] if expected else [])
    assert result.itinerary == ("roll-back" if expected == "return" else "migrate")


def test_rows_are_compared_once_a_day_and_what_differs_is_said(city: City, record: Record) -> None:
    differs = {"verdict": "differs", "rows": ["public.written writer=9, number=1"], "rows_count": 1}
    steps = FakeSteps(watched={Step.CONTINUED_VERIFICATION: Done({"register": differs})})
    to_the_switch(city, record, steps)
    for hours in (1, 22, 2):
        city.clock.forward(hours=hours)
        assert go(city, record, steps).itinerary == "migrate"
    compared = [item for item in record.events(SYSTEM) if item.kind == "target-compared"]
    assert len(compared) == 2
    assert compared[0].data["evidence"]["register"]["rows_count"] == 1
    assert set(triggers(record)) == {("mismatch", "report")}


def test_what_could_not_be_verified_is_no_mismatch_and_no_pass(city: City, record: Record) -> None:
    class Silent(FakeSteps):
        def look(self, step: Step, context: Context) -> Any:
            if step is Step.CONTINUED_VERIFICATION:
                raise GovhubError.one("VER005", "a database cannot be read", hint="bring it back")
            return super().look(step, context)

    city.write(rules="automatic_return: {mismatch: return}")
    assert to_the_switch(city, record, Silent()).itinerary == "migrate"
    (compared,) = [item for item in record.events(SYSTEM) if item.kind == "target-compared"]
    assert compared.data["evidence"]["system"]["verdict"] == "could not verify"
    assert triggers(record) == []


def test_a_worker_killed_between_trigger_and_roll_back_is_followed_by_one_that_begins_it(
    city: City, record: Record
) -> None:
    class Killed(BaseException):
        pass

    class Deadly(Record):
        def append(self, kind: str, *words: Any, **more: Any) -> Any:
            if kind == "migration-run-started" and "because" in words[1]:
                raise Killed
            return super().append(kind, *words, **more)

    steps = FakeSteps({"EnsureSwitched": Failed("the balancer does not answer")})
    dying = Deadly(Database(str(record.database.url.database)), "mini", clock=city.clock)
    assert go(city, record, steps, "migrate").phase == "WaitForCutoverApproval"
    city.everybody_approves()
    with pytest.raises(Killed):
        go(city, dying, steps)
    dying.database.close()
    steps.outcomes = {}
    # What it does when the cause is gone is the same: it was decided.
    result = go(city, record, steps)
    assert (result.itinerary, result.state) == ("roll-back", "done")
    assert triggers(record) == [("switch_failed", "return")]


def test_a_rehearsal_says_what_would_have_fired_and_nobody_is_sent_anywhere(city: City, record: Record) -> None:
    class Slow(FakeSteps):
        def ensure(self, step: Step, context: Context) -> Any:
            if step is Step.FINAL_VERIFICATION:
                city.clock.forward(seconds=200)
            return super().ensure(step, context)

    result = go(city, record, Slow(TEST_FAILS), "rehearse")
    assert (result.itinerary, result.state) == ("rehearse", "failed")
    assert go(city, record, FakeSteps(true={(SYSTEM, step) for step in Step})).state == "done"
    assert triggers(record) == [("service_test_failed", "rehearsal"), ("write_pause", "rehearsal")]
