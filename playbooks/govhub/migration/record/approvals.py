"""Go and no-go by three parties: signed statements, bound to a plan and its evidence, that expire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from govhub.core.canonical import canonical
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.events import Event
from govhub.inventory.model.migration import Approver, Party
from govhub.migration.record.signing import verifies

SCHEMA = "govhub.approval/1"
Statement = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an approval is about; it holds for nothing else."""

    hub: str
    system: str
    tenant: str
    run: str
    itinerary: str
    gate: str
    plan_hash: str
    evidence_digest: str
    operators: frozenset[str]

    def statement(self, approver: Approver, *, go: bool, reason: str, given: str, expires: str) -> Statement:
        """What the approver signs, in canonical JSON."""
        return {
            "schema": SCHEMA,
            "hub": self.hub,
            "system": self.system,
            "run": self.run,
            "itinerary": self.itinerary,
            "gate": self.gate,
            "plan_hash": self.plan_hash,
            "evidence_digest": self.evidence_digest,
            "party": approver.party.value,
            "name": approver.name,
            "decision": "go" if go else "no-go",
            "reason": reason,
            "given": given,
            "expires": expires,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a gate stands: the approval of each party that holds, and what is wrong with all others."""

    holding: Mapping[Party, Event]
    problems: tuple[Diagnostic, ...]

    @property
    def open(self) -> bool:
        """All three parties say go, and nothing stands against it."""
        return len(self.holding) == len(Party) and not any(item.code in _VETO for item in self.problems)

    @property
    def missing(self) -> list[Party]:
        """Parties without an approval that holds."""
        return [party for party in Party if party not in self.holding]


_VETO = ("APR009",)


def judge(basis: Basis, approvals: Iterable[Event], approvers: Iterable[Approver], now: datetime) -> Verdict:
    """Hold every approval of a gate against what is asked today.

    Of each person the last word counts, so a no-go after a go withdraws it. Nothing is ever taken as approved because
    it could not be checked.

    Raises:
        ToolMissing: signatures cannot be checked (APR013).
    """
    known = {item.name: item for item in approvers}
    last: dict[tuple[str, str], Event] = {}
    for event in approvals:
        said = event.data["statement"]
        if said["run"] == basis.run and said["gate"] == basis.gate:
            last[said["party"], said["name"]] = event
    holding: dict[Party, Event] = {}
    problems: list[Diagnostic] = []
    people: dict[str, Party] = {}
    for event in sorted(last.values(), key=lambda item: item.seq):
        found = problem_of(basis, event.data, known.get(event.data["statement"]["name"]), now)
        party = Party(event.data["statement"]["party"])
        person = _person(event.data, known)
        if found is None and people.get(person, party) is not party:
            found = _same_person(event.data["statement"], people[person])
        if found:
            problems.append(found)
        else:
            holding[party] = event
            people[person] = party
    return Verdict(holding, tuple(problems))


def problem_of(basis: Basis, data: Mapping[str, Any], approver: Approver | None, now: datetime) -> Diagnostic | None:
    """What is wrong with an approval; None when it is a go that holds.

    Args:
        basis: What is to be approved now.
        data: The event's: ``statement`` and ``signature``.
        approver: Who is declared under the name of the statement.
        now: Until when it must hold.
    """
    said: Statement = data["statement"]
    if approver is None:
        return _wrong("APR001", f"{said['name']} is no declared approver", "declare it under migration.approvers")
    objections = (*_about_person(basis, said, data["signature"], approver), *_about_matter(basis, said, now))
    return objections[0] if objections else None


def _about_person(basis: Basis, said: Statement, signature: str, approver: Approver) -> Iterator[Diagnostic]:
    who = f"{said['name']} ({said['party']})"
    if approver.party.value != said["party"] or approver.tenant not in (None, basis.tenant):
        of = f"the department {approver.tenant}" if approver.tenant else f"the {approver.party}"
        yield _wrong("APR003", f"{who} speaks for {of}", f"ask somebody of the {said['party']} of {basis.tenant}")
    elif not verifies(canonical(said), signature, said["name"], approver.key):
        yield _wrong("APR002", f"the signature of {who} is not by the declared key", "sign again, with that key")
    elif said["name"] in basis.operators:
        yield _wrong("APR005", f"{said['name']} runs this migration", "whoever operates does not confirm: ask another")


def _about_matter(basis: Basis, said: Statement, now: datetime) -> Iterator[Diagnostic]:
    who = f"{said['name']} ({said['party']})"
    if (said["hub"], said["system"], said["itinerary"]) != (basis.hub, basis.system, basis.itinerary):
        yield _wrong("APR007", f"the approval of {who} is about something else", _AGAIN)
    if said["decision"] != "go":
        yield _wrong("APR009", f"{who} says no: {said['reason']}", "settle it with them; they may approve again")
    if said["plan_hash"] != basis.plan_hash:
        yield _wrong("APR007", f"the plan has changed since {who} approved", _AGAIN)
    if said["evidence_digest"] != basis.evidence_digest:
        yield _wrong("APR008", f"the evidence has changed since {who} approved", _AGAIN)
    if now >= datetime.fromisoformat(said["expires"]):
        yield _wrong("APR006", f"the approval of {who} has expired at {said['expires']}", _AGAIN)


def same_person(name: str, party: Party, verdict: Verdict, approvers: Iterable[Approver]) -> Diagnostic | None:
    """Whether this person holds another party's approval already, under this name or with the same key."""
    known = {item.name: item for item in approvers}
    mine = _key(known[name].key)
    for other, event in verdict.holding.items():
        said = event.data["statement"]
        if other is not party and (said["name"] == name or _key(known[said["name"]].key) == mine):
            return _same_person({"name": name, "party": party.value}, other)
    return None


_AGAIN = "look at what changed, then approve again"


def _same_person(said: Mapping[str, Any], first: Party) -> Diagnostic:
    hint = "three parties are three people: ask another one"
    return _wrong("APR004", f"{said['name']} has approved for the {first} already", hint)


def _wrong(code: str, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, summary=summary, hint=hint)


def _person(data: Mapping[str, Any], known: Mapping[str, Approver]) -> str:
    approver = known.get(data["statement"]["name"])
    return _key(approver.key) if approver else str(data["statement"]["name"])


def _key(public: str) -> str:
    return " ".join(public.split()[:2])
