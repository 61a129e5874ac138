"""``plan``: what a run would do. Without an engine, a cluster or a network unless asked for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import InvalidInput
from govhub.core.plan import Basis, Consumed, Coverage, Op, Plan, PlannedChange
from govhub.core.settings import today
from govhub.engine.drift import ClusterDrift, Drifted, DriftKind
from govhub.engine.ledger import Ledger
from govhub.engine.planner import CLASS_OF_KIND, Draft, as_recorded, draft_plan, planned
from govhub.engine.state import Checkpoint
from govhub.engine.targets import pinned
from govhub.inventory.loader import Hub
from govhub.ops.amounts import capacity_deltas
from govhub.ops.capacity.consumed import NARROWED, since_applied, since_revision
from govhub.ops.capacity.gate import gate
from govhub.ops.gates import frozen, moved, over_budget
from govhub.ops.hostcheck import check_planned
from govhub.ops.hostside import check_limit
from govhub.ops.load import read_folder
from govhub.ops.requests import PlanRequest, PlanResult, Selection
from govhub.ops.revision import hub_at
from govhub.ops.selection import check_selection, narrow
from govhub.ops.session import Declared, Session, declared, open_session
from govhub.stacks.graph import DesiredObject, Shard, Stack
from govhub.stacks.policies import evaluate
from govhub.stacks.render import render

_LAYERS = tuple(stack.value for stack in Stack)


def make_plan(request: PlanRequest) -> PlanResult:
    """Plan one hub against its state, or against another revision.

    Raises:
        InvalidInput: the hub, the selection or the revision is wrong.
        ToolMissing, TargetUnreachable: only with ``engine``.
    """
    if request.against:
        return PlanResult(plan=_against(declared(request.hub), request))
    session = open_session(request.hub)
    check_selection(request.selection, session.graph)
    check_limit(request.selection, session.hosts)
    plan = build_plan(session, request.selection)
    if not request.engine:
        return PlanResult(plan=plan)
    plan = check_planned(session, plan)
    if not request.selection.has("stacks"):
        return PlanResult(plan=plan)
    from govhub.ops.preview import engine_preview

    return PlanResult(plan=plan, preview=engine_preview(session, plan))


def build_plan(session: Session, selection: Selection, drift: Mapping[str, ClusterDrift] | None = None) -> Plan:
    """The plan of a session; with ``drift`` (what is live, by cluster) it also repairs and removes orphans."""
    draft = draft_plan(session.graph, session.recorded)
    if drift:
        _add_live(draft, session, drift)
    known = session.hosts.changes(selection)
    hosts = len(session.hosts.declared) if selection.has("hosts") and not selection.hosts else len(known)
    draft.total += hosts
    draft.unchanged += hosts - len(known)
    taken = NARROWED
    if not selection.words():
        taken = since_applied(session.hub, session.state, fresh=not session.recorded)
    plan = _finish(session, draft, session.recorded, selection, known, taken)
    targets = pinned(session.state)
    serials = {str(shard): checkpoint.serial for shard, checkpoint in session.recorded.items()}
    basis = Basis(inputs=session.hub.inputs, serials=serials, targets=targets)
    return dataclasses.replace(plan, basis=basis)


def _finish(
    session: Declared,
    draft: Draft,
    recorded: Mapping[Shard, Checkpoint],
    selection: Selection,
    hosts: Iterable[PlannedChange] = (),
    taken: Consumed = NARROWED,
) -> Plan:
    changes, pulled_in = narrow(draft.changes, selection, session.graph)
    changes += hosts
    changes.sort(key=_order)
    findings = [*session.warnings, *evaluate(session.hub, session.graph, today()), *gate(session.hub, today())]
    findings += [*frozen(session.hub, changes, today()), *moved(changes)]
    coverage = Coverage(draft.total - len(draft.unpredicted), draft.total, tuple(draft.unpredicted))
    plan = Plan(
        hub=session.name,
        basis=Basis(inputs=session.hub.inputs),
        changes=tuple(changes),
        unchanged=draft.unchanged,
        coverage=coverage,
        capacity=capacity_deltas(session.hub, session.graph, recorded, {change.address for change in changes}),
        consumed=taken,
        selection=selection.words(),
        pulled_in=pulled_in,
    )
    # A plan only announces what `up` will insist on; the way out is a flag of `up`.
    findings += [dataclasses.replace(item, severity=Severity.WARNING) for item in over_budget(session.hub, plan, ())]
    return dataclasses.replace(plan, findings=tuple(sorted(findings, key=Diagnostic.sort_key)))


def _against(session: Declared, request: PlanRequest) -> Plan:
    """What the hub's files change compared with another revision of them; no state is looked at."""
    check_selection(request.selection, session.graph)
    with hub_at(session.hub.folder, request.against) as folder:
        other, baseline = _baseline(folder, request.against) if folder else (None, {})
    draft = draft_plan(session.graph, baseline, request.against)
    # Both sides leave secrets unresolved, so there is nothing that only a run could tell.
    draft.unpredicted.clear()
    taken = NARROWED if request.selection.words() else since_revision(session.hub, other)
    plan = _finish(session, draft, baseline, request.selection, taken=taken)
    return dataclasses.replace(plan, against=request.against)


