"""``up``: bring a hub to what its files declare, layer by layer, so that any kill is recovered by the next run."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation, TargetUnreachable
from govhub.core.exits import Exit
from govhub.core.kube import Kube
from govhub.core.plan import Plan, SavedPlan, read_saved
from govhub.core.text import and_more
from govhub.engine.drift import ClusterDrift, find_drift
from govhub.engine.executor import JobResult
from govhub.engine.ledger import Ledger
from govhub.engine.state import urn_of
from govhub.engine.targets import pin
from govhub.ops.capacity.consumed import record
from govhub.ops.gates import require_budget, require_values
from govhub.ops.hosts import problems_of, run_hosts
from govhub.ops.hostside import check_limit
from govhub.ops.jobs import build_jobs, remove_orphans, strip_foreign_fields
from govhub.ops.lab import recycle_lab_volumes
from govhub.ops.plan import build_plan
from govhub.ops.readiness import wait_until_ready
from govhub.ops.requests import RunRequest, RunResult
from govhub.ops.runs import Run, close, executor_of, new_run
from govhub.ops.selection import check_selection
from govhub.ops.session import Connection, Session, open_session

SETTLE_SECONDS = 120.0


def up(request: RunRequest) -> RunResult:
    """Plan, ask, and run.

    Raises:
        InvalidInput: the hub, the selection or the saved plan is wrong.
        PolicyViolation: a mandatory rule, a freeze or a deletion budget says no.
        LockHeld, ToolMissing, TargetUnreachable: nothing was written.
    """
    session = open_session(request.hub, with_key=True)
    check_selection(request.selection, session.graph)
    check_limit(request.selection, session.hosts)
    saved = _check_saved(session, request)
    with new_run(session, "up", request) as run:
        session.reread()
        # Another run may have come in between; from here on nobody can.
        _check_saved(session, request)
        with run.timed("verify"):
            wanted = request.selection.has("stacks")
            connections = session.connect(request.selection.clusters) if wanted else {}
        reachable = reachable_only(connections)
        with run.timed("plan"):
            recycle_lab_volumes(session, reachable)
            drift = settled(session, reachable.values())
            plan = build_plan(session, request.selection, drift)
            plan = _without_unreachable(plan, connections)
            if saved:
                plan = _as_saved(plan, saved)
        run.save("plan.json", plan.as_dict())
        run.events.emit("plan-made", summary=plan.summary, hash=plan.as_dict()["hash"])
        result = RunResult(run=run.id, folder=run.folder, plan=plan, status="unchanged")
        result.problems += [item.problem for item in connections.values() if item.problem]
        _gate(session, plan, request)
        if not plan.changes and not Ledger(session.state).unfinished():
            return close(session, run, _concluded(session, run, request, result, reachable))
        if plan.changes and request.approve and not request.approve(plan):
            result.status = "declined"
            return close(session, run, result)
        _execute_hosts(session, run, request, result)
        if result.status != "interrupted":
            _execute(session, run, request, result, reachable, drift)
        return close(session, run, _concluded(session, run, request, result, reachable))


def look(session: Session, connections: Iterable[Connection]) -> dict[str, ClusterDrift]:
    """What is live on each cluster against the recorded state."""
    kubes = [item.kube for item in connections if item.kube]
    with ThreadPoolExecutor(max(len(kubes), 1)) as pool:
        found = pool.map(lambda kube: find_drift(kube, session.name, session.recorded, session.key), kubes)
        return {item.cluster: item for item in found}


def settled(session: Session, connections: Iterable[Connection]) -> dict[str, ClusterDrift]:
    """The same, after deletions that others have begun are through.

    Raises:
        GovhubError: something is still terminating; writing to it would be lost.
    """
    connections = list(connections)
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = look(session, connections)
        waiting = [name for item in found.values() for name in item.terminating]
        if not waiting:
            return found
        if time.monotonic() > deadline:
            raise GovhubError.one(
                "TGT003",
                f"{and_more(waiting, 3)} is still being deleted after {SETTLE_SECONDS:.0f} s",
                hint="look at its finalizers, then run `up` again",
            )
        time.sleep(1.0)


def _check_saved(session: Session, request: RunRequest) -> SavedPlan | None:
    """Refuse a saved plan when the world has moved since.

    Raises:
        InvalidInput: other inputs, another state, another target or other changes than the plan says.
    """
    if request.plan_file is None:
        return None
    try:
        text = request.plan_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("PLN001", f"cannot read the plan {request.plan_file}: {error}") from error
    saved = read_saved(text)
    fresh = build_plan(session, request.selection)
    changes = tuple((change.op.value, change.address) for change in fresh.changes)
    checks = (
        (saved.hub == session.name, f"the plan is for {saved.hub}, not {session.name}"),
        (saved.basis.inputs == fresh.basis.inputs, "the hub's files have changed since the plan"),
        (saved.basis.serials == fresh.basis.serials, "another run has changed the state since the plan"),
        (saved.basis.targets == fresh.basis.targets, "the target clusters are not the ones of the plan"),
        (saved.selection == request.selection.words(), f"the plan was made with {' '.join(saved.selection) or 'all'}"),
        (saved.changes == changes, "the plan has other changes than this version of govhub would make"),
    )
    for holds, text in checks:
        if not holds:
            raise InvalidInput.one("PLN004", text, hint="plan again, and review what is new")
    return saved


def _as_saved(plan: Plan, saved: SavedPlan) -> Plan:
    """Exactly what was reviewed: repairs of hand edits and orphans wait for a run without a saved plan."""
    agreed = set(saved.changes)
    kept = tuple(change for change in plan.changes if (change.op.value, change.address) in agreed)
    return dataclasses.replace(plan, changes=kept)


def reachable_only(connections: dict[str, Connection]) -> dict[str, Connection]:
    """The clusters that answered.

    Raises:
        TargetUnreachable: none did, or one is not the cluster it should be (that is never worked around).
    """
    problems = [item.problem for item in connections.values() if item.problem]
    wrong = [problem for problem in problems if problem.code == "TGT001"]
    if wrong or (connections and len(problems) == len(connections)):
        raise TargetUnreachable(wrong or problems)
    return {name: item for name, item in connections.items() if item.kube}


def _without_unreachable(plan: Plan, connections: dict[str, Connection]) -> Plan:
    alive = {name for name, item in connections.items() if item.kube}
    changes = tuple(
        change for change in plan.changes if change.layer != "stacks" or change.address.partition("/")[0] in alive
    )
    return dataclasses.replace(plan, changes=changes)


def _gate(session: Session, plan: Plan, request: RunRequest) -> None:
    if plan.blocked:
        raise PolicyViolation([item for item in plan.findings if item.severity is Severity.ERROR])
    require_budget(session.hub, plan, request.confirm)
    require_values(session.graph, plan)


def _execute_hosts(session: Session, run: Run, request: RunRequest, result: RunResult) -> None:
    """The hosts layer comes first: what runs on clusters runs on hosts."""
    names = [change.address.partition("/")[2] for change in result.plan.of_layer("hosts")]
    if not names:
        return
    if result.plan.of_layer("stacks"):
        # Before the first write: without an engine nothing is begun.
        session.engine_settings()
    with run.timed("hosts"):
        play = run_hosts(session, run, request, session.hosts, names)
    result.hosts = list(play.outcomes.values())
    result.status = "interrupted" if play.cancelled else "done"
    result.problems += problems_of(play)


def _execute(
    session: Session,
    run: Run,
    request: RunRequest,
    result: RunResult,
    reachable: dict[str, Connection],
    drift: dict[str, ClusterDrift],
) -> None:
    narrowed = bool(result.plan.selection)
    if not result.plan.of_layer("stacks") and (narrowed or not Ledger(session.state).unfinished()):
        return
    # Before the first write: without an engine nothing is begun.
    executor = executor_of(session, run, request, reachable)
    new = pin(session.state, {name: item.uid for name, item in reachable.items()})
    for name in new:
        run.events.emit("target-pinned", cluster=name, uid=reachable[name].uid)
    with run.timed("repair"):
        strip_foreign_fields(run, result.plan, reachable, drift)
    jobs = build_jobs(session, result.plan, drift, set(reachable))
    result.jobs = executor.run(jobs)
    if not run.lock.lost.is_set():
        with run.timed("repair"):
            remove_orphans(run, result.plan, reachable, drift)
    for job in result.jobs:
        stack = job.shard.stack
        # Shards of a layer run side by side; the longest is what the layer took.
        run.layers[stack] = max(run.layers.get(stack, 0.0), job.seconds)
    result.status = "interrupted" if executor.interrupted else "done"
    result.problems += failures(session, result.jobs)


def _concluded(
    session: Session, run: Run, request: RunRequest, result: RunResult, reachable: dict[str, Connection]
) -> RunResult:
    """Look whether workloads run, and decide on the status."""
    kubes: list[Kube] = [item.kube for item in reachable.values() if item.kube]
    if kubes and request.wait and result.status in ("done", "unchanged"):
        stop = threading.Event()
        if request.on_start:
            # Nothing is being written any more: from here on one Ctrl-C is enough.
            request.on_start(stop.set)
        with run.timed("readiness"):
            result.readiness = wait_until_ready(kubes, session.name, request.wait, stop)
        if stop.is_set():
            result.status = "interrupted"
            return result
        found = result.readiness
        run.events.emit("readiness", ready=found.ready, total=found.total, waiting=list(found.waiting)[:20])
        for address, why in found.waiting:
            result.problems.append(
                Diagnostic(
                    code="RDY001",
                    severity=Severity.ERROR,
                    summary=f"{address} is not ready: {why}",
                    address=address,
                    hint="look at its pods; the next `up` looks again",
                )
            )
    errors = [item for item in result.problems if item.severity is Severity.ERROR]
    if not errors and not result.plan.selection and result.status in ("done", "unchanged"):
        record(session.hub, session.state)
    if errors and result.status in ("done", "unchanged"):
        result.status = "failed"
        result.failed_exit = _exit_for(errors)
    return result


def _exit_for(errors: list[Diagnostic]) -> Exit:
    """The exit code of a failed run: a special one only when everything that went wrong is of that kind."""
    for prefixes, code in ((("TGT", "KUB"), Exit.UNREACHABLE), (("LCK",), Exit.LOCKED)):
        if all(item.code.startswith(prefixes) for item in errors):
            return code
    return Exit.FAILED


def failures(session: Session, jobs: list[JobResult]) -> list[Diagnostic]:
    """One diagnostic for each object that failed, each shard that failed as a whole, and each that was not tried."""
    by_urn = {urn_of(session.name, item): item for item in session.graph}
    out = []
    for job in jobs:
        if job.status == "not tried":
            text = f"{job.shard} was not tried: {job.reason}"
            out.append(Diagnostic(code="RUN002", severity=Severity.ERROR, summary=text, hint="run `up` again"))
        for urn, why in job.outcome.failures.items():
            item = by_urn.get(urn)
            address = item.address if item else urn.rpartition("::")[2]
            out.append(
                Diagnostic(
                    code="RUN001",
                    severity=Severity.ERROR,
                    summary=f"{address}: {why}",
                    address=address,
                    source=item.source if item else None,
                )
            )
        out += job.problems
        if job.status == "failed" and not job.outcome.failures and not job.problems:
            text = "; ".join(job.outcome.messages[:2]) or "the engine failed"
            out.append(
                Diagnostic(
                    code="ENG002",
                    severity=Severity.ERROR,
                    summary=f"{job.shard}: {text}",
                    hint="run `up` again; what was finished is not done twice",
                )
            )
    return out
