"""``destroy``: remove everything of a hub from its clusters, leave nothing behind, and prove it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.exits import Exit
from govhub.core.kube import Kube
from govhub.core.plan import Op, Plan, PlannedChange
from govhub.core.settings import today
from govhub.core.text import and_more, plural
from govhub.engine.bucket import hub_keys
from govhub.engine.drift import ClusterDrift, DriftKind
from govhub.engine.executor import Job
from govhub.engine.live import list_live
from govhub.engine.planner import CLASS_OF_KIND
from govhub.engine.runner import ShardEngine
from govhub.engine.targets import PINS, pinned
from govhub.ops.capacity.consumed import APPLIED, NARROWED
from govhub.ops.gates import frozen
from govhub.ops.jobs import remove_orphans
from govhub.ops.plan import build_plan
from govhub.ops.requests import RunRequest, RunResult
from govhub.ops.runs import Run, close, executor_of, new_run
from govhub.ops.session import Connection, Session, open_session
from govhub.ops.up import failures, look, reachable_only

GONE_WITHIN = 180.0


def destroy(request: RunRequest) -> RunResult:
    """Delete all that the state records and all that carries the hub's labels; then look whether anything is left.

    Hosts stay as they are, and so does what is recorded of them; plan and result name them.

    Raises:
        PolicyViolation: the deletion was not confirmed by name, or a freeze forbids it.
        LockHeld, ToolMissing, TargetUnreachable, InvalidInput: nothing was deleted.
    """
    if request.selection:
        raise InvalidInput.one(
            "DST001", "destroy takes the whole hub", hint="remove a tenant or system from the files, then run `up`"
        )
    session = open_session(request.hub, with_key=True)
    with new_run(session, "destroy", request) as run:
        session.reread()
        everywhere = session.connect()
        connections = reachable_only(everywhere)
        with run.timed("plan"):
            drift = look(session, connections.values())
            plan = _everything(session, build_plan(session, request.selection, drift), drift)
        untouched = tuple(sorted({*session.hosts.recorded, *session.hosts.declared}))
        plan = dataclasses.replace(plan, findings=tuple(_hosts_stay(untouched)))
        run.save("plan.json", plan.as_dict())
        result = RunResult(run=run.id, folder=run.folder, plan=plan, status="unchanged", untouched=untouched)
        result.problems += [item.problem for item in everywhere.values() if item.problem]
        _gate(session, plan, request)
        if plan.changes and request.approve and not request.approve(plan):
            result.status = "declined"
            return close(session, run, result)
        _engines(session, run, request, result, connections)
        if not run.lock.lost.is_set():
            remove_orphans(run, plan, connections, drift)
        if result.status == "done":
            _prove(session, run, result, connections)
        if result.status == "done" and result.problems:
            result.status, result.failed_exit = "failed", Exit.UNREACHABLE
        return close(session, run, result)


def _everything(session: Session, plan: Plan, drift: Mapping[str, ClusterDrift]) -> Plan:
    """The plan turned into one of deletions: everything recorded, and everything live that carries our labels."""
    changes = [change for change in plan.changes if change.op is Op.DELETE]
    known = {change.address for change in changes}
    recorded = [(shard, identity) for shard, point in session.recorded.items() for identity in point.objects]
    # What a killed run made is in no state, whether or not the files still declare it.
    unknown = [
        (item.shard, item.identity)
        for found in drift.values()
        for item in found.drifted
        if item.kind is DriftKind.UNKNOWN
    ]
    for shard, identity in [*recorded, *unknown]:
        address = f"{shard.cluster}/{shard.stack}/{identity}"
        if address not in known:
            known.add(address)
            changes.append(
                PlannedChange(
                    op=Op.DELETE,
                    address=address,
                    reason="the hub is destroyed",
                    shard=str(shard),
                    kind=identity.kind,
                    data=identity.kind in CLASS_OF_KIND,
                )
            )
    return dataclasses.replace(plan, changes=tuple(changes), unchanged=0, findings=(), capacity=(), consumed=NARROWED)


def _hosts_stay(names: tuple[str, ...]) -> list[Diagnostic]:
    """What is deleted is in clusters; whoever destroys a hub must not believe that its servers are empty."""
    if not names:
        return []
    text = f"hosts are left alone: {plural(len(names), 'host')} and all that is on them: {and_more(list(names), 5)}"
    hint = "take hosts out with `hosts retire`; --wipe overwrites their data"
    return [Diagnostic(code="DST003", severity=Severity.NOTE, summary=text, hint=hint)]


def _gate(session: Session, plan: Plan, request: RunRequest) -> None:
    """Deleting a whole hub takes its name; no budget and no freeze is looked at beyond that, both would only repeat it.

    Raises:
        PolicyViolation: the hub was not named.
    """
    if plan.changes and session.name not in request.confirm:
        refused = PolicyViolation.one(
            "BUD001",
            f"destroying {session.name} deletes {len(plan.changes):,} objects",
            detail="; ".join(item.summary for item in frozen(session.hub, plan.changes, today())),
            hint=f"name the hub: --confirm {session.name} (--yes does not do)",
        )
        raise PolicyViolation([*refused.diagnostics, *plan.findings])


def _engines(
    session: Session, run: Run, request: RunRequest, result: RunResult, connections: dict[str, Connection]
) -> None:
    executor = executor_of(session, run, request, connections)
    jobs = [
        Job(
            shard=shard,
            objects=(),
            touched=frozenset(checkpoint.objects),
            operation="destroy",
        )
        for shard, checkpoint in session.recorded.items()
        if shard.cluster in connections
    ]
    result.jobs = executor.run(jobs, reverse=True)
    result.problems += failures(session, result.jobs)
    failed = any(job.status != "done" for job in result.jobs)
    result.status = "interrupted" if executor.interrupted else "failed" if failed else "done"


def _prove(session: Session, run: Run, result: RunResult, connections: dict[str, Connection]) -> None:
    """Wait for the clusters to finish, list what is left, and only then let go of the state."""
    kubes = [item.kube for item in connections.values() if item.kube]
    with run.timed("proof"):
        left = _left(kubes, session.name)
        deadline = time.monotonic() + GONE_WITHIN
        while left and time.monotonic() < deadline:
            time.sleep(1.0)
            left = _left(kubes, session.name)
    if not left:
        _forget_state(session, connections)
        keys = hub_keys(session.state.bucket, session.name)
        left = [f"state: {key}" for key in keys if _of(session, key, connections)]
    result.leftovers = tuple(left)
    run.events.emit("proof", leftovers=left[:50], clusters=sorted(connections))
    if left:
        result.status = "failed"
        text = f"{len(left)} things are still there after {GONE_WITHIN:.0f} s: {', '.join(left[:3])}"
        result.problems.append(
            Diagnostic(
                code="DST002", severity=Severity.ERROR, summary=text, hint="look at their finalizers, then again"
            )
        )


def _left(kubes: Iterable[Kube], hub: str) -> list[str]:
    return sorted(f"{kube.name}/{identity}" for kube in kubes for identity in list_live(kube, hub))


def _forget_state(session: Session, connections: dict[str, Connection]) -> None:
    """Let go of the state of the clusters that were proven empty; that of an unreachable one stays."""
    settings = session.engine_settings()
    for shard in session.recorded:
        kubeconfig = connections[shard.cluster].kubeconfig if shard.cluster in connections else None
        if kubeconfig:
            ShardEngine(settings, session.name, shard, kubeconfig, lambda: None).forget()
    kept = {name: uid for name, uid in pinned(session.state).items() if name not in connections}
    if kept:
        session.state.write(PINS, kept)
    else:
        session.state.remove(PINS)
    session.state.remove(APPLIED)
    for key in hub_keys(session.state.bucket, session.name):
        if _of(session, key, connections):
            session.state.bucket.delete(key)


def _of(session: Session, key: str, connections: dict[str, Connection]) -> bool:
    """Whether a document of the state belongs to one of these clusters."""
    return any(f"/{session.name}.{name}." in key or f"/intents/{name}." in key for name in connections)
