"""Triggers: what goes wrong in a rehearsal or after the switch, what the hub's rules say to it, and whether it is time.

Before the switch :mod:`govhub.migration.moving.together` lets writes in again where they were, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from govhub.core.quantities import parse_quantity
from govhub.inventory.model.migration import AutomaticReturn, Reaction
from govhub.migration.itinerary.outcome import Failed, Outcome
from govhub.migration.itinerary.returning import opening
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.record.standing import RunStanding

WATCHED = (Step.SWITCHED, Step.REVERSE_REPLICATION, Step.SERVICE_TEST)
"""Steps with a time limit: users are on the target, and it is not proven yet that they can work there."""
_STANDING_STILL = (Step.DRAINED, Step.FINAL_VERIFICATION)
"""Steps of the pause of writes; before the switch, their failure lets writes in again by itself."""


class Action(StrEnum):
    """What came of a trigger."""

    RETURN = "return"
    """The way back begins."""
    REPORT = "report"
    """The rules say that people decide."""
    HELD = "held"
    """A person holds it."""
    LATE = "outside of the window"
    """The window is closed, or what is left of it is too short for the way back."""
    BLOCKED = "way back interrupted"
    """The source is not in reach, or does not follow: a return would stop writes for nothing."""
    REHEARSAL = "rehearsal"
    """Nobody is on the target; it would have fired."""


@dataclass(frozen=True, slots=True)
class Fired:
    """One trigger."""

    trigger: str
    """As the rule is called."""
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    """Tells one occasion from the next; the reason when empty."""


def after_outcome(context: Context, run: RunStanding, phase: str, outcome: Outcome) -> list[Fired]:
    """What a phase that failed or has to wait means; ``run`` is as the record has it with that outcome."""
    step = step_of(phase)
    rules = context.rules.automatic_return
    found: list[Fired] = []
    if context.rehearsal and isinstance(outcome, Failed) and step in {item.value for item in _STANDING_STILL}:
        found.append(Fired("before_switch", f"{phase} failed: {outcome.problem}", {"phase": phase}))
    if step not in {item.value for item in WATCHED} or not (run.committed or context.rehearsal):
        return found
    if isinstance(outcome, Failed) and step == Step.SWITCHED:
        found.append(Fired("switch_failed", f"the switch failed: {outcome.problem}", {"phase": phase}))
    if isinstance(outcome, Failed) and step == Step.SERVICE_TEST:
        failures = sum(run.attempts.get(name, 0) for name in _pair(step))
        if failures >= rules.service_tests or context.rehearsal:
            evidence = {"phase": phase, "failures": failures, "allowed": rules.service_tests}
            found.append(Fired("service_test_failed", f"the service test failed: {outcome.problem}", evidence))
    return found + _overran(rules, run, step, context.now)


def _overran(rules: AutomaticReturn, run: RunStanding, step: str, now: datetime) -> list[Fired]:
    begun = min((run.begun[name] for name in _pair(step) if name in run.begun), default=None)
    seconds = (now - datetime.fromisoformat(begun)).total_seconds() if begun else 0.0
    if seconds <= rules.phase_minutes * 60:
        return []
    evidence = {"phase": step, "since": begun, "seconds": round(seconds, 3), "allowed": rules.phase_minutes * 60}
    reason = f"{step} takes longer than {rules.phase_minutes:g} minutes"
    return [Fired("phase_overran", reason, evidence)]


def of_lag(rules: AutomaticReturn, found: Mapping[str, Any]) -> list[Fired]:
    """What the reverse lag of each move means.

    Args:
        rules: The hub's.
        found: By move: ``lag_bytes`` and ``lag_seconds`` (None: unknown), ``problems``.
    """
    out = []
    for move, item in found.items():
        if "lag_bytes" not in item:
            continue
        size, seconds = item["lag_bytes"], item["lag_seconds"]
        evidence = {"move": move} | item
        if problems := item.get("problems"):
            text = f"{move}: the way back is interrupted: {'; '.join(problems)}"
            out.append(Fired("reverse_lag", text, evidence, key=f"{move}/interrupted"))
        elif size is None:
            text = f"{move}: nobody can say how far the source is behind"
            out.append(Fired("reverse_lag", text, evidence, key=f"{move}/unknown"))
        elif size > parse_quantity(rules.lag_size) or (seconds is not None and seconds > rules.lag_seconds):
            text = f"{move}: the source is {size} bytes behind the target" + (f", {seconds:.0f} s" if seconds else "")
            out.append(Fired("reverse_lag", text, evidence, key=f"{move}/behind"))
    return out


def of_rows(found: Mapping[str, Any]) -> list[Fired]:
    """What a comparison of the target with the source means; what could not be verified is no mismatch."""
    out = []
    for move, item in found.items():
        if item.get("verdict") == "differs":
            rows = "; ".join(item.get("rows", [])[:5])
            text = f"{move}: rows of the target differ from the source: {rows}"
            out.append(Fired("mismatch", text, {"move": move} | item))
    return out


def of_pause(context: Context, run: RunStanding) -> list[Fired]:
    """Whether a rehearsal's checks took longer than writes may be stopped."""
    spent = 0.0
    for step in _STANDING_STILL:
        first, last = _pair(step.value)
        if first in run.begun and last in run.finished:
            spent += _between(run.begun[first], run.finished[last].time)
    limit = context.rules.write_pause_seconds
    if spent <= limit:
        return []
    evidence = {"seconds": round(spent, 3), "allowed": limit}
    return [Fired("write_pause", f"writes would have been stopped for more than {limit:g} seconds", evidence)]


def action_of(context: Context, run: RunStanding, fired: Fired) -> Action:
    """What is to be done now."""
    if context.rehearsal:
        return Action.REHEARSAL
    reaction = getattr(context.rules.automatic_return, fired.trigger, Reaction.REPORT)
    if reaction is Reaction.REPORT:
        return Action.REPORT
    if fired.key.endswith(("/unknown", "/interrupted")):
        return Action.BLOCKED
    if run.held:
        return Action.HELD
    if window_left(context) < context.rules.write_pause_seconds:
        return Action.LATE
    return Action.RETURN


def window_left(context: Context) -> float:
    """Seconds until the window that is open now closes; 0 when none is."""
    now = opening(context.migration.window, context.timezone, context.now)
    return (now.ends - context.now).total_seconds() if now.begins <= context.now else 0.0


def step_of(phase: str) -> str:
    """``Switched`` of ``EnsureSwitched`` and ``WaitForSwitched``."""
    return phase.removeprefix("Ensure").removeprefix("WaitFor")


def _pair(step: str) -> tuple[str, str]:
    return f"Ensure{step}", f"WaitFor{step}"


def _between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
