"""Reading sources: one sweep over those that can be reached, kept privately on this machine with its time."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.core.files import private_folder, write_atomic
from govhub.core.sections import Reading, load_reading, parse
from govhub.core.settings import hub_home
from govhub.hosts.fanout import PARALLEL, Answer, Errand, as_root, fan_out
from govhub.hosts.known import known_keys
from govhub.hosts.reach import Reach, reaches
from govhub.hosts.reading.facts import machine_facts
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import MoveKind
from govhub.migration.portfolio.facts import facts_of
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.probe import SECONDS, command
from govhub.ops.hostread import refused

SCHEMA = "govhub.source-reading/1"
FOLDER = "sources"


@dataclass(slots=True)
class Discovery:
    """What was read of sources, now or before."""

    facts: dict[str, SourceFacts] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    """Where sources are reached."""
    findings: list[Finding] = field(default_factory=list)
    """One for each source that is not known as it should be."""


def discover(hub: Hub, names: Iterable[str], *, offline: bool = False, timeout: float = SECONDS) -> Discovery:
    """Read sources side by side, and keep what they answered; one that fails stops nobody else.

    What was read before stands in for a source that cannot be read now, and is told with its age.

    Args:
        hub: The hub.
        names: The sources.
        offline: Contact nobody; take what was read last.
        timeout: Seconds that a source is given.

    Raises:
        ToolMissing: pyinfra is not installed.
    """
    names = list(names)
    reached = reaches(hub).sources
    out = Discovery(addresses={name: reach.address for name, reach in reached.items()})
    folder = hub_home(hub.name) / FOLDER
    fresh = {} if offline else _read(hub, {name: reached[name] for name in names if name in reached}, timeout, out)
    for name in names:
        saved = _saved(folder / f"{name}.json")
        if name in fresh:
            reading, key = fresh[name]
            if saved and saved[1] and key and saved[1] != key:
                out.findings.append(_changed(name, saved[1], key, saved[0].time))
            private_folder(folder)
            document = {"schema": SCHEMA, "host_key": key, "reading": reading.as_dict()}
            write_atomic(folder / f"{name}.json", json.dumps(document, ensure_ascii=False))
            out.facts[name] = _facts(reading, key)
        elif saved:
            out.facts[name] = _facts(*saved)
        elif offline:
            way = f"govhub migrate assess {hub.name}"
            out.findings.append(_finding("POR002", name, f"{name} was never read", "no saved reading", way))
        elif name not in reached:
            way = "declare its `address`, or `lab: true` and govhub lab up HUB --hosts"
            out.findings.append(_finding("POR004", name, f"nobody knows where {name} answers", "no address", way))
    return out


def _facts(reading: Reading, key: str | None) -> SourceFacts:
    return facts_of(reading, machine_facts(reading), key)


def _read(hub: Hub, reached: dict[str, Reach], timeout: float, out: Discovery) -> dict[str, tuple[Reading, str | None]]:
    """What each source answered, with the key that it proved itself with; the same script for all, in one sweep."""
    moves = [move for migration in hub.model.migrations for move in migration.moves if move.source in reached]
    folders = [move.path for move in moves if move.kind is MoveKind.FILES and move.path]
    units = [move.unit for move in moves if move.kind is MoveKind.APPLICATION and move.unit]
    mark = f"@{secrets.token_hex(16)}"
    line, script = command(mark, folders, units, timeout)
    errand = Errand(command=as_root(line), script=script, timeout=timeout, parallel=PARALLEL)
    found: dict[str, tuple[Reading, str | None]] = {}
    for answer in fan_out(reached, errand):
        sections = parse(answer.output, mark) if answer.status == "answered" else None
        if sections is None:
            out.findings.append(_silent(answer))
            continue
        now = datetime.now(UTC).isoformat(timespec="seconds")
        reading = Reading(host=answer.host, time=now, sections=_own(sections, hub, answer.host))
        found[answer.host] = (reading, _proven(reached[answer.host], reading))
    return found


def _own(sections: dict[str, Any], hub: Hub, name: str) -> dict[str, Any]:
    """Without the units and folders that are declared for other sources."""
    moves = [move for migration in hub.model.migrations for move in migration.moves if move.source == name]
    units, paths = {f"unit {move.unit}" for move in moves}, {move.path for move in moves}
    kept = {key: value for key, value in sections.items() if not key.startswith("unit ") or key in units}
    if "folders" in kept:
        lines = tuple(text for text in kept["folders"].lines if text.split("\t")[0] in paths)
        kept["folders"] = replace(kept["folders"], lines=lines)
    return kept


def _proven(reach: Reach, reading: Reading) -> str | None:
    """The fingerprint on record that the source has too: SSH has checked that it holds such a key."""
    told = {word for line in reading.section("hostkeys").lines for word in line.split() if word.startswith("SHA256:")}
    return next((key for key in known_keys(reach) if key in told), None)


def _saved(path: Path) -> tuple[Reading, str | None] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            return None
        return load_reading(json.dumps(document["reading"])), document["host_key"]
    except (OSError, ValueError, KeyError, TypeError):
        # One that cannot be read is none; the next sweep writes a new one.
        return None


def _silent(answer: Answer) -> Finding:
    told = refused(answer) if answer.status == "answered" else None
    why = told.summary if told else answer.why or "the answer ended half-way"
    way = "look at its SSH, its key in known_hosts, and sudo without a password for the login account"
    return _finding("POR001", answer.host, f"{answer.host} could not be read", why, way)


def _changed(name: str, before: str, now: str, when: str) -> Finding:
    return Finding(
        code="POR003",
        weight=Weight.RISK,
        source=name,
        summary=f"{name} is another machine than before, or was installed anew",
        evidence=f"host key {now}; {before} when it was read {when}",
        way_out="find out why before anything is moved from it",
    )


def _finding(code: str, name: str, summary: str, evidence: str, way_out: str) -> Finding:
    return Finding(code=code, weight=Weight.UNKNOWN, source=name, summary=summary, evidence=evidence, way_out=way_out)
