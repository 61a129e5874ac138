"""From a plan to engine jobs, and the few writes that no engine can do: stripping hand edits, removing orphans."""

from __future__ import annotations

from collections.abc import Mapping

from govhub.core.errors import GovhubError
from govhub.core.kube import KINDS, Kind, Kube
from govhub.core.plan import Op, Plan, PlannedChange
from govhub.engine.drift import ClusterDrift, Drifted, DriftKind
from govhub.engine.executor import Job
from govhub.engine.ledger import Ledger
from govhub.engine.live import foreign_patch
from govhub.engine.state import EMPTY, component_urn, provider_urn, urn_of
from govhub.ops.runs import Run
from govhub.ops.session import Connection, Session
from govhub.stacks.context import FIELD_MANAGER
from govhub.stacks.graph import DesiredObject, Identity, Shard


def build_jobs(session: Session, plan: Plan, drift: Mapping[str, ClusterDrift], clusters: set[str]) -> list[Job]:
    """A job for each shard with changes, hand edits or an unfinished intent; other shards are not touched."""
    touched: dict[Shard, list[PlannedChange]] = {}
    for change in plan.of_layer("stacks"):
        cluster, stack, index = change.shard.split("/")
        touched.setdefault(Shard(cluster, stack, int(index)), []).append(change)
    unfinished = {item.shard for item in Ledger(session.state).unfinished()}
    drifted = {shard for found in drift.values() for shard in found.shards()}
    # A narrowed run leaves interrupted shards outside its selection to the next full run.
    wanted = set(touched) if plan.selection else set(touched) | unfinished
    jobs = []
    for shard in sorted(wanted):
        if shard.cluster not in clusters:
            continue
        changes = touched.get(shard, [])
        if not _engine_work(session, shard, changes) and shard not in unfinished:
            continue
        objects = session.graph.shards.get(shard, [])
        # An interrupted shard is read afresh as a whole; otherwise objects without a change are not even asked for.
        whole = shard in unfinished or len(changes) * 2 > len(objects) or _vanished(drift, shard, changes)
        # The engine repairs all that it reads: hand edits that a saved plan does not show are left to a later run.
        whole = whole and not plan.selection and not _unplanned(drift, shard, changes)
        if not whole and not changes:
            continue
        jobs.append(
            Job(
                shard=shard,
                objects=tuple(objects) if whole else _needed(objects, changes),
                touched=frozenset(_identity(change) for change in changes),
                refresh=shard in unfinished or shard in drifted,
                settles=whole or shard not in unfinished,
                targets=() if whole else _targets(session, shard, changes),
            )
        )
    return jobs


def _needed(objects: list[DesiredObject], changes: list[PlannedChange]) -> tuple[DesiredObject, ...]:
    """The changed objects, what they depend on, and what depends on them.

    A targeted engine run leaves what its program does not register as it is, except dependents of a target:
    those it would delete, so they are registered (and then left alone) too.
    """
    links: dict[Identity, set[Identity]] = {}
    for item in objects:
        for other in _upstream(item):
            links.setdefault(item.identity, set()).add(other)
            links.setdefault(other, set()).add(item.identity)
    changed = {_identity(change) for change in changes}
    needed = changed | {other for identity in changed for other in links.get(identity, ())}
    # One more step down: what a dependent depends on must be registered before it.
    needed |= {other for item in objects if item.identity in needed for other in _upstream(item)}
    return tuple(item for item in objects if item.identity in needed)


def _upstream(item: DesiredObject) -> tuple[Identity, ...]:
    return (*item.depends_on, Identity("", "Namespace", "", item.identity.namespace))


def strip_foreign_fields(
    run: Run, plan: Plan, connections: Mapping[str, Connection], drift: Mapping[str, ClusterDrift]
) -> None:
    """Remove fields that somebody added by hand to objects the plan repairs; the engine then restores the rest."""
    repaired = {change.address for change in plan.changes if change.op is Op.REPAIR}
    for item in _drifted(drift, DriftKind.EDITED):
        kube = connections[item.shard.cluster].kube
        if item.address not in repaired or not kube or not item.recorded:
            continue
        if patch := foreign_patch(item.diff, item.recorded.inputs):
            kube.patch(_kind(item.identity), item.identity.name, item.identity.namespace, patch)
            run.events.emit("repaired", address=item.address, fields=len(item.diff))


