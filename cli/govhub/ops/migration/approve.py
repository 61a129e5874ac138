"""``migrate approve``: one party's go or no-go, signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from govhub.core.canonical import canonical
from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation
from govhub.core.events import Event, moment
from govhub.inventory.model.migration import Approver, Party
from govhub.migration.itinerary.phases import basis_of, gate_of, verdict_of
from govhub.migration.itinerary.steps import Context
from govhub.migration.record.approvals import Basis, problem_of, same_person
from govhub.migration.record.signing import sign
from govhub.migration.record.standing import RunStanding, Standing, opens, stand
from govhub.migration.record.store import Clock, Record, now
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import context_of, opened
from govhub.ops.migration.selecting import systems_of

GATES = ("retirement", "acceptance", "cutover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """What ``migrate approve`` was asked for."""

    hub: str
    system: str
    party: Party
    name: str
    key: Path
    go: bool = True
    reason: str = ""
    clock: Clock = now


def approve(request: Approve) -> dict[str, Any]:
    """Sign a statement about the gate that the system's run has come to, and record it.

    Raises:
        InvalidInput: the approver is not declared (APR001), a no-go has no reason (APR011), the key does not sign
            (APR012), or is not the declared one (APR002).
        PolicyViolation: no gate is open (APR010), or this person may not approve (APR003, APR004, APR005).
    """
    hub, _ = valid_hub(request.hub)
    if not request.go and len(request.reason) < 2:
        raise InvalidInput.one("APR011", "a no-go needs a reason", hint="--reason: it goes into the record")
    approver = next((item for item in hub.model.migration.approvers if item.name == request.name), None)
    if approver is None:
        hint = "declare name, party and SSH public key under migration.approvers"
        raise InvalidInput.one("APR001", f"{request.name} is no declared approver", hint=hint)
    with opened(hub.name, clock=request.clock) as record:
        context = context_of(hub, request.system, record)
        events = record.events(request.system)
        standing = stand(request.system, events)
        run, gate = _gate(request.system, standing)
        basis = basis_of(context, standing, run, gate)
        event = _signed(request, record, context, basis, approver, standing, events)
        after = verdict_of(context, standing, [*events, event], gate)
    return {
        "schema": "govhub.migrate-approve/1",
        "hub": hub.name,
        "system": request.system,
        "statement": event.data["statement"],
        "seq": event.seq,
        "gate": gate,
        "open": after.open,
        "missing": [party.value for party in after.missing],
        "problems": [item.as_dict() for item in after.problems],
    }


def approve_all(request: Approve, words: Iterable[str], plan: Path | None = None) -> dict[str, Any]:
    """The same for each of several systems or waves; one that cannot be approved stops nobody else.

    Raises:
        InvalidInput: the hub is not valid, or a word is neither a system nor a wave.
        GovhubError: the only system that was meant could not be approved.
    """
    hub, _ = valid_hub(request.hub)
    with opened(hub.name, clock=request.clock) as record:
        names = systems_of(hub, record, words, plan)
    if len(names) == 1:
        return approve(replace(request, system=names[0]))
    given: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for name in names:
        try:
            given.append(approve(replace(request, system=name)))
        except GovhubError as error:
            problems = [item.as_dict() for item in error.diagnostics]
            refused.append({"system": name, "problems": problems, "exit": int(error.exit)})
    return {"schema": "govhub.migrate-approvals/1", "hub": hub.name, "approvals": given, "refused": refused}


def _gate(system: str, standing: Standing) -> tuple[RunStanding, str]:
    """The gate that was opened last and not come past yet."""
    run = standing.run
    found = next((gate for gate in GATES if run and any(opens(item, gate) for item in run.finished.values())), "")
    waiting = run.waiting.phase if run and run.waiting else ""
    passed = run is not None and run.committed and found == "cutover"
    if run is None or not found or passed:
        raise PolicyViolation.one(
            "APR010",
            f"{system} waits for no approval",
            detail=f"it waits at {waiting}" if waiting and not gate_of(waiting) else "",
            hint="`migrate status` shows where its run stands; `migrate run` takes it to the next gate",
            address=system,
        )
    return run, found


def _signed(
    request: Approve,
    record: Record,
    context: Context,
    basis: Basis,
    approver: Approver,
    standing: Standing,
    events: list[Event],
) -> Event:
    time = record.clock()
    statement = basis.statement(
        approver,
        go=request.go,
        reason=request.reason,
        given=moment(time),
        expires=moment(time + timedelta(hours=context.rules.approval_hours)),
    )
    statement["party"] = request.party.value
    signature = sign(canonical(statement), request.key)
    data = {"run": basis.run, "statement": statement, "signature": signature, "confirmer": approver.name}
    # Whoever runs this command is written down, but is no operator of the migration for it.
    found = problem_of(_without_actor(basis, standing), data, approver, time)
    if found is None:
        before = verdict_of(context, standing, events, basis.gate)
        found = same_person(approver.name, request.party, before, context.rules.approvers)
    if found is not None and not (found.code == "APR009" and not request.go):
        raise _refused(found)
    return record.append(
        "approval-given",
        request.system,
        data | {"public_key": approver.key, "actor": context.actor},
        key=f"approval-given/{basis.run}/{basis.gate}/{approver.name}/{len(events)}",
        decisive=True,
    )


def _without_actor(basis: Basis, standing: Standing) -> Basis:
    return replace(basis, operators=frozenset(standing.run.operators if standing.run else ()))


def _refused(found: Diagnostic) -> InvalidInput | PolicyViolation:
    return (InvalidInput if found.code in ("APR001", "APR002") else PolicyViolation)([found])
