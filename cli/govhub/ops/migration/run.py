"""``migrate run``: go on with the runs of systems until each has to wait, has failed, or is through."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError, LockHeld
from govhub.core.release import release
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.durable import Durable
from govhub.migration.itinerary.engine import Engine, Listener, Progress, Subject
from govhub.migration.itinerary.starting import may_go
from govhub.migration.itinerary.steps import Steps
from govhub.migration.moving.together import close
from govhub.migration.record.lease import LEASE_SECONDS, new_owner
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Clock, Record, now
from govhub.ops.load import valid_hub
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.records import context_of, durable_address, opened
from govhub.ops.migration.refusing import hold_against_files
from govhub.ops.migration.selecting import systems_of

_SHORTEST = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSystems:
    """What ``migrate run`` was asked for."""

    hub: str
    systems: tuple[str, ...] = ()
    """Systems, or waves such as ``wave-3``; empty: every system with an open run."""
    plan: Path | None = None
    """The plan file that waves are of; else the plan of record."""
    itinerary: str = ""
    """The one to begin where none is open; empty: only go on."""
    wait: float = 0.0
    """Seconds to wait for what runs wait for, before they are left parked."""
    listener: Listener | None = None
    steps: Callable[[Hub, str], Steps] = field(default=steps_of)
    clock: Clock = now
    lease: float = LEASE_SECONDS
    workers: int = 4
    """Systems at the same time."""


def run_systems(request: RunSystems) -> dict[str, Any]:
    """Go on with each system, some side by side; what fails or waits stops nobody else.

    Raises:
        InvalidInput: the hub or a system is not valid.
        GovhubError: nothing could be done for the only system that was named.
    """
    hub, _ = valid_hub(request.hub)
    with opened(hub.name, clock=request.clock) as record:
        names = systems_of(hub, record, request.systems, request.plan) or tuple(open_runs(record))
        # Whoever is named must be there; of a wave each system answers for itself.
        for name in names if set(names) <= set(request.systems) else ():
            context_of(hub, name, record)
        owner = new_owner()
        results = _driven(request, hub, record, owner, list(names)) if names else []
    return {
        "schema": "govhub.migrate-run/1",
        "hub": hub.name,
        "systems": results,
        "summary": {
            state: sum(item["state"] == state for item in results) for state in ("done", "waiting", "failed", "refused")
        },
    }


def open_runs(record: Record) -> list[str]:
    """Systems whose run is open."""
    return [name for name in record.chains() if stand(name, record.unchecked(name)).run]


def _driven(request: RunSystems, hub: Hub, record: Record, owner: str, names: list[str]) -> list[dict[str, Any]]:
    until = time.monotonic() + request.wait
    results: dict[str, dict[str, Any]] = {}
    due = dict.fromkeys(names, 0.0)
    with Durable(durable_address(record), owner) as driver, ThreadPoolExecutor(request.workers) as pool:
        engine = Engine(record, driver, owner, lease=request.lease, listener=request.listener)
        while due:
            ready = sorted(name for name, at in due.items() if at <= time.monotonic())
            # What was begun here must not be begun a second time when it is looked at again.
            wanted = ["" if "run" in results.get(name, {}) else request.itinerary for name in ready]
            found = pool.map(lambda name, way: _one(request, engine, hub, record, name, way), ready, wanted)
            for name, result in zip(ready, found, strict=True):
                results[name] = result
                due[name] = time.monotonic() + max(result.get("look_again_in", 0.0), _SHORTEST)
                if result["state"] not in ("waiting", "busy") or time.monotonic() >= until:
                    del due[name]
            # What is not worth a look before the end of our time is left parked.
            due = {name: at for name, at in due.items() if at <= until}
            if due:
                time.sleep(max(min(*due.values(), until) - time.monotonic(), 0.0))
    for result in results.values():
        if result["state"] == "busy":
            result["state"] = "refused"
    return [results[name] for name in names]


def _one(request: RunSystems, engine: Engine, hub: Hub, record: Record, name: str, itinerary: str) -> dict[str, Any]:
    try:
        context = context_of(hub, name, record)
        # Said before what the files lack: who only wants to go on has nothing to declare. The engine asks once more.
        standing = stand(name, record.unchecked(name))
        may_go(itinerary, standing)
        hold_against_files(hub, name, itinerary, standing.run)
        steps = request.steps(hub, name)
        try:
            return _shown(engine.advance(Subject(context=context, steps=steps, program=release()), itinerary))
        finally:
            close(steps)
    except LockHeld as error:
        return {"system": name, "state": "busy", "problems": _problems(error), "exit": int(error.exit)}
    except GovhubError as error:
        return {"system": name, "state": "refused", "problems": _problems(error), "exit": int(error.exit)}


def _problems(error: GovhubError) -> list[dict[str, Any]]:
    return [item.as_dict() for item in error.diagnostics]


def _shown(progress: Progress) -> dict[str, Any]:
    return {
        "system": progress.system,
        "run": progress.run,
        "itinerary": progress.itinerary,
        "state": progress.state,
        "phase": progress.phase or None,
        "reason": progress.reason or None,
        "look_again_in": progress.look_again_in,
        "problems": [],
        "exit": 1 if progress.state == "failed" else 0,
    }