def _baseline(folder: Path, against: str) -> tuple[Hub, dict[Shard, Checkpoint]]:
    """The other revision as it stands: an exception that has expired there must not block the change that removes it.

    Raises:
        InvalidInput: its files cannot be read or rendered at all.
    """
    other, found = read_folder(folder)
    try:
        if other:
            return other, as_recorded(render(other, problems=Diagnostics()))
    except (KeyError, ValueError, IndexError) as error:
        raise InvalidInput.one("REV005", f"the hub as of {against} cannot be rendered: {error}") from error
    raise InvalidInput([item for item in found if item.severity is Severity.ERROR])


def _add_live(draft: Draft, session: Session, drift: Mapping[str, ClusterDrift]) -> None:
    """Fold what is live into the draft: repairs of hand edits, and objects of ours that nobody declares."""
    wanted = {item.address: item for item in session.graph}
    begun = {item.shard: item.identities for item in Ledger(session.state).unfinished()}
    planned_already = {change.address for change in draft.changes}
    for cluster in drift.values():
        for item in cluster.drifted:
            if item.address in planned_already:
                continue
            if item.kind is not DriftKind.UNKNOWN and item.address in wanted:
                draft.changes.append(_repair(wanted[item.address], item))
                draft.unchanged -= 1
            elif item.kind is DriftKind.UNKNOWN and item.address not in wanted:
                draft.total += 1
                draft.changes.append(_orphan(item, undo=item.identity in begun.get(item.shard, ())))


def _repair(wanted: DesiredObject, drifted: Drifted) -> PlannedChange:
    what = "was deleted" if drifted.kind is DriftKind.DELETED else "was edited"
    return planned(wanted, Op.REPAIR, f"{what} on the cluster by somebody else", drifted.diff)


def _orphan(drifted: Drifted, *, undo: bool) -> PlannedChange:
    labels = drifted.live.body["metadata"].get("labels") or {} if drifted.live else {}
    return PlannedChange(
        op=Op.DELETE,
        address=drifted.address,
        reason="a killed run had begun to make it, and it is no longer declared"
        if undo
        else "it carries this hub's labels, but neither the hub nor the state knows it",
        shard=str(drifted.shard),
        kind=drifted.identity.kind,
        tenant=labels.get("govhub.io/tenant", ""),
        system=labels.get("govhub.io/system", ""),
        data=drifted.identity.kind in CLASS_OF_KIND,
        undo=undo,
    )


def _order(change: PlannedChange) -> tuple[int, str, str]:
    if change.layer != "stacks":
        return (-1, "", change.address)
    cluster, stack, _ = change.shard.split("/")
    return (_LAYERS.index(stack) if stack in _LAYERS else len(_LAYERS), cluster, change.address)
