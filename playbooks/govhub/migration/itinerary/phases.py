"""The registry: every phase's name with its function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from govhub.core.errors import GovhubError
from govhub.core.events import Event
from govhub.inventory.model.migration import Window
from govhub.migration.itinerary.catalogue import PhaseFunction, Registry
from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.returning import in_time, opening
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.record.approvals import Basis, Verdict, judge
from govhub.migration.record.standing import RunStanding, Standing

GATES = {Step.CUTOVER_APPROVAL: "cutover", Step.ACCEPTANCE: "acceptance", Step.RETIREMENT_APPROVAL: "retirement"}
# Begun only while the approvals of this gate hold: they may have expired while the window was waited for.
GUARDED = {"EnsureWritesStopped": "cutover", "EnsureWiped": "retirement"}
_APPROVAL_LOOK = 60.0
View = Callable[[Context], tuple[Standing, list[Event]]]


def registry(steps: Steps, view: View) -> Registry:
    """All phase functions.

    Args:
        steps: What moves, checks and switches.
        view: What the record says of the context's system, read anew.
    """
    out: dict[str, PhaseFunction] = {}
    for step in Step:
        out[f"Ensure{step}"] = _ensure(steps, step)
        out[f"WaitFor{step}"] = _wait(steps, step)
    for step, gate in GATES.items():
        out[f"Ensure{step}"] = _gate_opened(gate)
        out[f"WaitFor{step}"] = _gate_passed(view, gate)
    out["EnsureWindow"] = _window_known
    out["WaitForWindow"] = in_time(_window_open, view)
    out["EnsureTrialRun"] = _trial_begun
    out["WaitForTrialRun"] = _trial_over(view)
    for name, gate in GUARDED.items():
        out[name] = _guarded(out[name], view, gate)
    out["EnsureDrained"] = _while_stopped(
        steps, out["EnsureDrained"], [out["WaitForWindow"], out["EnsureWritesStopped"]]
    )
    out["EnsureFinalVerification"] = _while_stopped(steps, out["EnsureFinalVerification"], [out["EnsureDrained"]])
    again = [out["EnsureTargetWritesStopped"]]
    out["EnsureReverseDrained"] = _while_stopped(steps, out["EnsureReverseDrained"], again, Step.TARGET_WRITES_STOPPED)
    again = [out["EnsureReverseDrained"]]
    out["EnsureReverseVerification"] = _while_stopped(
        steps, out["EnsureReverseVerification"], again, Step.TARGET_WRITES_STOPPED
    )
    return out


def gate_of(phase: str) -> str:
    """The gate that a phase waits at; empty when it waits for something else."""
    return next((gate for step, gate in GATES.items() if phase == f"WaitFor{step}"), GUARDED.get(phase, ""))


def basis_of(context: Context, standing: Standing, run: RunStanding, gate: str) -> Basis:
    """What the approvals of a gate have to be about."""
    return Basis(
        hub=context.hub,
        system=context.system,
        tenant=context.tenant,
        run=run.id,
        itinerary=run.itinerary,
        gate=gate,
        plan_hash=context.plan_hash,
        evidence_digest=standing.evidence_digest(run, gate),
        operators=frozenset(run.operators | {context.actor}),
    )


def verdict_of(context: Context, standing: Standing, events: list[Event], gate: str) -> Verdict:
    """How a gate of the open run stands now."""
    assert standing.run is not None
    basis = basis_of(context, standing, standing.run, gate)
    approvals = [item for item in events if item.kind == "approval-given"]
    return judge(basis, approvals, context.rules.approvers, context.now)


def window_opens(window: Window, timezone: str, now: datetime) -> float:
    """Seconds until a cutover may begin; 0 within a window."""
    begins = opening(window, timezone, now).begins
    return max((begins - now.astimezone(begins.tzinfo)).total_seconds(), 0.0)


def _ensure(steps: Steps, step: Step) -> PhaseFunction:
    return lambda context: steps.ensure(step, context)


def _wait(steps: Steps, step: Step) -> PhaseFunction:
    return lambda context: steps.look(step, context)


def _gate_opened(gate: str) -> PhaseFunction:
    def opened(context: Context) -> Outcome:
        # Who could say yes belongs into the record: the dossier is checked without the hub's files.
        people = [item.model_dump(mode="json") for item in context.rules.approvers]
        parties = {item["party"] for item in people}
        if len(parties) < 3:
            return Failed(f"migration.approvers names nobody for some of the three parties; it has: {sorted(parties)}")
        return Done({"gate": gate, "approvers": people, "hours": context.rules.approval_hours})

    return opened


def _gate_passed(view: View, gate: str) -> PhaseFunction:
    def passed(context: Context) -> Outcome:
        standing, events = view(context)
        verdict = verdict_of(context, standing, events, gate)
        if not verdict.open:
            return NotYet(_why_closed(verdict), _APPROVAL_LOOK)
        held = {party.value: event.seq for party, event in verdict.holding.items()}
        return Done({"gate": gate, "approvals": held})

    return passed


def _why_closed(verdict: Verdict) -> str:
    missing = ", ".join(party.value for party in verdict.missing)
    words = [f"approval of {missing} is missing"] if missing else []
    words += [f"[{item.code}] {item.summary}" for item in verdict.problems]
    return "; ".join(words)


def _guarded(function: PhaseFunction, view: View, gate: str) -> PhaseFunction:
    def guarded(context: Context) -> Outcome:
        standing, events = view(context)
        verdict = verdict_of(context, standing, events, gate)
        return function(context) if verdict.open else NotYet(_why_closed(verdict), _APPROVAL_LOOK)

    return guarded


def _while_stopped(
    steps: Steps, function: PhaseFunction, before: Sequence[PhaseFunction], side: Step = Step.WRITES_STOPPED
) -> PhaseFunction:
    """Writes may have been let in again when this failed before: then they are stopped anew, in the window."""

    def stopped(context: Context) -> Outcome:
        if not context.rehearsal and _let_in(steps, side, context):
            for earlier in before:
                outcome = earlier(context)
                if not isinstance(outcome, Done):
                    return outcome
        return function(context)

    return stopped


def _let_in(steps: Steps, side: Step, context: Context) -> bool:
    """Whether users write again; where nobody answers, the phase itself finds that, and lets writes in if it can."""
    try:
        return isinstance(steps.look(side, context), Failed)
    except GovhubError:
        return False


def _window_known(context: Context) -> Outcome:
    return Done({"window": context.migration.window.model_dump(mode="json"), "timezone": context.timezone})


def _window_open(context: Context) -> Outcome:
    seconds = window_opens(context.migration.window, context.timezone, context.now)
    if seconds:
        window = context.migration.window
        text = f"the window opens at {window.start} on {', '.join(window.days)} ({context.timezone})"
        return NotYet(text, min(seconds, 3600.0))
    return Done({"opened": context.now.isoformat(timespec="seconds")})


def _trial_begun(context: Context) -> Outcome:
    return Done({"trial_days": context.trial_days})


def _trial_over(view: View) -> PhaseFunction:
    def over(context: Context) -> Outcome:
        standing, _ = view(context)
        until = standing.trial_until(context.trial_days)
        if until is None:
            return Failed("the trial run has not begun")
        if context.now < until:
            left = (until - context.now).total_seconds()
            return NotYet(f"trial run until {until.isoformat(timespec='seconds')}", min(left, 3600.0))
        return Done({"trial_days": context.trial_days, "since": standing.reached["trial"]})

    return over
