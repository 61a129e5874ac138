"""The plan of record: which wave a system is in, as the last plan that people kept says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from govhub.core.events import Event
from govhub.migration.record.stages import Stage


@dataclass(frozen=True, slots=True)
class Planned:
    """Wave and day of a system in the plan that was entered last."""

    wave: int
    cutover: date | None
    digest: str
    """Of the whole plan: systems with the same one were planned together."""
    time: str


def planned(events: Iterable[Event]) -> Planned | None:
    """The plan that was entered last; None when none was."""
    found = None
    for event in events:
        data = event.data
        if event.kind == "stage-reached" and data.get("reaches") == Stage.PLANNED.value:
            document = data["evidence"]
        elif event.kind == "evidence-added" and data.get("what") == Stage.PLANNED.value:
            document = data["document"]
        else:
            continue
        if isinstance(document.get("wave"), int):
            day = document.get("cutover")
            found = Planned(
                document["wave"], date.fromisoformat(day) if day else None, document.get("digest", ""), event.time
            )
    return found
