"""``migrate retire``: the source is archived and wiped by a run, then it leaves the hub's files as a reviewed diff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.settings import today
from govhub.core.text import and_more
from govhub.inventory.editing.sources import SOURCES, gone
from govhub.inventory.editing.trial import Trial, attempt, replace_files
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Source
from govhub.migration.itinerary.steps import Step
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import Standing, stand
from govhub.migration.record.store import Record
from govhub.ops.freed import freed
from govhub.ops.load import valid_hub
from govhub.ops.migration.entries import add_evidence
from govhub.ops.migration.records import migration_of, opened
from govhub.ops.migration.run import RunSystems, run_systems
from govhub.ops.migration.selecting import systems_of

Document = dict[str, Any]
FREED = "source-freed"


def retire_systems(request: RunSystems, confirm: tuple[str, ...] = ()) -> Document:
    """Go on with the retirement of systems, then show what their sources free; confirmed sources leave the files.

    Args:
        request: Names or waves.
        confirm: Sources that are to leave the hub's files.

    Raises:
        InvalidInput: the hub is not valid, a name is not known, or the files cannot be edited.
        PolicyViolation: a source is confirmed that is still needed, or is none of these systems' (RET021).
    """
    hub, _ = valid_hub(request.hub)
    with opened(hub.name, clock=request.clock) as record:
        names = systems_of(hub, record, request.systems, request.plan)
        through = [name for name in names if _is_retired(record, name)]
    to_run = tuple(name for name in names if name not in through)
    document = run_systems(replace(request, systems=to_run, plan=None, itinerary="retire")) if to_run else None
    rows = {item["system"]: item for item in document["systems"]} if document else {}
    for name in through:
        rows[name] = {"system": name, "run": None, "state": "done", "problems": [], "exit": 0}
    with opened(hub.name, clock=request.clock) as record:
        sources, trial = _leave(hub, record, names, confirm)
    states = ("done", "waiting", "failed", "refused")
    ordered = [rows[name] for name in names]
    leaving = [item["source"] for item in sources if item["state"] in ("free", "left now")]
    return {
        "schema": "govhub.migrate-retire/1",
        "hub": hub.name,
        "systems": ordered,
        "summary": {state: sum(item["state"] == state for item in ordered) for state in states},
        "sources": sources,
        "freed": freed(hub, leaving)["racks"],
        "diff": trial.diff,
        "written": bool(confirm) and bool(trial.diff),
    }


def _leave(hub: Hub, record: Record, names: tuple[str, ...], confirm: tuple[str, ...]) -> tuple[list[Document], Trial]:
    sources = [_source(hub, record, source, names) for source in _sources(hub, names)]
    free = [item["source"] for item in sources if item["state"] == "free"]
    if strange := [name for name in confirm if name not in free]:
        state = {item["source"]: item for item in sources}.get(strange[0])
        why = f"it is {state['state']}" if state else "none of these systems has it as a source"
        by = f" by {and_more(state['needed_by'])}" if state and state["needed_by"] else ""
        hint = f"can leave now: {and_more(free)}" if free else "no source can leave now"
        raise PolicyViolation.one("RET021", f'"{strange[0]}" cannot leave the hub\'s files: {why}{by}', hint=hint)
    leaving = list(confirm) or free
    trial = attempt(hub, {SOURCES: gone(hub, leaving, today())}, today()) if leaving else Trial()
    if trial.errors:
        raise InvalidInput(trial.errors)
    if confirm:
        replace_files(hub, trial.before, trial.after)
    for item in sources:
        if item["source"] in confirm:
            item["state"] = "left now"
        # Also for one that left before, when whoever took it out did not come to write it down.
        if item["state"] in ("left now", "gone"):
            _note(record, item, names)
    return sources, trial


def _source(hub: Hub, record: Record, source: Source, names: tuple[str, ...]) -> Document:
    users = [item.system for item in hub.model.migrations if any(move.source == source.name for move in item.moves)]
    needed = [name for name in users if not _is_retired(record, name)]
    state = "gone" if source.retired else "needed" if needed else "free"
    return {
        "source": source.name,
        "state": state,
        "needed_by": needed,
        "retired": source.retired.isoformat() if source.retired else None,
        "rack": source.rack,
        "units": source.units if source.rack else None,
        "watts": source.watts if source.rack else None,
        "address": source.address,
        "wiped": [found for name in users if name in names for found in _wiped(name, record)],
    }


def _wiped(system: str, record: Record) -> list[Document]:
    """The evidence of the wipe, as it stands in the record."""
    out = []
    for run in stand(system, record.events(system)).runs:
        done = run.finished.get(f"Ensure{Step.WIPED}")
        looked = run.finished.get(f"WaitFor{Step.WIPED}")
        if run.itinerary == "retire" and done and looked:
            said = {"system": system, "run": run.id, "time": looked.time, "event": done.seq, "digest": done.digest}
            out.append(said | {"evidence": done.evidence})
    return out


def _note(record: Record, item: Document, names: tuple[str, ...]) -> None:
    for system in names:
        if any(entry["system"] == system for entry in item["wiped"]) and not _noted(record, system, item["source"]):
            held = {key: item[key] for key in ("source", "rack", "units", "watts", "address")}
            wiped = [{key: one[key] for key in ("run", "event", "digest")} for one in item["wiped"]]
            add_evidence(record, system, FREED, held | {"wiped": wiped, "wiped_digest": digest(wiped)})


def _noted(record: Record, system: str, source: str) -> bool:
    added = (event.data for event in record.events(system) if event.kind == "evidence-added")
    return any(data["what"] == FREED and data["document"]["source"] == source for data in added)


def _sources(hub: Hub, names: tuple[str, ...]) -> list[Source]:
    used = {move.source for name in names for move in migration_of(hub, name).moves}
    return [item for item in hub.model.sources if item.name in used]


def _is_retired(record: Record, system: str) -> bool:
    standing: Standing = stand(system, record.events(system))
    return standing.stage is Stage.RETIRED and standing.run is None
