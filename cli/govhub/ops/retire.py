"""``hosts retire``: a host leaves. Emptied of pods, wiped with evidence, taken out of the files, and forgotten."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation
from govhub.core.events import Listener
from govhub.core.exits import Exit
from govhub.core.files import private_folder
from govhub.core.kube import KINDS
from govhub.core.plan import Op, PlannedChange
from govhub.core.settings import actor, hub_home, today
from govhub.core.text import and_more, did_you_mean
from govhub.hosts.fingerprint import LAYER, address_of
from govhub.inventory.editing.hosts import HOSTS, retired
from govhub.inventory.editing.trial import Trial, attempt, replace_files
from govhub.inventory.limits import only_fitting
from govhub.inventory.loader import Hub
from govhub.inventory.topology import PlacedHost
from govhub.ops.freed import freed
from govhub.ops.gates import frozen
from govhub.ops.hostside import RECORDS, forget_note
from govhub.ops.nodes.emptying import empty, look, reopen
from govhub.ops.requests import RunRequest
from govhub.ops.runs import Run, new_run
from govhub.ops.session import Session, open_session
from govhub.ops.wiping import Leaving, reachable, wipe


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireRequest:
    """Hosts that leave."""

    hub: str
    hosts: tuple[str, ...]
    wipe: bool = False
    confirm: tuple[str, ...] = ()
    """Each host again; without any, it is only shown what would happen."""
    drain_check: bool = True
    """Empty Kubernetes nodes, and insist that nothing runs on them any more."""
    drain_seconds: float = 600.0
    """For the pods of each node to go."""
    listener: Listener | None = None
    timeout: float = 24 * 3600.0
    """Seconds that wiping may take: disks are large."""


@dataclass(slots=True, kw_only=True)
class RetireResult:
    """What leaves, what that frees, and what was done."""

    hub: str
    hosts: list[Leaving]
    trial: Trial
    room: dict[str, Any]
    run: str = ""
    record: Path | None = None
    """The chained events of the run, kept for good: the evidence."""
    problems: list[Diagnostic] = field(default_factory=list)
    failed_exit: Exit = Exit.FAILED

    @property
    def exit(self) -> Exit:
        """OK when nothing is an error."""
        return self.failed_exit if any(item.severity is Severity.ERROR for item in self.problems) else Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.retire/1",
            "hub": self.hub,
            "run": self.run or None,
            "hosts": [item.as_dict() for item in self.hosts],
            "freed": self.room,
            "diff": self.trial.diff,
            "record": str(self.record) if self.record else None,
            "diagnostics": [item.as_dict() for item in self.problems],
        }


def retire(request: RetireRequest) -> RetireResult:
    """Show what it means that hosts leave; with every host confirmed by name, do it.

    A host that cannot be wiped, or whose pods do not go, stays; the others go on.

    Raises:
        InvalidInput: no such host, or the hub would not be valid without them.
        PolicyViolation: not every host is confirmed, the hub is frozen, or what is left is too little.
        LockHeld: a run works on the hub.
    """
    session = open_session(request.hub)
    hub = session.hub
    leaving = [Leaving(host=host) for host in _hosts(hub, request.hosts)]
    names = [item.host.name for item in leaving]
    trial = _tried(hub, names)
    result = RetireResult(hub=hub.name, hosts=leaving, trial=trial, room=freed(hub, names))
    if not request.confirm:
        _look_ahead(session, request, result)
        return result
    _require_confirmation(request, names)
    _require_no_freeze(hub, names)
    with new_run(session, "retire", RunRequest(hub=request.hub, listener=request.listener)) as run:
        session.reread()
        result.run = run.id
        try:
            _leave(session, run, request, result)
        finally:
            # Also when the files could not be written in the end: what was wiped was wiped.
            result.record = _keep(session.name, run)
        run.save("result.json", result.as_dict())
    return result


def _look_ahead(session: Session, request: RetireRequest, result: RetireResult) -> None:
    """Who would have to go; a cluster that cannot be asked is no reason to show nothing."""
    if request.drain_check:
        found = Diagnostics()
        look(session, result.hosts, found, Severity.WARNING)
        result.problems += found


def _leave(session: Session, run: Run, request: RetireRequest, result: RetireResult) -> None:
    found = Diagnostics()
    try:
        ready = reachable(session, result.hosts, found) if request.wipe else result.hosts
        if request.drain_check:
            ready = empty(run, look(session, ready, found, Severity.ERROR), request.drain_seconds, found)
        if request.wipe:
            ready = wipe(session, run, ready, request.timeout, found)
        _take_out(session, run, ready, result)
    finally:
        # Also on Ctrl-C: a node that stays is one that pods may come to.
        reopen(result.hosts, found)
        result.problems += found
    left = [item for item in result.hosts if item.status == "planned"]
    for item in left:
        item.status = "stays"
    seconds = round(time.monotonic() - run.started, 2)
    run.events.emit("run-finished", run=run.id, status="failed" if left else "done", seconds=seconds)


def _hosts(hub: Hub, names: Iterable[str]) -> list[PlacedHost]:
    known = hub.topology.hosts
    found = Diagnostics()
    for name in dict.fromkeys(names):
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {and_more(sorted(known), 8)}"
            found.error("SEL001", f'there is no host "{name[:60]}"', hint=hint)
    if found.errors:
        raise InvalidInput(found.sorted())
    return [known[name] for name in dict.fromkeys(names)]


def _tried(hub: Hub, names: list[str]) -> Trial:
    trial = attempt(hub, {HOSTS: retired(hub, names)}, today())
    if trial.errors:
        short = only_fitting(trial.errors)
        raise (PolicyViolation if short else InvalidInput)(trial.errors)
    return trial


def _require_confirmation(request: RetireRequest, names: list[str]) -> None:
    missing = [name for name in names if name not in request.confirm]
    strange = [name for name in request.confirm if name not in names]
    if missing or strange:
        raise PolicyViolation.one(
            "RET002",
            f"not confirmed: {and_more(missing)}" if missing else f"confirmed, but not to be retired: {strange[0]}",
            hint=f"name exactly those that leave: {' '.join(f'--confirm {name}' for name in names)}",
        )


def _require_no_freeze(hub: Hub, names: list[str]) -> None:
    leaving = [
        PlannedChange(op=Op.DELETE, address=address_of(name), reason="retired", layer=LAYER, kind="Host")
        for name in names
    ]
    if found := frozen(hub, leaving, today()):
        raise PolicyViolation(found)


def _take_out(session: Session, run: Run, ready: list[Leaving], result: RetireResult) -> None:
    """Out of the files first: a host that is still declared but forgotten would be made anew."""
    hub, names = session.hub, [item.host.name for item in ready]
    if len(ready) < len(result.hosts):
        result.trial, result.room = _tried(hub, names), freed(hub, names)
    if not ready:
        return
    replace_files(hub, result.trial.before, result.trial.after)
    for item in ready:
        session.state.remove(f"{RECORDS}{item.host.name}.json")
        forget_note(hub.name, item.host.name)
        item.status = "retired"
        item.node = item.node and not _node_removed(item, result)
        host = item.host
        run.events.emit(
            "host-retired", host=host.name, rack=host.rack, serial=host.serial, wiped=item.wiped, actor=actor()
        )


def _node_removed(item: Leaving, result: RetireResult) -> bool:
    """Nobody else tells the cluster that the node does not come back; whether it knows now."""
    name = item.host.name
    try:
        if item.kube:
            item.kube.delete(KINDS["", "Node"], name)
            return True
    except GovhubError as error:
        hint = f"kubectl delete node {name}"
        text = f"{name} is retired, and its cluster still lists it as a node: {error.diagnostics[0].summary}"
        result.problems.append(
            Diagnostic(code="RET007", severity=Severity.WARNING, summary=text, address=f"hosts/{name}", hint=hint)
        )
    return False


def _keep(hub: str, run: Run) -> Path:
    """A copy of the events where no run folder is ever cleared away."""
    target = private_folder(hub_home(hub) / "retired") / f"{run.id}.ndjson"
    shutil.copyfile(run.folder / "events.ndjson", target)
    target.chmod(0o600)
    return target