def remove_orphans(
    run: Run, plan: Plan, connections: Mapping[str, Connection], drift: Mapping[str, ClusterDrift]
) -> None:
    """Delete objects that carry our labels, that the state does not know and that nobody declares.

    Only what the plan showed as a deletion, and only if it still is the object that was seen (by UID).
    """
    planned = {change.address for change in plan.changes if change.op is Op.DELETE}
    for item in _drifted(drift, DriftKind.UNKNOWN):
        kube = connections[item.shard.cluster].kube
        if item.address not in planned or not kube or not item.live:
            continue
        if item.identity.kind == "Node":
            _let_go(kube, item.identity, item.live.uid)
        else:
            kube.delete(_kind(item.identity), item.identity.name, item.identity.namespace, item.live.uid)
        run.events.emit("orphan-removed", address=item.address, uid=item.live.uid)


def _let_go(kube: Kube, identity: Identity, uid: str) -> None:
    """Take our fields off an object that is the cluster's own: applying nothing gives back all that we applied."""
    kind = _kind(identity)
    body = {"apiVersion": kind.version, "kind": kind.kind, "metadata": {"name": identity.name, "uid": uid}}
    path = kind.path(identity.namespace, identity.name)
    kube.request(
        "PATCH", path, body, content_type="application/apply-patch+yaml", fieldManager=FIELD_MANAGER, force="true"
    )


def _drifted(drift: Mapping[str, ClusterDrift], kind: DriftKind) -> list[Drifted]:
    return [item for found in drift.values() for item in found.drifted if item.kind is kind]


def _kind(identity: Identity) -> Kind:
    try:
        return KINDS[identity.group, identity.kind]
    except KeyError as error:
        raise GovhubError.one("KUB004", f"govhub does not write objects of kind {identity.kind}") from error


def _engine_work(session: Session, shard: Shard, changes: list[PlannedChange]) -> bool:
    """Whether the engine has anything to do; orphans are in no state, so they are none of its business."""
    recorded = session.recorded[shard].objects if shard in session.recorded else {}
    return any(change.op is not Op.DELETE or _identity(change) in recorded for change in changes)


def _unplanned(drift: Mapping[str, ClusterDrift], shard: Shard, changes: list[PlannedChange]) -> bool:
    """Whether the shard has drift that the plan says nothing of."""
    planned = {change.address for change in changes}
    found = drift[shard.cluster].drifted if shard.cluster in drift else []
    return any(
        item.shard == shard and item.kind is not DriftKind.UNKNOWN and item.address not in planned for item in found
    )


def _vanished(drift: Mapping[str, ClusterDrift], shard: Shard, changes: list[PlannedChange]) -> bool:
    """Whether something that is to be deleted is gone already: reading it, the engine loses the target that it was."""
    gone = {item.address for item in _drifted(drift, DriftKind.DELETED) if item.shard == shard}
    return any(change.op is Op.DELETE and change.address in gone for change in changes)


def _identity(change: PlannedChange) -> Identity:
    kind, *rest = change.address.split("/")[2:]
    namespace, name = rest if len(rest) == 2 else ("", rest[0])
    group = next((group for (group, known) in KINDS if known == kind), "")
    return Identity(group, kind, namespace, name)


def _targets(session: Session, shard: Shard, changes: list[PlannedChange]) -> tuple[str, ...]:
    """The URNs of the changed objects, and of their components and the provider where these are new.

    An existing component or provider is no target: all its children count as dependents of a target.
    """
    wanted: dict[str, DesiredObject] = {item.address: item for item in session.graph.shards.get(shard, [])}
    known = session.recorded.get(shard, EMPTY)
    urns, frame = set(), {provider_urn(session.name, shard)}
    for change in changes:
        if item := wanted.get(change.address):
            urns.add(urn_of(session.name, item))
            frame.add(component_urn(session.name, item))
        elif record := known.objects.get(_identity(change)):
            urns.add(record.urn)
    return tuple(sorted(urns | (frame - known.urns)))
