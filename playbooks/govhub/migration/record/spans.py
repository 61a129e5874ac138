"""How long phases took: the events of a chain as spans of time, for figures and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from govhub.core.events import Event


@dataclass(slots=True)
class Span:
    """One phase of one run, from its first beginning to its end."""

    run: str
    itinerary: str
    phase: str
    begun: datetime
    ended: datetime | None = None
    """None while it is not through."""
    generation: int = 0
    """Which time round: a changed plan sends a run back to its beginning."""
    waits: list[tuple[datetime, str]] = field(default_factory=list)
    """Since when it waited, and for what."""
    failures: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is not through."""
        return None if self.ended is None else (self.ended - self.begun).total_seconds()


def spans(events: Iterable[Event]) -> list[Span]:
    """The phases of a chain in the order in which they began."""
    out: list[Span] = []
    itineraries: dict[str, str] = {}
    generations: dict[str, int] = {}
    last: dict[tuple[str, int, str], Span] = {}
    for event in events:
        data, time = event.data, datetime.fromisoformat(event.time)
        run = str(data.get("run", ""))
        if event.kind == "migration-run-started":
            itineraries[run] = data["itinerary"]
        elif event.kind == "plan-changed" and data["sent_back"]:
            generations[run] = generations.get(run, 0) + 1
        elif event.kind.startswith("phase-") and run in itineraries:
            generation = generations.get(run, 0)
            key = (run, generation, data["phase"])
            if key not in last:
                last[key] = Span(run, itineraries[run], data["phase"], time, generation=generation)
                out.append(last[key])
            _add(last[key], event, time)
    return out


def _add(span: Span, event: Event, time: datetime) -> None:
    match event.kind:
        case "phase-waiting":
            span.waits.append((time, event.data["reason"]))
        case "phase-failed":
            span.failures.append((time, event.data["problem"]))
        case "phase-finished":
            span.ended = time
