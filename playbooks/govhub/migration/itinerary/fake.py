"""Steps in memory, for tests of the engine: what is true of which system, and what is to fail or to take its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context, Step


@dataclass(slots=True)
class FakeSteps:
    """See :class:`govhub.migration.itinerary.steps.Steps`."""

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """What a phase of this name comes to, instead of Done."""
    watched: Mapping[Step, Outcome] = field(default_factory=dict)
    """What a look at the way back, or at rows, comes to."""
    true: set[tuple[str, Step]] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    """The phases that were asked for, in order."""

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Remember that it is so."""
        if step is Step.SOURCE_ROOM:
            return self.watched.get(step, Done())
        self.calls.append(context.phase)
        outcome = self.outcomes.get(context.phase, Done({"step": step.value}))
        if isinstance(outcome, Done):
            self.true.add((context.system, step))
        return outcome

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it was remembered."""
        if step in (Step.WAY_BACK, Step.CONTINUED_VERIFICATION):
            return self.watched.get(step, Done())
        self.calls.append(context.phase)
        if context.phase in self.outcomes:
            return self.outcomes[context.phase]
        if (context.system, step) not in self.true:
            return Failed(f"{step} was never ensured")
        return Done({"step": step.value})
