"""The engine: reads the record, drives the next phase, and stops where a run has to wait, has failed or is through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import GovhubError, PolicyViolation
from govhub.core.events import Event
from govhub.core.secrets import REDACTOR
from govhub.migration.itinerary.catalogue import Catalogue, Registry
from govhub.migration.itinerary.driver import Driver, Task
from govhub.migration.itinerary.itineraries import Phase
from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.phases import registry
from govhub.migration.itinerary.starting import may_go
from govhub.migration.itinerary.steps import Context, Steps
from govhub.migration.itinerary.watching import Note, Watch
from govhub.migration.record.lease import LEASE_SECONDS, Lease
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import RunStanding, Standing, stand
from govhub.migration.record.store import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A system as the hub's files have it now."""

    context: Context
    """The context of its phases; run, phase and key are filled in for each."""
    steps: Steps
    program: str = ""
    """The version of govhub."""

    @property
    def system(self) -> str:
        """Its name, and that of its chain."""
        return self.context.system


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run came to."""

    system: str
    run: str
    itinerary: str
    state: str
    """`done`, `waiting`, or `failed`."""
    phase: str = ""
    reason: str = ""
    look_again_in: float = 0.0


Listener = Callable[[Event], None]


class Engine:
    """Takes systems through their itineraries."""

    def __init__(
        self,
        record: Record,
        driver: Driver,
        owner: str,
        *,
        catalogue: Catalogue | None = None,
        functions: Callable[[Steps], Registry] | None = None,
        lease: float = LEASE_SECONDS,
        listener: Listener | None = None,
    ) -> None:
        self._record, self._driver, self._owner, self._lease = record, driver, owner, lease
        self._catalogue = catalogue or Catalogue.shipped()
        self._functions = functions or (lambda steps: registry(steps, self._view))
        self._listener = listener or (lambda _: None)

    def advance(self, subject: Subject, itinerary: str = "") -> Progress:
        """Go on with the open run of a system, or begin one of ``itinerary``, until there is nothing to do now.

        Raises:
            LockHeld: another worker is at it.
            PolicyViolation: this itinerary cannot begin now (RUN012), or none is open and none was named (RUN011).
            GovhubError: the record is broken, or this version does not know the run's itinerary or phase.
        """
        with Lease(self._record, subject.system, self._owner, seconds=self._lease) as lease:
            functions = self._functions(subject.steps)
            standing = self._standing(subject.system)
            if lease.taken_from and standing.run:
                self._taken_over(subject, standing.run, lease.taken_from)
            run = self._opened(subject, standing, itinerary)
            run = self._current(subject, run)
            watch = Watch(subject.context, subject.steps, self._record.clock, partial(self._noted, subject))
            while phase := self._catalogue.next_phase(run, functions):
                if because := watch.before(run, phase.name):
                    run = self._turned_back(subject, run, because)
                    continue
                task = self._begun(subject, run, phase)
                outcome = self._driver.drive(
                    task,
                    lambda item, phase=phase: self._perform(subject, functions, item, phase),  # type: ignore[misc]
                    lambda item, out, phase=phase: self._settle(subject, item, out, phase),  # type: ignore[misc]
                )
                if not isinstance(outcome, Done):
                    run = self._run(subject.system, run.id)
                    if because := watch.after(run, phase.name, outcome):
                        run = self._turned_back(subject, run, because)
                        continue
                    if watch.again(run, phase.name, outcome):
                        continue
                    return _progress(subject, run, phase, outcome)
                run = self._run(subject.system, run.id)
            self._append("migration-run-finished", subject, run.id, {"run": run.id, "result": "done"})
            self._driver.forget(run.id)
            return Progress(system=subject.system, run=run.id, itinerary=run.itinerary, state="done")

    def _turned_back(self, subject: Subject, run: RunStanding, because: dict[str, Any]) -> RunStanding:
        """The roll-back that a trigger begins."""
        return self._opened(subject, self._standing(subject.system), "roll-back", because | {"run": run.id})

    def _noted(self, subject: Subject, run: RunStanding, note: Note) -> RunStanding:
        """The run with what its watch has found; what is to begin a way back survives a power cut."""
        if note.compared is not None:
            data = {"run": run.id, "evidence": note.compared, "evidence_digest": digest(note.compared)}
            self._append("target-compared", subject, f"{run.id}/{self._record.clock().isoformat()}", data)
        for key, data in note.triggered:
            self._append("return-triggered", subject, key, data | {"run": run.id}, decisive=True)
        return self._run(subject.system, run.id)

    def _opened(
        self, subject: Subject, standing: Standing, wanted: str, because: dict[str, Any] | None = None
    ) -> RunStanding:
        run = standing.run
        if run and wanted in ("", run.itinerary):
            return run
        may_go(wanted, standing)
        itinerary = self._catalogue.latest(wanted)
        run_id = f"{subject.system}-{wanted}-{sum(item.itinerary == wanted for item in standing.runs) + 1}"
        data = {
            "run": run_id,
            "itinerary": wanted,
            "version": itinerary.version,
            "program": subject.program,
            "plan_hash": subject.context.plan_hash,
            "plan": subject.context.migration.model_dump(mode="json"),
            "facts": dict(subject.context.facts),
            "supersedes": run.id if run else None,
        }
        if because:
            data["because"] = because
        self._append("migration-run-started", subject, run_id, data, decisive=True)
        if run:
            self._driver.forget(run.id)
        return self._run(subject.system, run_id)

    def _current(self, subject: Subject, run: RunStanding) -> RunStanding:
        """The run under the versions and the plan of today; what that changes is recorded."""
        if self._catalogue.itinerary(run) is None:
            carried = self._catalogue.carried(run)
            data = {
                "run": run.id,
                "from_version": run.version,
                "to_version": carried.to.version,
                "phases": carried.phases,
                "passed": carried.passed,
                "program": subject.program,
            }
            self._append("migration-run-mapped", subject, f"{run.id}/{carried.to.version}", data)
            run = self._run(subject.system, run.id)
        if subject.context.plan_hash != run.plan_hash:
            data = {
                "run": run.id,
                "from": run.plan_hash,
                "to": subject.context.plan_hash,
                "plan": subject.context.migration.model_dump(mode="json"),
                "facts": dict(subject.context.facts),
                # Everything up to the switch is done again under the new plan: Ensure phases find what is so already.
                "sent_back": not run.committed,
            }
            self._append("plan-changed", subject, f"{run.id}/{len(run.plans)}", data)
            run = self._run(subject.system, run.id)
        return run

    def _begun(self, subject: Subject, run: RunStanding, phase: Phase) -> Task:
        attempt = run.attempts.get(phase.name, 0) + 1
        task = Task(system=subject.system, run=run.id, phase=phase.name, generation=run.generation, attempt=attempt)
        data: dict[str, Any] = {"run": run.id, "phase": phase.name, "attempt": attempt}
        if phase.point_of_no_return:
            data["point_of_no_return"] = True
        # What cannot be taken back is announced durably before it begins.
        self._append("phase-started", subject, task.id, data, decisive=phase.decisive)
        return task

    def _perform(self, subject: Subject, functions: Registry, task: Task, phase: Phase) -> Outcome:
        context = replace(
            subject.context,
            run=task.run,
            itinerary=self._run(subject.system, task.run).itinerary,
            phase=phase.name,
            key=f"{task.run}/{task.generation}/{task.phase}",
            now=self._record.clock(),
        )
        try:
            return functions[phase.name](context)
        except GovhubError as error:
            if error.diagnostics and error.diagnostics[0].code == "REC005":
                raise
            return Failed.of(error.diagnostics)
        except (OSError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
            # A mistake in one phase must not take the other systems of a wave down.
            return Failed(REDACTOR(f"{type(error).__name__}: {error}")[:500])

    def _settle(self, subject: Subject, task: Task, outcome: Outcome, phase: Phase) -> None:
        base: dict[str, Any] = {"run": task.run, "phase": task.phase}
        match outcome:
            case Done(evidence):
                if phase.reaches:
                    self._may_reach(subject, phase.reaches)
                    base["reaches"] = phase.reaches.value
                if phase.switched is not None:
                    base["switched"] = phase.switched
                data = base | {"evidence": evidence, "evidence_digest": digest(evidence)}
                key = f"{task.run}/{task.generation}/{task.phase}"
                self._append("phase-finished", subject, key, data, decisive=phase.decisive)
            case NotYet(reason, seconds):
                waiting = self._run(subject.system, task.run).waiting
                if waiting is None or (waiting.phase, waiting.reason) != (task.phase, reason):
                    # Only what is new: a trial run of a month is looked at hundreds of times.
                    data = base | {"reason": reason, "look_again_in": round(seconds, 3)}
                    count = len(self._record.unchecked(subject.system))
                    self._append("phase-waiting", subject, f"{task.id}/{count}", data)
            case Failed(problem):
                data = base | {"attempt": task.attempt, "problem": problem}
                self._append("phase-failed", subject, task.id, data)

    def _may_reach(self, subject: Subject, stage: Stage) -> None:
        """Hold acceptance against the trial run once more, wherever the phases come from.

        Raises:
            PolicyViolation: the trial run is not over (REC007).
        """
        if stage is not Stage.ACCEPTED:
            return
        until = self._standing(subject.system).trial_until(subject.context.trial_days)
        if until is None or self._record.clock() < until:
            raise PolicyViolation.one(
                "REC007",
                f"{subject.system} cannot be accepted: its trial run is not over",
                detail=f"it ends {until.isoformat(timespec='seconds')}" if until else "it has not begun",
                hint="wait; `trial_days` of the migration or of the hub says how long",
            )

    def _taken_over(self, subject: Subject, run: RunStanding, former: dict[str, Any]) -> None:
        data = {"run": run.id, "from": former}
        self._append("lease-taken-over", subject, f"{former.get('owner')}/{self._owner}", data)

    def _append(self, kind: str, subject: Subject, key: str, data: dict[str, Any], *, decisive: bool = False) -> None:
        said = data | {"actor": subject.context.actor}
        event = self._record.append(
            kind, subject.system, said, key=f"{kind}/{key}", decisive=decisive, owner=self._owner
        )
        self._listener(event)

    def _standing(self, system: str) -> Standing:
        return stand(system, self._record.events(system))

    def _run(self, system: str, run: str) -> RunStanding:
        return next(item for item in self._standing(system).runs if item.id == run)

    def _view(self, context: Context) -> tuple[Standing, list[Event]]:
        events = self._record.events(context.system)
        return stand(context.system, events), events


def _progress(subject: Subject, run: RunStanding, phase: Phase, outcome: Outcome) -> Progress:
    if isinstance(outcome, Failed):
        state, reason, seconds = "failed", outcome.problem, 0.0
    else:
        assert isinstance(outcome, NotYet)
        state, reason, seconds = "waiting", outcome.reason, outcome.look_again_in
    return Progress(
        system=subject.system,
        run=run.id,
        itinerary=run.itinerary,
        state=state,
        phase=phase.name,
        reason=reason,
        look_again_in=seconds,
    )
