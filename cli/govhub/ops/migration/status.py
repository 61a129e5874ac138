"""``migrate status``: the portfolio by stage, and one system's run; from the record only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.catalogue import Catalogue
from govhub.migration.record.planned import planned
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import RunStanding, Standing, stand
from govhub.migration.record.store import Clock, Record, now
from govhub.ops.load import valid_hub
from govhub.ops.migration.ahead import expected
from govhub.ops.migration.records import context_of, migration_of, opened
from govhub.ops.migration.selecting import systems_of
from govhub.ops.migration.toolplaces import movers_of


def board(
    hub_name: str, words: tuple[str, ...] = (), plan: Path | None = None, *, clock: Clock = now
) -> dict[str, Any]:
    """Every declared or recorded system with its stage, or those that ``words`` (systems or waves) name.

    Raises:
        InvalidInput: the hub is not valid, or a word is neither a system nor a wave.
    """
    hub, _ = valid_hub(hub_name)
    with opened(hub.name, clock=clock) as record:
        recorded = record.chains()
        names = sorted({item.system for item in hub.model.migrations} | set(recorded))
        if words:
            names = sorted(systems_of(hub, record, words, plan))
        rows = [_row(record, name, known=name in recorded) for name in names]
    stages = [
        {"stage": stage.value, "title": {"en": stage.en, "zh": stage.zh}, "systems": _at(rows, stage.value)}
        for stage in Stage
    ]
    return {
        "schema": "govhub.migrate-board/1",
        "hub": hub.name,
        "stages": stages,
        "not_begun": _at(rows, None),
        "systems": rows,
    }


def one_system(hub_name: str, system: str, *, clock: Clock = now) -> dict[str, Any]:
    """One system's stage, its runs and the phases of the last one.

    Raises:
        InvalidInput: the hub is not valid, or nothing is known of the system (RUN013).
        GovhubError: its record is broken (REC004).
    """
    hub, _ = valid_hub(hub_name)
    with opened(hub.name, clock=clock) as record:
        events = record.events(system)
        if not events:
            migration_of(hub, system)
        standing = stand(system, events)
        document = _standing(standing)
        plan = planned(events)
        document |= {
            "schema": "govhub.migrate-status/1",
            "wave": plan.wave if plan else None,
            "planned_cutover": plan.cutover.isoformat() if plan and plan.cutover else None,
            "expected": _expected(hub, system, record, standing),
            "hub": hub.name,
            "events": len(events),
            "last_hash": events[-1].hash if events else None,
            "runs": [_run(item) for item in standing.runs],
        }
    return document


def _expected(hub: Hub, system: str, record: Record, standing: Standing) -> dict[str, Any] | None:
    """What the cutover is expected to take, as long as it is ahead."""
    declared = any(item.system == system for item in hub.model.migrations)
    committed = standing.run is not None and standing.run.committed
    if standing.switched or committed or not declared:
        return None
    return expected(context_of(hub, system, record), record)


def _row(record: Record, name: str, *, known: bool) -> dict[str, Any]:
    if not known:
        return _standing(Standing(name)) | {"wave": None, "problem": None}
    try:
        events = record.events(name)
    except GovhubError as error:
        # One broken chain must not hide the board; and what it says counts for nothing.
        return _standing(Standing(name)) | {"wave": None, "problem": error.diagnostics[0].as_dict()}
    plan = planned(events)
    return _standing(stand(name, events)) | {"wave": plan.wave if plan else None, "problem": None}


def _standing(standing: Standing) -> dict[str, Any]:
    run = standing.run
    return {
        "system": standing.system,
        "stage": standing.stage.value if standing.stage else None,
        "title": {"en": standing.stage.en, "zh": standing.stage.zh} if standing.stage else None,
        "since": standing.stage_since or None,
        "reached": standing.reached,
        "switched": standing.switched,
        "run": run.id if run else None,
        "itinerary": run.itinerary if run else None,
        "state": _state(run),
        "phase": _phase(run),
        "waits_for": run.waiting.reason if run and run.waiting else run.failed[1] if run and run.failed else None,
        "waits_since": run.waiting.since if run and run.waiting else None,
    }


def _state(run: RunStanding | None) -> str | None:
    if run is None:
        return None
    return "failed" if run.failed else "waiting" if run.waiting else "running"


def _phase(run: RunStanding | None) -> str | None:
    if run is None:
        return None
    if run.waiting or run.failed:
        return run.waiting.phase if run.waiting else run.failed[0] if run.failed else None
    return next((name for name in reversed(run.begun) if name not in run.finished), None)


def _run(run: RunStanding) -> dict[str, Any]:
    itinerary = Catalogue.shipped().itinerary(run)
    names = [item.name for item in itinerary.of(run.facts)] if itinerary else list(run.begun)
    return {
        "run": run.id,
        "itinerary": run.itinerary,
        "version": run.version,
        "known": itinerary is not None,
        "plan_hash": run.plan_hash,
        "started": run.started,
        "operators": sorted(run.operators),
        "state": run.result or _state(run),
        "committed": run.committed,
        "movers": movers_of(run),
        "phases": [_of_phase(run, name) for name in names],
    }


def _of_phase(run: RunStanding, name: str) -> dict[str, Any]:
    done = run.finished.get(name)
    waiting = run.waiting if run.waiting and run.waiting.phase == name else None
    failed = run.failed[1] if run.failed and run.failed[0] == name else None
    open_state = "failed" if failed else "waiting" if waiting else "running" if name in run.begun else "to do"
    return {
        "phase": name,
        "state": "done" if done else open_state,
        "started": run.begun.get(name),
        "finished": done.time if done else None,
        "reason": failed or (waiting.reason if waiting else None),
    }


def _at(rows: Iterable[dict[str, Any]], stage: str | None) -> list[str]:
    return [row["system"] for row in rows if row["stage"] == stage]
