"""What a phase comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.core.secrets import REDACTOR

_DETAIL = 300
"""Characters of what a server or a tool said."""


@dataclass(frozen=True, slots=True)
class Done:
    """The phase is through; ``evidence`` is JSON-like and goes into the record with its digest."""

    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing is wrong, but it has to be waited; seconds until it is worth to look again."""

    reason: str
    look_again_in: float = 30.0


@dataclass(frozen=True, slots=True)
class Failed:
    """It went wrong, or came out wrong: somebody has to look. The next ``migrate run`` tries again."""

    problem: str

    @classmethod
    def of(cls, found: Iterable[Diagnostic]) -> Failed:
        """All of them in one text: what is wrong, what was said, and the way out; the record keeps nothing else."""
        return cls("; ".join(_told(item) for item in found))


def _told(item: Diagnostic) -> str:
    said = " ".join(REDACTOR(item.detail).split())
    detail = f" ({said[:_DETAIL]}{'…' if len(said) > _DETAIL else ''})" if said else ""
    return f"[{item.code}] {item.summary}{detail}{f': {item.hint}' if item.hint else ''}"


Outcome = Done | NotYet | Failed


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """The form in which outcomes are kept between the steps of a durable phase."""
    match outcome:
        case Done(evidence):
            return {"outcome": "done", "evidence": evidence}
        case NotYet(reason, seconds):
            return {"outcome": "not yet", "reason": reason, "look_again_in": seconds}
        case Failed(problem):
            return {"outcome": "failed", "problem": problem}


def from_dict(document: dict[str, Any]) -> Outcome:
    """The outcome behind :func:`as_dict`."""
    match document["outcome"]:
        case "done":
            return Done(document["evidence"])
        case "not yet":
            return NotYet(document["reason"], document["look_again_in"])
        case _:
            return Failed(document["problem"])
