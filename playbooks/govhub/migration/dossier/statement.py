"""The statement of everything: a plain document, derived from a chain of events and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from govhub.core.events import Event
from govhub.migration.dossier.words import STAGE_OF
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import Standing, stand

SCHEMA = "govhub.dossier/1"
Document = dict[str, Any]
_MATTER = ("phase-finished", "phase-failed", "stage-reached", "evidence-added", "plan-changed")


def statement(hub: str, system: str, events: Sequence[Event]) -> Document:
    """What the chain says; the same chain gives the same document.

    Args:
        hub: The hub's name.
        system: The system's name.
        events: The whole chain, at least one event.
    """
    standing = stand(system, events)
    return {
        "schema": SCHEMA,
        "hub": hub,
        "system": system,
        "stage": standing.stage.value if standing.stage else None,
        "reached": standing.reached,
        "switched": standing.switched,
        "plan_hash": standing.runs[-1].plan_hash if standing.runs else None,
        "chain": {
            "events": len(events),
            "first": events[0].time,
            "last": events[-1].time,
            "last_hash": events[-1].hash,
        },
        "stages": [_stage(stage, standing, events) for stage in Stage],
        "returns": [_entry(item) for item in events if _is_return(standing, item)],
        "approvals": [_approval(item) for item in events if item.kind == "approval-given"],
        "runs": [
            {
                "run": run.id,
                "itinerary": run.itinerary,
                "version": run.version,
                "begun_by_version": run.program,
                "started": run.started,
                "operators": sorted(run.operators),
                "result": run.result or "open",
            }
            for run in standing.runs
        ],
    }


def step_of(phase: str) -> str:
    """``Target`` of ``EnsureTarget`` and ``WaitForTarget``."""
    return phase.removeprefix("Ensure").removeprefix("WaitFor")


def _stage(stage: Stage, standing: Standing, events: Iterable[Event]) -> Document:
    entries = [_entry(item) for item in events if _stage_of(standing, item) is stage]
    return {
        "stage": stage.value,
        "title": {"zh": stage.zh, "en": stage.en},
        "reached": standing.reached.get(stage.value),
        "entries": entries,
    }


def _itinerary(standing: Standing, event: Event) -> str:
    return next((run.itinerary for run in standing.runs if run.id == event.data.get("run")), "")


def _is_return(standing: Standing, event: Event) -> bool:
    # What might have sent users back is told with the returns, whether it did or not.
    triggered = event.kind in ("return-triggered", "return-held")
    return triggered or (event.kind in _MATTER and _itinerary(standing, event) in ("rehearse", "cancel", "roll-back"))


def _stage_of(standing: Standing, event: Event) -> Stage | None:
    if event.kind not in _MATTER or _is_return(standing, event):
        return None
    if event.kind == "stage-reached":
        return Stage(event.data["reaches"])
    if event.kind == "plan-changed":
        return Stage.PLANNED
    if event.kind == "evidence-added":
        return Stage.TESTED
    if _itinerary(standing, event) == "retire":
        return Stage.RETIRED
    return STAGE_OF.get(step_of(event.data["phase"]), Stage.MOVED)


def _entry(event: Event) -> Document:
    data = event.data
    return {
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "run": data.get("run"),
        "phase": data.get("phase"),
        "actor": data.get("actor"),
        "what": data.get("what"),
        "problem": data.get("problem"),
        "evidence": data.get("evidence") or data.get("document") or {},
        "digest": data.get("evidence_digest") or data.get("digest") or data.get("to"),
    }


def _approval(event: Event) -> Document:
    said = event.data["statement"]
    return {"seq": event.seq, "time": event.time, "statement": said, "public_key": event.data["public_key"]}
