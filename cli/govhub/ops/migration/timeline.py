"""The steps of systems' runs with their times, from the record alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.events import moment
from govhub.migration.record.spans import Span, spans
from govhub.migration.record.store import Clock, now
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import opened
from govhub.ops.migration.selecting import systems_of

Document = dict[str, Any]
_WORDS = ("Ensure", "WaitFor")


def timeline(hub_name: str, words: tuple[str, ...], plan: Path | None = None, *, clock: Clock = now) -> Document:
    """Every run of the systems that ``words`` mean (all with a record when there are none), step by step.

    Raises:
        InvalidInput: the hub is not valid, or a word is neither a system nor a wave.
    """
    hub, _ = valid_hub(hub_name)
    with opened(hub.name, clock=clock) as record:
        names = systems_of(hub, record, words, plan) if words else tuple(record.chains())
        systems: list[Document] = []
        for name in names:
            try:
                systems.append({"system": name, "steps": _steps(spans(record.events(name))), "problem": None})
            except GovhubError as error:
                systems.append({"system": name, "steps": [], "problem": error.diagnostics[0].as_dict()})
        at = moment(record.clock())
    return {"schema": "govhub.migrate-timeline/1", "hub": hub.name, "at": at, "systems": systems}


def _steps(found: list[Span]) -> list[Document]:
    """Phases of a pair as one step: from the beginning of the first to the end of the second."""
    out: dict[tuple[str, int, str], Document] = {}
    for span in found:
        word = next((word for word in _WORDS if span.phase.startswith(word)), "")
        name = span.phase.removeprefix(word)
        key = (span.run, span.generation, name)
        begun = {"run": span.run, "itinerary": span.itinerary, "step": name, "begun": moment(span.begun)}
        step = out.setdefault(key, begun | {"ended": None, "waits": [], "failures": []})
        # The end of the first phase of a pair is not the end of the step.
        step["ended"] = moment(span.ended) if span.ended and word != "Ensure" else None
        step["waits"] += [{"time": moment(time), "reason": reason} for time, reason in span.waits]
        step["failures"] += [{"time": moment(time), "problem": problem} for time, problem in span.failures]
    return list(out.values())
