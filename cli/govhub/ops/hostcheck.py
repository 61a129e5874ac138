"""Hosts in check mode: what Ansible says it would change, for `plan --engine` and for `drift`; no host is changed."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from govhub.core.diff import Change
from govhub.core.files import write_atomic
from govhub.core.plan import Coverage, Plan, PlannedChange
from govhub.core.settings import hub_home
from govhub.hosts.fingerprint import address_of
from govhub.hosts.outcome import HostOutcome
from govhub.hosts.runner import Play, PlayRequest
from govhub.inventory.loader import Hub
from govhub.ops.hostside import HostsSide, forget_note
from govhub.ops.session import Session


def check_planned(session: Session, plan: Plan) -> Plan:
    """The plan with what check mode says of its hosts: changes by task, and what no check mode can predict."""
    names = [change.address.partition("/")[2] for change in plan.of_layer("hosts")]
    if not names:
        return plan
    outcomes = {address_of(name): found for name, found in _check(session.hosts, names).outcomes.items()}
    changes = tuple(
        _merged(change, outcomes[change.address]) if change.address in outcomes else change for change in plan.changes
    )
    unpredicted = [pair for address, found in outcomes.items() for pair in _unpredicted(address, found)]
    known = plan.coverage
    tasks = sum(found.tasks for found in outcomes.values())
    coverage = Coverage(
        known.predicted + tasks, known.total + tasks + len(unpredicted), (*known.unpredicted, *unpredicted)
    )
    return dataclasses.replace(plan, changes=changes, coverage=coverage)


def look_at_hosts(hub: Hub, side: HostsSide) -> Play:
    """Check all recorded hosts, and remember on this machine which differ, for the next `up`."""
    play = _check(side, [name for name in side.declared if name in side.recorded])
    for outcome in play.outcomes.values():
        if outcome.status == "done":
            forget_note(hub.name, outcome.host)
        if outcome.changed:
            path = hub_home(hub.name) / "drifted" / f"{outcome.host}.json"
            write_atomic(path, json.dumps({"tasks": outcome.changed}, ensure_ascii=False))
    return play


def _check(side: HostsSide, names: Iterable[str]) -> Play:
    hosts = tuple(side.declared[name] for name in names)
    # Of its own: checks take no lock, so several may run.
    with tempfile.TemporaryDirectory(prefix="govhub-check-") as folder:
        play = Play(PlayRequest(hosts=hosts, folder=Path(folder), check=True))
        if hosts:
            play.run()
    return play


def _merged(change: PlannedChange, found: HostOutcome) -> PlannedChange:
    tasks = tuple(Change("change", (task,), "as it is", found.diffs.get(task) or "changed") for task in found.changed)
    return dataclasses.replace(change, diff=(*change.diff, *tasks))


def _unpredicted(address: str, found: HostOutcome) -> list[tuple[str, str]]:
    out = [(address, f"{task}: only running it tells") for task in found.unpredicted]
    if found.status != "done":
        # On a bare host a check ends where the first role needs what an earlier one would have installed.
        out.append((address, f"checked no further: {found.why or found.status}"))
    return out
