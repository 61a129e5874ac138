"""The engine-free planner: the desired graph against the recorded state, in milliseconds and without a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from govhub.core.diff import Change, diff
from govhub.core.plan import Op, PlannedChange
from govhub.core.secrets import MASK, Secret
from govhub.engine.state import Checkpoint, Recorded
from govhub.stacks.context import DOMAIN
from govhub.stacks.graph import DesiredObject, Graph, Identity, Shard

FINGERPRINT = f"{DOMAIN}/secret-fingerprint"
# Kinds whose deletion loses data, or everything inside; each class has a budget of its own.
CLASS_OF_KIND = {
    "Namespace": "namespaces",
    "StatefulSet": "volumes",
    "PersistentVolumeClaim": "volumes",
    "PersistentVolume": "volumes",
    "Secret": "secrets",
}
# Fields the API server refuses to change, so that the engine replaces the object (Kubernetes API reference).
_IMMUTABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (("spec", "selector"),),
    "StatefulSet": (
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "podManagementPolicy"),
        ("spec", "volumeClaimTemplates"),
    ),
    "Job": (("spec", "selector"), ("spec", "template")),
    "RoleBinding": (("roleRef",),),
    "PriorityClass": (("value",), ("preemptionPolicy",)),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "Service": (("spec", "clusterIP"),),
    "Secret": (("type",),),
}


@dataclass(slots=True)
class Draft:
    """What the planner found: changes, how many objects stay, and what it could not predict."""

    changes: list[PlannedChange] = field(default_factory=list)
    unchanged: int = 0
    total: int = 0
    unpredicted: list[tuple[str, str]] = field(default_factory=list)


def draft_plan(graph: Graph, recorded: Mapping[Shard, Checkpoint], baseline: str = "the state") -> Draft:
    """Compare everything desired with everything recorded.

    Args:
        graph: What should be.
        recorded: What is, by shard; a shard that is missing here has never been made.
        baseline: What ``recorded`` is called in reasons.
    """
    draft = Draft()
    for shard in dict.fromkeys([*graph.shards, *recorded]):
        wanted = {item.identity: item for item in graph.shards.get(shard, [])}
        known = recorded[shard].objects if shard in recorded else {}
        for identity, item in wanted.items():
            draft.total += 1
            _compare(draft, item, known.get(identity), baseline)
        for identity, old in known.items():
            if identity not in wanted:
                draft.total += 1
                draft.changes.append(_deletion(shard, identity, old))
    return draft


def as_recorded(graph: Graph) -> dict[Shard, Checkpoint]:
    """Another revision's desired graph in the form of recorded state, for ``plan --against``."""
    out = {}
    for shard, objects in graph.shards.items():
        records = {item.identity: Recorded("", item.identity, item.manifest, item.patch) for item in objects}
        out[shard] = Checkpoint("", records, 0)
    return out


def _compare(draft: Draft, item: DesiredObject, old: Recorded | None, baseline: str) -> None:
    if old is None:
        draft.changes.append(planned(item, Op.CREATE, f"declared, but not in {baseline}"))
        return
    differences = tuple(_visible(diff(old.inputs, item.manifest), item))
    if unresolved(item):
        differences = tuple(change for change in differences if FINGERPRINT not in change.path)
        draft.unpredicted.append((item.address, "the secret's value is not known here, so it was not compared"))
    if not differences:
        draft.unchanged += 1
        return
    forced = sorted({".".join(map(str, rule)) for change in differences for rule in _forcing(item, change)})
    if forced:
        reason = f"{', '.join(forced)} cannot be changed on a live object"
        draft.changes.append(planned(item, Op.REPLACE, reason, differences))
    else:
        fields = sorted({str(change.path[0]) for change in differences})
        draft.changes.append(planned(item, Op.UPDATE, f"{', '.join(fields)} differ from {baseline}", differences))


def planned(item: DesiredObject, op: Op, reason: str, differences: tuple[Change, ...] = ()) -> PlannedChange:
    """A planned change of a desired object."""
    return PlannedChange(
        op=op,
        address=item.address,
        reason=reason,
        diff=differences,
        shard=str(item.shard),
        kind=item.identity.kind,
        tenant=item.tenant,
        system=item.system,
        source=item.source,
        data=item.identity.kind in CLASS_OF_KIND,
    )


def _deletion(shard: Shard, identity: Identity, old: Recorded) -> PlannedChange:
    labels = (old.inputs.get("metadata") or {}).get("labels") or {}
    return PlannedChange(
        op=Op.DELETE,
        address=f"{shard.cluster}/{shard.stack}/{identity}",
        reason="no longer declared",
        shard=str(shard),
        kind=identity.kind,
        tenant=labels.get(f"{DOMAIN}/tenant", ""),
        system=labels.get(f"{DOMAIN}/system", ""),
        data=identity.kind in CLASS_OF_KIND and not old.patch,
    )


def _visible(changes: Iterable[Change], item: DesiredObject) -> Iterable[Change]:
    """Differences that mean something and may be shown: a secret's value never, its fingerprint always."""
    for change in changes:
        if item.identity.kind == "Secret" and change.path[0] in ("data", "stringData"):
            if isinstance(change.new, dict | None | Secret):
                continue
            yield Change(change.op, change.path, MASK, MASK)
        else:
            yield change


def unresolved(item: DesiredObject) -> bool:
    """Whether it is a Secret whose value is not known here."""
    values = (item.manifest.get("data") or {}).values()
    return item.identity.kind == "Secret" and any(value is None for value in values)


def _forcing(item: DesiredObject, change: Change) -> list[tuple[str, ...]]:
    """The immutable fields that ``change`` touches."""
    path: tuple[Any, ...] = change.path
    rules = _IMMUTABLE.get(item.identity.kind, ())
    return [rule for rule in rules if path[: len(rule)] == rule or rule[: len(path)] == path]
