"""The latest moment at which a cutover may begin so that everything can be back within its window.

    needed = pause + test + return

``pause`` is from the stop of writes to the switch, ``test`` the service test, ``return`` a roll-back from there.
What phases take comes from the record: the longest seen, in the same run where it was tried, else in a rehearsal. A
rehearsal neither stops writes nor switches; these two count :data:`SWITCH` together until a cutover has shown them, and
so do their counterparts on the way back, which is taken to drain and to compare as long as the way there did. What was
never measured at all stays unknown, and so does the sum then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from govhub.core.events import Event
from govhub.inventory.model.migration import Window
from govhub.migration.itinerary.outcome import Done, NotYet, Outcome
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.portfolio.estimate import SWITCH
from govhub.migration.record.spans import Span, spans

COMPARED = (Step.DRAINED, Step.FINAL_VERIFICATION)
FLIPPED = (Step.WRITES_STOPPED, Step.SWITCHED)
BACK = (Step.TARGET_WRITES_STOPPED, Step.REVERSE_DRAINED, Step.REVERSE_VERIFICATION, Step.SWITCHED_BACK)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Seconds that a cutover is expected to take; None is unknown."""

    pause: float | None = None
    test: float | None = None
    back: float | None = None
    runs: tuple[str, ...] = ()
    """Where the figures come from."""
    assumed: tuple[str, ...] = ()
    """What was not measured, and what was taken instead."""

    @property
    def total(self) -> float | None:
        """All of it; None when a part is not known."""
        if self.pause is None or self.test is None or self.back is None:
            return None
        return self.pause + self.test + self.back

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        parts = {"pause": self.pause, "test": self.test, "return": self.back, "total": self.total}
        seconds = {name: None if value is None else round(value, 3) for name, value in parts.items()}
        return {"seconds": seconds, "measured_in": list(self.runs), "assumed": list(self.assumed)}


@dataclass(frozen=True, slots=True)
class Opening:
    """A time in which a cutover may be; windows that touch each other are one."""

    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.ends - self.begins).total_seconds()


def needed(events: Iterable[Event]) -> Needed:
    """What the cutover of a system is expected to take, by its record."""
    seen = spans(events)
    measured = {step: _longest(seen, step) for step in (*COMPARED, *FLIPPED, *BACK, Step.SERVICE_TEST)}
    compared = [measured[step] for step in COMPARED]
    if any(item is None for item in compared):
        return Needed()
    assumed = []
    there = sum(item.seconds for item in compared if item)
    back = [measured[step] for step in BACK]
    used = [*compared, measured[Step.SERVICE_TEST]]
    if all(item is not None for item in back):
        returned = sum(item.seconds for item in back if item)
        used += back
    else:
        returned = there + SWITCH
        assumed.append(f"return: compares as long as the way there did, and {SWITCH:g} s to stop and to switch")
    flipped = [measured[step] for step in FLIPPED]
    if all(item is not None for item in flipped):
        there += sum(item.seconds for item in flipped if item)
        used += flipped
    else:
        there += SWITCH
        assumed.append(f"pause: {SWITCH:g} s to stop and to switch, which no rehearsal does")
    test = measured[Step.SERVICE_TEST]
    return Needed(
        pause=there,
        test=test.seconds if test else None,
        back=returned,
        runs=tuple(sorted({item.run for item in used if item})),
        assumed=tuple(assumed),
    )


def opening(window: Window, timezone: str, now: datetime) -> Opening:
    """The opening that ``now`` is in, else the next one."""
    local = now.astimezone(ZoneInfo(timezone))
    hour, minute = (int(part) for part in window.start.split(":"))
    found: list[Opening] = []
    for offset in range(-4, 18):
        day = local + timedelta(days=offset)
        if _DAYS[day.weekday()] not in window.days:
            continue
        start = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        end = start + timedelta(minutes=window.minutes)
        if found and start <= found[-1].ends:
            found[-1] = Opening(found[-1].begins, max(end, found[-1].ends))
        else:
            found.append(Opening(start, end))
    return next(item for item in found if item.ends > local)


def too_late(expected: Needed, window: Window, timezone: str, now: datetime) -> str:
    """Why a cutover that begins now, or in the next opening, could not be back within it; empty when it could."""
    total = expected.total
    if total is None:
        return ""
    found = opening(window, timezone, now)
    left = (found.ends - max(now.astimezone(found.ends.tzinfo), found.begins)).total_seconds()
    if total <= left:
        return ""
    figures = (
        f"cutover and return take {total:,.0f} s as measured in {', '.join(expected.runs)}"
        f" (pause {expected.pause:,.0f}, test {expected.test:,.0f}, return {expected.back:,.0f})"
    )
    if total > found.seconds:
        return f"the window of {found.seconds:,.0f} s is too short: {figures}"
    latest = found.ends - timedelta(seconds=total)
    return f"too late for this window, which had to be entered by {latest.isoformat(timespec='seconds')}: {figures}"


PhaseFunction = Callable[[Context], Outcome]


def in_time(function: PhaseFunction, view: Callable[[Context], tuple[Any, list[Event]]]) -> PhaseFunction:
    """A look at the window that also asks whether there is time left to return within it."""

    def looked(context: Context) -> Outcome:
        outcome = function(context)
        if not isinstance(outcome, Done) or context.itinerary != "migrate":
            return outcome
        expected = needed(view(context)[1])
        if why := too_late(expected, context.migration.window, context.timezone, context.now):
            return NotYet(why, _LOOK)
        return Done(outcome.evidence | {"expected": expected.as_dict()["seconds"]})

    return looked


@dataclass(frozen=True, slots=True)
class _Measured:
    run: str
    seconds: float


def _longest(seen: list[Span], step: Step) -> _Measured | None:
    """The longest that a step took, to the end of its look; one that waited for a worker only if there is no other."""
    begun = {(item.run, item.generation): item for item in seen if item.phase == f"Ensure{step}"}
    calm: list[_Measured] = []
    waited: list[_Measured] = []
    for item in seen:
        first = begun.get((item.run, item.generation))
        if item.phase != f"WaitFor{step}" or item.ended is None or first is None:
            continue
        # A failed try is none: the next one may have been days later.
        if not (first.failures or item.failures):
            found = _Measured(item.run, (item.ended - first.begun).total_seconds())
            (waited if first.waits or item.waits else calm).append(found)
    return max(calm or waited, key=lambda one: one.seconds, default=None)
