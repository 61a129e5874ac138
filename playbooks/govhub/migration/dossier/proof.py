"""What a chain must bear out beyond its hashes: signatures, gates that were open, a trial run that was long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from govhub.core.canonical import canonical, digest
from govhub.core.events import Event
from govhub.inventory.model.migration import Party
from govhub.migration.record.signing import verifies
from govhub.migration.record.standing import stand

Problem = tuple[str, str]


def signatures(hub: str, system: str, events: Sequence[Event]) -> Iterator[Problem]:
    """DOS007: approvals that nobody who might has signed."""
    declared: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind == "phase-finished" and "approvers" in event.data["evidence"]:
            declared = {item["name"]: item for item in event.data["evidence"]["approvers"]}
        if event.kind != "approval-given":
            continue
        said = event.data["statement"]
        person = declared.get(said["name"], {"key": event.data["public_key"], "party": said["party"]})
        about = (said["hub"], said["system"]) == (hub, system)
        signed = verifies(canonical(said), event.data["signature"], said["name"], event.data["public_key"])
        if not about or not signed or person["party"] != said["party"]:
            yield "DOS007", f"the approval of {said['name']} (event {event.seq}) is not signed by them"


def gates(system: str, events: Sequence[Event]) -> Iterator[Problem]:
    """DOS009: gates that were passed although they were not open."""
    for position, event in enumerate(events):
        if event.kind == "phase-finished" and "approvals" in event.data["evidence"]:
            why = _closed(system, events[:position], event)
            if why:
                yield "DOS009", f"the gate of event {event.seq} was not open: {why}"
        if event.kind == "phase-finished" and digest(event.data["evidence"]) != event.data["evidence_digest"]:
            yield "DOS009", f"the evidence of event {event.seq} is not what its digest says"


def trial(events: Sequence[Event]) -> Iterator[Problem]:
    """DOS010: acceptance before the end of the trial run."""
    begun: datetime | None = None
    days = 0.0
    for event in events:
        reached = event.data.get("reaches")
        if reached == "trial":
            begun, days = datetime.fromisoformat(event.time), float(event.data["evidence"]["trial_days"])
        elif event.kind == "phase-finished" and begun and "trial_days" in event.data["evidence"]:
            days = float(event.data["evidence"]["trial_days"])
        elif reached == "accepted" and (
            begun is None or datetime.fromisoformat(event.time) < begun + timedelta(days=days)
        ):
            yield "DOS010", f"accepted (event {event.seq}) before {days:g} days of trial run"


def _closed(system: str, before: Sequence[Event], passed: Event) -> str:
    standing = stand(system, before)
    run = next(item for item in standing.runs if item.id == passed.data["run"])
    gate, held = passed.data["evidence"]["gate"], passed.data["evidence"]["approvals"]
    if any(seq >= len(before) or before[seq].kind != "approval-given" for seq in held.values()):
        return "an approval is missing"
    said = {party: before[seq].data["statement"] for party, seq in held.items()}
    if set(said) != {party.value for party in Party}:
        return "not all three parties had approved"
    keys = {" ".join(before[seq].data["public_key"].split()[:2]) for seq in held.values()}
    names = {item["name"] for item in said.values()}
    if len(keys) < len(said) or len(names) < len(said) or names & run.operators:
        return "the approvers were not three people apart from those who ran it"
    wanted = ("go", run.id, gate, run.plan_hash, standing.evidence_digest(run, gate))
    for party, item in said.items():
        if (item["decision"], item["run"], item["gate"], item["plan_hash"], item["evidence_digest"]) != wanted:
            return f"the {party} had approved something else"
        if datetime.fromisoformat(passed.time) > datetime.fromisoformat(item["expires"]):
            return f"the approval of the {party} had expired"
    return ""
