"""``migrate verify HUB SYSTEM``: a system's moves by record and files, with the same ladder as addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from govhub.core.errors import GovhubError, PolicyViolation
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.folders import FolderSteps
from govhub.migration.itinerary.steps import Step, Steps
from govhub.migration.moving.checking import LATE
from govhub.migration.moving.databases import DatabaseSteps
from govhub.migration.moving.together import Together, close
from govhub.migration.moving.trees import TreeSteps
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import Standing, stand
from govhub.migration.record.store import Clock, now
from govhub.migration.sql.opening import open_database
from govhub.migration.sql.port import SqlFailed
from govhub.migration.verify.folders import compare_folders
from govhub.migration.verify.ladder import Ladder
from govhub.migration.verify.result import Verdict, worst
from govhub.ops.load import valid_hub
from govhub.ops.migration.entries import add_evidence
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.records import migration_of, opened
from govhub.ops.migration.verify import VerifyRequest, options_of

Document = dict[str, Any]
Progress = Callable[[str], None]
_LATER = "sequences and large objects follow in the pause of writes; until then they do not count"


def verify_system(
    hub_name: str,
    system: str,
    request: VerifyRequest,
    progress: Progress = lambda _: None,
    *,
    enter: bool = True,
    make: Callable[[Hub, str], Steps] = steps_of,
    clock: Clock = now,
) -> Document:
    """Compare each move's source with its target: in use before the switch, frozen after it.

    Args:
        hub_name: The hub.
        system: The system.
        request: Depth, budget and limits; its addresses are not looked at.
        progress: Is told how it goes.
        enter: Enter the result as evidence when a run is open.
        make: What moves the system.
        clock: The record's.

    Raises:
        InvalidInput: the hub or the system is not known.
        PolicyViolation: there are no two sides to compare (VER008).
        GovhubError: a part of it cannot be moved yet (RUN016).
    """
    hub, _ = valid_hub(hub_name)
    migration = migration_of(hub, system)
    with opened(hub.name, clock=clock) as record:
        events = record.events(system)
        standing = stand(system, events)
        rehearsal = _rehearsal(standing)
        kinds = {move.name: move.kind.value for move in migration.moves}
        steps = make(hub, system)
        try:
            found = [
                item for part in _parts(steps) for item in _part(part, kinds, rehearsal, standing, request, progress)
            ]
        finally:
            close(steps)
        verdict = worst([Verdict(item["verdict"]) for item in found]) if found else Verdict.UNVERIFIED
        event = None
        if enter and standing.run:
            event = add_evidence(record, system, "verification", _evidence(found, verdict, standing, rehearsal))
    run = standing.run
    given = [item for item in events if item.kind == "approval-given" and run and item.data["run"] == run.id]
    return {
        "schema": "govhub.migrate-verify/1",
        "hub": hub.name,
        "system": system,
        "run": run.id if run else None,
        "switched": standing.switched,
        "rehearsal": rehearsal,
        "moves": found,
        "verdict": verdict.value,
        "event": event.seq if event else None,
        "voids": bool(event and given),
    }


def _rehearsal(standing: Standing) -> bool:
    """Whether the copy of a rehearsal is meant.

    Raises:
        PolicyViolation: there are no two sides (VER008).
    """
    run = standing.run
    begun = run is not None and run.itinerary in ("rehearse", "migrate") and f"Ensure{Step.TARGET}" in run.finished
    wiped = standing.stage is Stage.RETIRED or (run and run.itinerary == "retire" and run.committed)
    if wiped or not (standing.switched or begun):
        why = "its source is gone" if wiped else "nothing of it was copied yet"
        hint = "`migrate status` shows where it stands; two databases by their addresses: --source and --target"
        raise PolicyViolation.one("VER008", f"{standing.system} has no two sides to compare: {why}", hint=hint)
    return bool(run and run.itinerary == "rehearse")


def _parts(steps: Steps) -> tuple[Steps, ...]:
    return steps.parts if isinstance(steps, Together) else (steps,)


def _part(
    part: Steps,
    kinds: dict[str, str],
    rehearsal: bool,
    standing: Standing,
    request: VerifyRequest,
    progress: Progress,
) -> list[Document]:
    """What a part came to; parts without data have nothing to compare."""
    if isinstance(part, DatabaseSteps):
        return [_database(part, kinds, rehearsal, standing, request, progress)]
    if isinstance(part, TreeSteps) and not rehearsal:
        return [_tree(part)]
    if isinstance(part, FolderSteps):
        return [
            _move(move.name, "files", compare_folders(move.source, target, named=request.named))
            for move in part.moves
            for target in [move.beside("rehearsal") if rehearsal else move.target]
        ]
    name = getattr(getattr(part, "part", None), "move", None)
    if name is None:
        return []
    return [_unverified(name, kinds.get(name, ""), "nothing compares this kind of move by its system yet")]


def _database(
    steps: DatabaseSteps,
    kinds: dict[str, str],
    rehearsal: bool,
    standing: Standing,
    request: VerifyRequest,
    progress: Progress,
) -> Document:
    name = steps.part.move
    kind = kinds[name]
    try:
        ends = steps.part.ends(rehearsal=rehearsal)
        sides = [open_database(end.dsn(ends.engine)) for end in (ends.source, ends.target)]
        document = Ladder(sides[0], sides[1], options_of(request), progress).run()
    except SqlFailed as failed:
        return _unverified(name, kind, f"a database cannot be read: {failed.text}")
    except GovhubError as error:
        return _unverified(name, kind, "; ".join(item.summary for item in error.diagnostics))
    found = _move(name, kind, document)
    late = [item for item in document["objects"] if item["kind"] in LATE and item["verdict"] != Verdict.PASS.value]
    if late and not standing.switched:
        counted = [*document["tables"], *(item for item in document["objects"] if item["kind"] not in LATE)]
        found["verdict"] = worst([Verdict(item["verdict"]) for item in counted]).value if counted else found["verdict"]
        found["reasons"] = [_LATER]
    return found


def _tree(steps: TreeSteps) -> Document:
    name = steps.part.move
    try:
        return _move(name, "files", steps.part.compare(back=False))
    except GovhubError as error:
        return _unverified(name, "files", "; ".join(item.summary for item in error.diagnostics))


def _move(name: str, kind: str, document: Document) -> Document:
    return {"move": name, "kind": kind, "verdict": document["verdict"], "reasons": [], "document": document}


def _unverified(name: str, kind: str, reason: str) -> Document:
    return {"move": name, "kind": kind, "verdict": Verdict.UNVERIFIED.value, "reasons": [reason], "document": None}


def _evidence(found: list[Document], verdict: Verdict, standing: Standing, rehearsal: bool) -> Document:
    """What the record needs; keys of rows and their values may be personal and stay out."""
    moves = []
    for item in found:
        document = item["document"] or {}
        moves.append(
            {
                "move": item["move"],
                "verdict": item["verdict"],
                "reasons": item["reasons"],
                "digest": document.get("digest"),
                "started": document.get("started"),
                "coverage": document.get("coverage"),
            }
        )
    return {"verdict": verdict.value, "switched": standing.switched, "rehearsal": rehearsal, "moves": moves}
