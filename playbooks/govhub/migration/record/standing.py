"""Where a system stands: worked out from its events, every time, and never stored beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from govhub.core.canonical import digest
from govhub.core.events import Event
from govhub.migration.record.stages import Stage


@dataclass(slots=True)
class Finished:
    """A phase that is through."""

    phase: str
    seq: int
    time: str
    evidence: dict[str, Any]
    digest: str


@dataclass(slots=True)
class Waiting:
    """What a run waits for."""

    phase: str
    reason: str
    since: str
    look_again_in: float


@dataclass(slots=True)
class RunStanding:
    """One run of an itinerary."""

    id: str
    itinerary: str
    version: int
    program: str
    """The version of govhub that began it."""
    plan_hash: str
    facts: dict[str, Any]
    started: str
    operators: set[str]
    plans: list[tuple[int, str]] = field(default_factory=list)
    generation: int = 0
    """How often it was sent back to its beginning by a changed plan."""
    begun: dict[str, str] = field(default_factory=dict)
    """Phases that were started, with the time."""
    finished: dict[str, Finished] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    """How often a phase has failed."""
    failed: tuple[str, str] | None = None
    """The phase that failed last, and why; None when it was tried again."""
    waiting: Waiting | None = None
    committed: bool = False
    """Past the point of no return: from here it goes on, or is rolled back."""
    held: str = ""
    """Why a person holds the automatic return; empty when nobody does."""
    returning: dict[str, Any] = field(default_factory=dict)
    """The trigger that sends it back: a roll-back is to begin."""
    triggered: set[str] = field(default_factory=set)
    """Keys of the triggers that were entered, so that one occasion is entered once."""
    compared: str = ""
    """When the target was compared with the source last, after the switch."""
    result: str = ""
    """Empty while it is open; `done`, or `superseded`."""

    @property
    def open(self) -> bool:
        """Whether there is something left to do."""
        return not self.result


@dataclass(slots=True)
class Standing:
    """A system as its chain tells it."""

    system: str
    stage: Stage | None = None
    stage_since: str = ""
    reached: dict[str, str] = field(default_factory=dict)
    """When each stage was reached last."""
    runs: list[RunStanding] = field(default_factory=list)
    switched: bool = False
    """Users are on the target."""
    evidence: list[dict[str, Any]] = field(default_factory=list)
    """What was added from outside of runs: ``what``, ``digest``, ``seq``."""

    @property
    def run(self) -> RunStanding | None:
        """The open run."""
        return self.runs[-1] if self.runs and self.runs[-1].open else None

    def evidence_digest(self, run: RunStanding, gate: str) -> str:
        """What approvals are bound to: the run's evidence up to the gate, and all that was added since the run began.

        Names of phases are left out: another version of govhub may call them differently.
        """
        opened = next((item.seq for item in run.finished.values() if opens(item, gate)), -1)
        phases = sorted(item.digest for item in run.finished.values() if item.seq <= opened)
        added = [item["digest"] for item in self.evidence if item["seq"] > run.plans[0][0]]
        return digest({"phases": phases, "added": added})

    def trial_until(self, days: float) -> datetime | None:
        """When the trial run is over; None when it has not begun."""
        if "trial" not in self.reached or self.stage not in (Stage.TRIAL, Stage.ACCEPTED, Stage.RETIRED):
            return None
        return datetime.fromisoformat(self.reached["trial"]) + timedelta(days=days)


def opens(phase: Finished, gate: str) -> bool:
    """Whether this phase has opened a gate: from then on it may be approved."""
    return phase.evidence.get("gate") == gate and "approvers" in phase.evidence


def stand(system: str, events: Iterable[Event]) -> Standing:
    """Fold the events of a chain."""
    out = Standing(system)
    for event in events:
        _apply(out, event)
    return out


def _apply(out: Standing, event: Event) -> None:
    data = event.data
    if event.kind == "migration-run-started":
        _start(out, event)
    elif event.kind == "evidence-added":
        out.evidence.append({"what": data["what"], "digest": data["digest"], "seq": event.seq, "time": event.time})
    elif run := next((item for item in out.runs if item.id == data.get("run")), None):
        _of_run(out, run, event)
    if reached := data.get("reaches"):
        out.stage, out.stage_since = Stage(reached), event.time
        out.reached[reached] = event.time
        if out.stage.rank < Stage.TRIAL.rank:
            for later in list(Stage)[out.stage.rank + 1 :]:
                out.reached.pop(later.value, None)


def _start(out: Standing, event: Event) -> None:
    data = event.data
    if out.run:
        out.run.result = "superseded"
    out.runs.append(
        RunStanding(
            id=data["run"],
            itinerary=data["itinerary"],
            version=data["version"],
            program=data.get("program", ""),
            plan_hash=data["plan_hash"],
            facts=data["facts"],
            started=event.time,
            operators={data["actor"]},
            plans=[(event.seq, data["plan_hash"])],
        )
    )


def _of_run(out: Standing, run: RunStanding, event: Event) -> None:
    data = event.data
    # Whoever only answers is no operator: an approval names its run too.
    if event.kind.startswith(("migration-run-", "phase-", "plan-")) and "actor" in data:
        run.operators.add(data["actor"])
    match event.kind:
        case "migration-run-finished":
            run.result, run.waiting, run.failed = data["result"], None, None
        case "migration-run-mapped":
            run.version = data["to_version"]
            run.finished = {
                new: item for old, item in run.finished.items() if (new := data["phases"].get(old, old)) is not None
            }
            for name in data["passed"]:
                run.finished[name] = Finished(name, event.seq, event.time, {"passed": True}, digest({"passed": True}))
        case "plan-changed":
            _changed(run, event)
        case "return-triggered":
            run.triggered.add(data["key"].removeprefix("return-triggered/"))
            if data["action"] == "return":
                run.returning = {"trigger": data["trigger"], "reason": data["problem"], "seq": event.seq}
        case "return-held":
            run.held = data["reason"] if data["held"] else ""
        case "target-compared":
            run.compared = event.time
        case _:
            _of_phase(out, run, event)


def _of_phase(out: Standing, run: RunStanding, event: Event) -> None:
    data = event.data
    match event.kind:
        case "phase-started":
            run.begun.setdefault(data["phase"], event.time)
            run.failed = None
            run.committed = run.committed or bool(data.get("point_of_no_return"))
        case "phase-waiting":
            since = run.begun.get(data["phase"], event.time)
            run.waiting = Waiting(data["phase"], data["reason"], since, data["look_again_in"])
        case "phase-failed":
            run.attempts[data["phase"]] = run.attempts.get(data["phase"], 0) + 1
            run.failed, run.waiting = (data["phase"], data["problem"]), None
        case "phase-finished":
            run.finished[data["phase"]] = Finished(
                data["phase"], event.seq, event.time, data["evidence"], data["evidence_digest"]
            )
            run.waiting = run.failed = None
            if "switched" in data:
                out.switched = bool(data["switched"])


def _changed(run: RunStanding, event: Event) -> None:
    run.plan_hash, run.facts = event.data["to"], event.data["facts"]
    run.plans.append((event.seq, run.plan_hash))
    if event.data["sent_back"]:
        run.generation += 1
        run.finished, run.begun, run.attempts = {}, {}, {}
        run.waiting = run.failed = None
