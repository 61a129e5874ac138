"""``migrate hold``: a person keeps a run from going back by itself, or lets it again; entered into the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.settings import actor
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Clock, now
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import migration_of, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What ``migrate hold`` was asked for."""

    hub: str
    system: str
    held: bool = True
    reason: str = ""
    clock: Clock = now


def hold(request: Hold) -> dict[str, Any]:
    """Enter that the automatic return of a system's open run is held, or is not any more.

    Raises:
        InvalidInput: a hold without a reason (RUN022), or nothing is declared of the system (RUN013).
        PolicyViolation: no migration of the system is open (RUN023).
    """
    hub, _ = valid_hub(request.hub)
    if request.held and len(request.reason.strip()) < 2:
        raise InvalidInput.one("RUN022", "a hold needs a reason", hint="--reason: it goes into the record")
    migration_of(hub, request.system)
    with opened(hub.name, clock=request.clock) as record:
        events = record.events(request.system)
        run = stand(request.system, events).run
        if run is None or run.itinerary != "migrate":
            raise PolicyViolation.one(
                "RUN023",
                f"no migration of {request.system} is open, so nothing goes back by itself",
                hint="`migrate status` shows where the system stands",
                address=request.system,
            )
        data = {"run": run.id, "held": request.held, "reason": request.reason.strip(), "actor": actor()}
        key = f"return-held/{run.id}/{len(events)}"
        event = record.append("return-held", request.system, data, key=key, decisive=True)
    return {
        "schema": "govhub.migrate-hold/1",
        "hub": hub.name,
        "system": request.system,
        "run": run.id,
        "held": request.held,
        "reason": request.reason.strip(),
        "seq": event.seq,
    }
