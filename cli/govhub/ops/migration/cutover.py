"""``migrate cutover``: from the approval gate over the switch, for systems whose gate and window are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import GovhubError
from govhub.core.exits import Exit
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.phases import verdict_of, window_opens
from govhub.migration.itinerary.returning import needed, too_late
from govhub.migration.itinerary.steps import Step
from govhub.migration.record.standing import RunStanding, opens, stand
from govhub.migration.record.store import Record
from govhub.ops.load import valid_hub
from govhub.ops.migration.ahead import expected
from govhub.ops.migration.records import context_of, opened
from govhub.ops.migration.run import RunSystems, run_systems
from govhub.ops.migration.selecting import systems_of

Document = dict[str, Any]
GATE = "cutover"


def cut_over(request: RunSystems, announce: Callable[[list[Document]], None]) -> Document:
    """Go on with the cutovers that may begin now; the others are refused, each with its reason and way out.

    Args:
        request: Names or waves; with ``wait``, also what opens within that time.
        announce: Is told what each cutover is expected to take, before anything begins.

    Raises:
        InvalidInput: the hub is not valid, or a name is neither a system nor a wave.
    """
    hub, _ = valid_hub(request.hub)
    with opened(hub.name, clock=request.clock) as record:
        names = systems_of(hub, record, request.systems, request.plan)
        looked = {name: _look(hub, record, name, request.wait) for name in names}
    announce([ahead for ahead, _ in looked.values() if ahead])
    ready = tuple(name for name, (_, problems) in looked.items() if not _refused(problems))
    document = run_systems(replace(request, systems=ready, plan=None, itinerary="")) if ready else _empty(hub)
    ran = {item["system"]: item for item in document["systems"]}
    rows = []
    for name, (ahead, problems) in looked.items():
        row = ran.get(name) or {"system": name, "state": "refused", "problems": [], "exit": int(Exit.POLICY)}
        row["problems"] = [item.as_dict() for item in problems] + row["problems"]
        rows.append(row | {"expected": ahead})
    states = ("done", "waiting", "failed", "refused")
    summary = {state: sum(item["state"] == state for item in rows) for state in states}
    return {"schema": "govhub.migrate-cutover/1", "hub": hub.name, "systems": rows, "summary": summary}


def _look(hub: Hub, record: Record, name: str, wait: float) -> tuple[Document | None, list[Diagnostic]]:
    try:
        context = context_of(hub, name, record)
        events = record.events(name)
    except GovhubError as error:
        return None, list(error.diagnostics)
    standing = stand(name, events)
    run = standing.run
    if run is None or run.itinerary != "migrate":
        begin = f"begin it: migrate run {hub.name} {name} --itinerary migrate"
        hint = "it is on the cloud already" if standing.switched and run is None else begin
        return None, [_no("CUT001", name, f"no migration of {name} is under way", hint)]
    if run.committed or _stopped(run):
        # On its way already: what is begun is finished, whatever the hour.
        return None, []
    if not any(opens(item, GATE) for item in run.finished.values()):
        hint = f"`migrate run {hub.name} {name}` takes it there; `migrate status {hub.name} {name}` shows where it is"
        return None, [_no("CUT002", name, f"{name} has not come to the approval of its cutover", hint)]
    ahead = expected(context, record)
    verdict = verdict_of(context, standing, events, GATE)
    problems: list[Diagnostic] = []
    if not verdict.open:
        missing = ", ".join(party.value for party in verdict.missing)
        text = f"the cutover of {name} is not approved" + (f": {missing} missing" if missing else "")
        detail = "\n".join(f"[{item.code}] {item.summary}" for item in verdict.problems)
        hint = f"`migrate approve {hub.name} {name} --party … --as … --key …`; approvals hold for plan and evidence"
        problems.append(_no("CUT003", name, text, hint, detail))
    opens_in = window_opens(context.migration.window, context.timezone, context.now)
    if opens_in > wait:
        text = f"the window of {name} opens {ahead['window']['begins']}"
        hint = "run this again then; --wait SECONDS stays until it opens, `migrate run` at any time parks there"
        problems.append(_no("CUT004", name, text, hint))
    found = needed(events)
    if why := too_late(found, context.migration.window, context.timezone, context.now):
        hint = "wait for the next window, give it more `minutes`, or rehearse again when copying has become faster"
        problems.append(_no("CUT005", name, f"{name}: {why}", hint))
    return ahead, [*problems, *_warnings(name, ahead)]


def _warnings(name: str, ahead: Document) -> list[Diagnostic]:
    seconds, limit = ahead["seconds"], ahead["write_pause_seconds"]
    if seconds["total"] is None:
        text = f"{name} was never rehearsed to its end: how long cutover and return take is not known"
        return [_warning("CUT006", name, text, "rehearse it first: `migrate rehearse`")]
    if seconds["pause"] > limit:
        text = f"{name}: the pause of writes took {seconds['pause']:,.0f} s when rehearsed, {limit:g} s are allowed"
        hint = "it would go back by itself: raise migration.write_pause_seconds, or make the verification faster"
        return [_warning("CUT007", name, text, hint)]
    return []


def _stopped(run: RunStanding) -> bool:
    # After a failure writes were let in again where they were: then the gates count anew.
    return f"Ensure{Step.WRITES_STOPPED}" in run.finished and run.failed is None


def _refused(problems: list[Diagnostic]) -> bool:
    return any(item.severity is Severity.ERROR for item in problems)


def _no(code: str, name: str, summary: str, hint: str, detail: str = "") -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, summary=summary, detail=detail, hint=hint, address=name)


def _warning(code: str, name: str, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.WARNING, summary=summary, hint=hint, address=name)


def _empty(hub: Hub) -> Document:
    return {"schema": "govhub.migrate-run/1", "hub": hub.name, "systems": []}
