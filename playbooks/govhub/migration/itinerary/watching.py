"""What the engine watches of a run: triggers are entered, and those that send a system back are handed over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import GovhubError
from govhub.migration.itinerary import triggers
from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.itinerary.triggers import Action, Fired
from govhub.migration.record.standing import RunStanding

QUIET = ("WaitForTrialRun", "EnsureAcceptance", "WaitForAcceptance")
"""Phases of a run whose users work on the target: each look at them looks at the way back too."""
PARKED = ("WaitForCutoverApproval", "WaitForWindow")
"""Phases that may take days, while the source holds back log for a target that may not answer."""
_AGAIN = 2.0
"""Seconds between two service tests."""


@dataclass(slots=True)
class Note:
    """What is to be entered."""

    triggered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Key and data of each trigger."""
    compared: dict[str, Any] | None = None
    """What a comparison of the target with the source found, by move."""


Entered = Callable[[RunStanding, Note], RunStanding]


class Watch:
    """Holds one run against the hub's rules; see :mod:`govhub.migration.itinerary.triggers`."""

    def __init__(self, context: Context, steps: Steps, clock: Callable[[], datetime], entered: Entered) -> None:
        self._context, self._steps, self._clock, self._entered = context, steps, clock, entered

    def before(self, run: RunStanding, phase: str) -> dict[str, Any]:
        """Why the run goes back before this phase; empty when it does not."""
        if run.itinerary == "rehearse" and phase == "EnsureRehearsalRemoved":
            context = self._now(run)
            return self._enter(context, run, Note(), triggers.of_pause(context, run))
        if run.itinerary == "migrate" and phase in (*PARKED, *QUIET):
            self._protect(run)
        if run.itinerary != "migrate" or run.returning or phase not in QUIET:
            # A worker may have been killed between a trigger and the roll-back that it begins.
            return dict(run.returning) if run.itinerary == "migrate" else {}
        context, note = self._now(run), Note()
        found = triggers.of_lag(context.rules.automatic_return, self._look(Step.WAY_BACK, context))
        if self._due(context, run):
            seen = self._look(Step.CONTINUED_VERIFICATION, context)
            # Parts without rows say nothing.
            note.compared = {name: item for name, item in seen.items() if "verdict" in item} or None
            found += triggers.of_rows(note.compared or {})
        return self._enter(context, run, note, found)

    def after(self, run: RunStanding, phase: str, outcome: Outcome) -> dict[str, Any]:
        """Why the run goes back after this outcome, which the record has; empty when it does not."""
        if run.itinerary not in ("migrate", "rehearse"):
            return {}
        context = self._now(run)
        return self._enter(context, run, Note(), triggers.after_outcome(context, run, phase, outcome))

    def again(self, run: RunStanding, phase: str, outcome: Outcome) -> bool:
        """Whether a service test that failed is tried again at once, after a moment."""
        failed = isinstance(outcome, Failed) and triggers.step_of(phase) == Step.SERVICE_TEST
        if run.itinerary != "migrate" or not failed:
            return False
        tests = sum(run.attempts.get(name, 0) for name in (f"Ensure{Step.SERVICE_TEST}", f"WaitFor{Step.SERVICE_TEST}"))
        if tests >= self._context.rules.automatic_return.service_tests:
            return False
        time.sleep(_AGAIN)
        return True

    def _enter(self, context: Context, run: RunStanding, note: Note, found: list[Fired]) -> dict[str, Any]:
        for fired in found:
            action = triggers.action_of(context, run, fired)
            if action is Action.RETURN and self._interrupted(context):
                action = Action.BLOCKED
            day = context.now.date().isoformat()
            occasion = fired.key or digest({"trigger": fired.trigger, "reason": fired.reason})[:12]
            key = f"{run.id}/{fired.trigger}/{occasion}/{action}/{day}"
            if key in run.triggered:
                continue
            data = {"trigger": fired.trigger, "action": action.value, "problem": fired.reason}
            note.triggered.append((key, data | {"evidence": fired.evidence}))
            if action is Action.RETURN:
                # One reason is enough, and the roll-back names it.
                break
        if not note.triggered and note.compared is None:
            return {}
        return dict(self._entered(run, note).returning)

    def _protect(self, run: RunStanding) -> None:
        """Have the source's disk looked after; what was given up for it is entered."""
        context = self._now(run)
        try:
            self._steps.ensure(Step.SOURCE_ROOM, context)
        except GovhubError as error:
            problem = "; ".join(f"[{item.code}] {item.summary}" for item in error.diagnostics)
            if any(item.code == "MOV051" for item in error.diagnostics):
                self._enter(context, run, Note(), [Fired("source_room", problem, key="given-up")])

    def _due(self, context: Context, run: RunStanding) -> bool:
        if not run.compared:
            return True
        hours = context.rules.automatic_return.verify_hours
        return bool(hours) and context.now >= datetime.fromisoformat(run.compared) + timedelta(hours=hours)

    def _interrupted(self, context: Context) -> bool:
        found = self._look(Step.WAY_BACK, context).values()
        return any(item.get("problems") or item.get("lag_bytes", 0) is None for item in found)

    def _look(self, step: Step, context: Context) -> dict[str, Any]:
        try:
            outcome = self._steps.look(step, context)
        except GovhubError as error:
            problem = "; ".join(f"[{item.code}] {item.summary}" for item in error.diagnostics)
            return _unknown(problem)
        if not isinstance(outcome, Done):
            return _unknown(str(outcome))
        return {name: item for name, item in outcome.evidence.items() if isinstance(item, dict)}

    def _now(self, run: RunStanding) -> Context:
        return replace(self._context, run=run.id, itinerary=run.itinerary, now=self._clock())


def _unknown(problem: str) -> dict[str, Any]:
    """What a look that came to nothing says of the whole system: it could not verify anything."""
    return {
        "system": {
            "lag_bytes": None,
            "lag_seconds": None,
            "problems": [problem],
            "verdict": "could not verify",
        }
    }
