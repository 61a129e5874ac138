"""The hosts layer of a hub: what is declared, what was recorded, what drifted, and the runs that bring it together."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.plan import PlannedChange
from govhub.core.settings import hub_home
from govhub.engine.state import State
from govhub.hosts.fingerprint import SCHEMA, address_of, fingerprint
from govhub.hosts.nodes import JOIN_VARIABLE
from govhub.hosts.outcome import HostOutcome
from govhub.hosts.runner import Play, PlayRequest
from govhub.inventory.loader import Hub
from govhub.ops.hostside import RECORDS, HostsSide, forget_note, hosts_side
from govhub.ops.join import joining
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket
from govhub.ops.requests import RunRequest, Selection
from govhub.ops.runs import Run
from govhub.ops.session import Session


def run_hosts(session: Session, run: Run, request: RunRequest, side: HostsSide, names: Iterable[str]) -> Play:
    """Bring hosts to their declared state; each that comes to its end is recorded, whatever becomes of the others."""
    wanted = tuple(side.declared[name] for name in names)
    noted: set[str] = set()

    def note(outcome: HostOutcome) -> None:
        if outcome.status == "done" and outcome.host not in noted:
            noted.add(outcome.host)
            host = side.declared[outcome.host]
            now = datetime.now(UTC).isoformat(timespec="seconds")
            record = {"schema": SCHEMA, "roles": fingerprint(host), "run": run.id, "time": now}
            session.state.write(f"{RECORDS}{host.name}.json", record)
            forget_note(session.name, host.name)
            run.events.emit("host-finished", host=host.name, changed=len(outcome.changed))
        elif outcome.status in ("failed", "unreachable") and outcome.host not in noted:
            noted.add(outcome.host)
            run.events.emit("host-failed", host=outcome.host, status=outcome.status, why=outcome.why)

    with joining(session, wanted) as token:
        play = Play(
            PlayRequest(
                hosts=wanted,
                folder=session.folder / "ansible",
                serial=request.serial,
                max_fail=request.max_fail,
                timeout=request.timeout,
                secrets={JOIN_VARIABLE: token},
            ),
            note,
        )
        run.lock.when_lost(play.cancel)
        if request.on_start:
            request.on_start(play.cancel)
        run.events.emit("hosts-started", hosts=len(wanted))
        play.run()
    return play


def problems_of(play: Play, what: str = "up") -> list[Diagnostic]:
    """One diagnostic a host that failed or was not reached, and one for a run that ended by itself."""
    out = []
    for outcome in play.outcomes.values():
        if outcome.status == "done" or (play.cancelled and outcome.status == "not reached"):
            continue
        code = {"failed": "HST010", "unreachable": "HST011"}.get(outcome.status, "HST012")
        text = f"{outcome.host}: {outcome.why or 'not tried'}"
        out.append(
            Diagnostic(
                code=code,
                severity=Severity.ERROR,
                summary=text,
                address=address_of(outcome.host),
                hint=f"correct the cause; the next `{what}` goes on with this host",
            )
        )
    return out


def list_hosts(hub_name: str) -> dict[str, Any]:
    """``hosts list``: every host, whether it can be reached, and what a run would do with it."""
    hub, _ = valid_hub(hub_name)
    state = State(hub.name, state_bucket(hub))
    side = hosts_side(hub, state)
    states = standings(hub, side)
    rows = []
    for host in hub.topology.hosts.values():
        reach = side.reached.hosts.get(host.name)
        record = side.recorded.get(host.name)
        rows.append(
            {
                "name": host.name,
                "rack": host.rack,
                "role": host.role.value,
                "cluster": host.cluster or None,
                "address": reach.address if reach else None,
                "state": states[host.name],
                "last_run": record["run"] if record else None,
            }
        )
    return {"schema": "govhub.hosts/1", "hub": hub.name, "hosts": rows}


def standings(hub: Hub, side: HostsSide) -> dict[str, str]:
    """How each declared host stands, from what is recorded: no host is contacted.

    Returns:
        By name ``as declared``, ``changed`` (a run has something to do), ``drifted`` (changed by hand, as the last
        `drift` on this machine noted), ``new`` (no run has come to its end), or ``no address``.
    """
    planned = {change.address: change for change in side.changes(Selection())}
    return {name: _standing(name in side.reached.hosts, planned.get(address_of(name))) for name in hub.topology.hosts}


def summary(hub: Hub, side: HostsSide) -> dict[str, int]:
    """How many hosts are declared, and how many stand how."""
    counts = Counter(standings(hub, side).values())
    words = ("as declared", "changed", "drifted", "new", "no address")
    return {"declared": len(hub.topology.hosts)} | {word.replace(" ", "_"): counts[word] for word in words}


def forget_hosts(hub: Hub) -> None:
    """Drop what is recorded of hosts that are gone."""
    state = State(hub.name, state_bucket(hub))
    for key in list(state.bucket.keys(state.own(RECORDS))):
        state.bucket.delete(key)
    shutil.rmtree(hub_home(hub.name) / "drifted", ignore_errors=True)


def _standing(reachable: bool, change: PlannedChange | None) -> str:
    if not reachable:
        return "no address"
    return {"create": "new", "update": "changed", "repair": "drifted"}[change.op.value] if change else "as declared"
