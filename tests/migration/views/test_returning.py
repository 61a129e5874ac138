"""The latest moment to begin: what rehearsals took, held against the window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from govhub.core.events import Event, moment
from govhub.inventory.model.migration import Window
from govhub.migration.itinerary.itineraries import REHEARSE
from govhub.migration.itinerary.returning import Needed, needed, opening, too_late
from govhub.migration.portfolio.estimate import SWITCH

BEGIN = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
NIGHT = Window(days=["fri"], start="22:00", minutes=60)


class Chain:
    """Events of a chain, with a clock that goes on as it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.time = BEGIN

    def add(self, kind: str, after: float = 0.0, **data: object) -> None:
        self.time += timedelta(seconds=after)
        self.events.append(Event(len(self.events), moment(self.time), kind, dict(data), "", ""))

    def run(self, name: str, itinerary: str, **steps: float) -> None:
        self.add("migration-run-started", run=name, itinerary=itinerary)
        for step, seconds in steps.items():
            self.phase(name, f"Ensure{step}", seconds)
            self.phase(name, f"WaitFor{step}", 0)

    def phase(self, run: str, phase: str, seconds: float) -> None:
        self.add("phase-started", run=run, phase=phase)
        self.add("phase-finished", seconds, run=run, phase=phase, evidence={}, evidence_digest="")


def test_what_was_never_rehearsed_is_unknown_and_not_zero() -> None:
    assert needed([]) == Needed()
    chain = Chain()
    chain.run("r-1", "rehearse", Drained=4)
    assert needed(chain.events).total is None
    assert too_late(needed(chain.events), NIGHT, "Asia/Shanghai", BEGIN) == ""


def test_a_rehearsal_gives_pause_test_and_return() -> None:
    chain = Chain()
    chain.run("r-1", "rehearse", DatabaseCopy=900, Drained=4, FinalVerification=30, ServiceTest=2)
    found = needed(chain.events)
    assert (found.pause, found.test, found.back) == (34 + SWITCH, 2, 34 + SWITCH)
    assert found.runs == ("r-1",)
    assert len(found.assumed) == 2


def test_the_longest_counts_but_neither_failures_nor_the_sleep_of_a_worker() -> None:
    chain = Chain()
    chain.run("r-1", "rehearse", Drained=4, FinalVerification=30, ServiceTest=2)
    chain.run("r-2", "rehearse", Drained=9, ServiceTest=2)
    chain.add("phase-started", run="r-2", phase="EnsureFinalVerification")
    chain.add("phase-failed", 5000, run="r-2", phase="EnsureFinalVerification", problem="no")
    chain.phase("r-2", "EnsureFinalVerification", 3)
    chain.phase("r-2", "WaitForFinalVerification", 0)
    chain.add("migration-run-started", run="r-3", itinerary="rehearse")
    chain.add("phase-started", run="r-3", phase="EnsureDrained")
    chain.add("phase-waiting", run="r-3", phase="EnsureDrained", reason="not yet", look_again_in=2)
    chain.add("phase-finished", 80_000, run="r-3", phase="EnsureDrained", evidence={}, evidence_digest="")
    chain.phase("r-3", "WaitForDrained", 0)
    assert needed(chain.events).pause == 9 + 30 + SWITCH


def test_a_cutover_and_a_return_that_were_seen_replace_what_was_assumed() -> None:
    chain = Chain()
    chain.run("r-1", "rehearse", Drained=4, FinalVerification=30, ServiceTest=2)
    chain.run("m-1", "migrate", WritesStopped=1, Drained=5, FinalVerification=20, Switched=3, ServiceTest=1)
    back = {"TargetWritesStopped": 1, "ReverseDrained": 2, "ReverseVerification": 40, "SwitchedBack": 3}
    chain.run("b-1", "roll-back", **back)
    found = needed(chain.events)
    assert (found.pause, found.test, found.back) == (1 + 5 + 30 + 3, 2, 46)
    assert (found.runs, found.assumed) == (("b-1", "m-1", "r-1"), ())


def test_the_steps_that_are_measured_are_steps_of_a_rehearsal() -> None:
    names = {phase.name for phase in REHEARSE.phases}
    assert {"WaitForDrained", "WaitForFinalVerification", "WaitForServiceTest"} <= names


@pytest.mark.parametrize(
    ("hour", "minute", "total", "said"),
    [
        (20, 0, 3000, ""),
        (22, 5, 3000, ""),
        (22, 10, 3000, ""),
        (22, 11, 3000, "had to be entered by 2026-03-06T22:10:00+08:00"),
        (20, 0, 3601, "the window of 3,600 s is too short"),
        (22, 5, 3601, "the window of 3,600 s is too short"),
    ],
)
def test_the_latest_moment_leaves_time_to_return(hour: int, minute: int, total: int, said: str) -> None:
    now = datetime(2026, 3, 6, hour - 8, minute, tzinfo=UTC)
    expected = Needed(pause=total - 1100, test=100, back=1000, runs=("r-1",))
    why = too_late(expected, NIGHT, "Asia/Shanghai", now)
    assert said in why
    assert bool(why) is bool(said), why
    assert not why or "r-1" in why


def test_windows_that_touch_each_other_are_one() -> None:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    always = Window(days=days, start="00:00", minutes=1440)
    assert opening(always, "Asia/Shanghai", BEGIN).seconds > 7 * 86400
    two = Window(days=["fri", "sat"], start="22:00", minutes=1440)
    assert opening(two, "Asia/Shanghai", datetime(2026, 3, 6, 15, tzinfo=UTC)).seconds == 2 * 86400
    late = Window(days=["thu"], start="22:00", minutes=240)
    found = opening(late, "Asia/Shanghai", datetime(2026, 3, 5, 17, tzinfo=UTC))
    assert found.ends == datetime(2026, 3, 5, 18, tzinfo=UTC)
