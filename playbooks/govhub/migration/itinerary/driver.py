"""How one phase is driven from its beginning to its entry in the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from govhub.migration.itinerary.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt at one phase of one run of one system; plain words, so that any worker can take it up."""

    system: str
    run: str
    phase: str
    generation: int
    attempt: int

    @property
    def id(self) -> str:
        """The workflow's name, and the beginning of the keys in the record."""
        return f"{self.run}/{self.generation}/{self.phase}/{self.attempt}"

    def as_dict(self) -> dict[str, Any]:
        """The form that a workflow is given."""
        return asdict(self)


Perform = Callable[[Task], Outcome]
Settle = Callable[[Task, Outcome], None]


class Driver(Protocol):
    """Takes a task through its two steps, and through them again from where it stopped after a crash."""

    def drive(self, task: Task, perform: Perform, settle: Settle) -> Outcome:
        """Perform the phase, then settle its outcome in the record; both may happen again after a crash."""

    def forget(self, run: str) -> None:
        """Let go of everything about a run that is through; the record has it."""


class Plain:
    """Without anything durable of its own: for unit tests, and for looking at the engine alone."""

    def drive(self, task: Task, perform: Perform, settle: Settle) -> Outcome:
        """See :class:`Driver`."""
        outcome = perform(task)
        settle(task, outcome)
        return outcome

    def forget(self, run: str) -> None:
        """See :class:`Driver`."""
