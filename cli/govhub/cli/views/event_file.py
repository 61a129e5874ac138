"""``--events FILE``: the same chained form as a run folder's log, with a ``version`` record first."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from govhub.core.errors import GovhubError
from govhub.core.events import EVENTS_VERSION, EventLog
from govhub.core.plan import Plan
from govhub.core.secrets import REDACTOR

if TYPE_CHECKING:
    from govhub.ops.requests import ValidateResult


def open_log(path: Path, command: str, hubs: tuple[str, ...]) -> EventLog:
    """Start the file anew: a chain that was continued by another command would not be one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.is_file():
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    log = EventLog(path, redact=REDACTOR)
    log.emit("version", version=EVENTS_VERSION, command=command, hubs=list(hubs))
    return log


def validated(log: EventLog, result: ValidateResult) -> None:
    """A record for each diagnostic, and one for each hub."""
    for hub in result.as_dict()["hubs"]:
        for item in hub["diagnostics"]:
            log.emit("diagnostic", hub=hub["hub"], diagnostic=item)
        log.emit("hub-validated", hub=hub["hub"], valid=hub["valid"], seconds=hub["seconds"])


def planned(log: EventLog, plan: Plan) -> None:
    """A record for each change, finding and cluster's capacity, and the counts at the end."""
    for change in plan.changes:
        log.emit("change", hub=plan.hub, change=change.as_dict())
    for item in plan.findings:
        log.emit("diagnostic", hub=plan.hub, diagnostic=item.as_dict())
    for delta in plan.capacity:
        log.emit("capacity", hub=plan.hub, capacity=delta.as_dict())
    log.emit("capacity", hub=plan.hub, consumed=plan.consumed.as_dict())
    log.emit("plan-made", hub=plan.hub, summary=plan.summary, hash=plan.as_dict()["hash"])


def failed(log: EventLog, error: GovhubError) -> None:
    """A record for each diagnostic, and the exit code."""
    for item in error.diagnostics:
        log.emit("diagnostic", diagnostic=item.as_dict())
    log.emit("command-failed", exit=int(error.exit))
