"""How the papers are laid out: headings, texts and tables that every form of the dossier renders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from govhub.core.events import Event
from govhub.migration.dossier import words
from govhub.migration.dossier.statement import Document, step_of
from govhub.migration.dossier.words import Pair, say
from govhub.migration.record.stages import Stage

_EVIDENCE_WIDTH = 600


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the titles of its columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it."""

    title: str
    text: str = ""
    table: Table | None = None


def title(document: Document, language: str) -> str:
    """The name of the papers."""
    return f"{say(words.TITLE, language)}: {document['system']}"


def sections(document: Document, events: Sequence[Event], language: str) -> Iterator[Section]:
    """All sections, in order."""
    yield _summary(document, language)
    for number, stage in enumerate(document["stages"], start=1):
        reached = f" ({stage['reached']})" if stage["reached"] else ""
        heading = f"{number}. {stage['title'][language]}{reached}"
        yield _entries(heading, stage["entries"], language)
    yield _entries(f"11. {say(words.RETURNS, language)}", document["returns"], language)
    rows = [_approval(item, language) for item in document["approvals"]]
    yield _table(f"12. {say(words.APPROVALS, language)}", words.APPROVAL_COLUMNS, rows, language)
    chain = [_event(item, language) for item in events]
    yield _table(f"13. {say(words.CHAIN, language)}", words.CHAIN_COLUMNS, chain, language)


def _summary(document: Document, language: str) -> Section:
    chain, stage = document["chain"], document["stage"]
    shown = getattr(Stage(stage), language) if stage else "-"
    place = say(words.TARGET if document["switched"] else words.SOURCE, language)
    values = (
        document["system"],
        document["hub"],
        shown,
        place,
        document["plan_hash"] or "-",
        str(chain["events"]),
        chain["first"],
        chain["last"],
        chain["last_hash"],
    )
    rows = tuple((say(name, language), value) for name, value in zip(words.SUMMARY, values, strict=True))
    return Section(title(document, language), say(words.LAYOUT, language), Table(("", ""), rows))


def _entries(heading: str, entries: Iterable[dict[str, Any]], language: str) -> Section:
    rows = [
        (
            str(item["seq"]),
            item["time"],
            _what(item["phase"] or "", item["what"] or "", language),
            item["problem"] or say(words.KINDS[item["kind"]], language),
            item["actor"] or "",
            item["digest"] or "",
            _evidence(item["evidence"]),
        )
        for item in entries
    ]
    return _table(heading, words.COLUMNS, rows, language)


def _table(heading: str, columns: Sequence[Pair], rows: Sequence[tuple[str, ...]], language: str) -> Section:
    if not rows:
        return Section(heading, say(words.NOTHING, language))
    return Section(heading, "", Table(tuple(say(item, language) for item in columns), tuple(rows)))


def _approval(item: dict[str, Any], language: str) -> tuple[str, ...]:
    said = item["statement"]
    return (
        str(item["seq"]),
        item["time"],
        say(words.GATES[said["gate"]], language),
        say(words.PARTIES[said["party"]], language),
        said["name"],
        said["decision"],
        said["reason"],
        said["expires"],
        said["plan_hash"],
        said["evidence_digest"],
    )


def _event(event: Event, language: str) -> tuple[str, ...]:
    data = event.data
    itinerary = words.ITINERARIES.get(data.get("itinerary", ""), ("", ""))
    what = _what(data.get("phase", ""), data.get("reason") or data.get("problem") or say(itinerary, language), language)
    return (
        str(event.seq),
        event.time,
        say(words.KINDS.get(event.kind, (event.kind, event.kind)), language),
        data.get("run") or "",
        what,
        data.get("actor") or "",
        event.hash,
    )


def _what(phase: str, other: str, language: str) -> str:
    if not phase:
        return other
    name = say(words.STEPS.get(step_of(phase), (phase, phase)), language)
    verb = say(words.ENSURE if phase.startswith("Ensure") else words.WAIT, language)
    return f"{name} ({verb}){': ' + other if other else ''}"


def _evidence(evidence: dict[str, Any]) -> str:
    text = json.dumps(evidence, ensure_ascii=False, sort_keys=True) if evidence else ""
    return text if len(text) <= _EVIDENCE_WIDTH else text[: _EVIDENCE_WIDTH - 1] + "…"
