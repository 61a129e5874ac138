"""Drift: live objects against the recorded state. Reads only; nothing here can write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from govhub.core.diff import Change
from govhub.core.kube import Kube
from govhub.engine.live import LiveObject, list_live, live_differences
from govhub.engine.state import Checkpoint, Recorded
from govhub.stacks.context import Secrets
from govhub.stacks.graph import Identity, Shard


class DriftKind(StrEnum):
    """What happened to an object behind our back."""

    EDITED = "edited"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    """It carries our labels, but the state does not know it: a killed run's, a lost state's, or a copy's."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """One object that is not as recorded."""

    kind: DriftKind
    shard: Shard
    identity: Identity
    diff: tuple[Change, ...] = ()
    recorded: Recorded | None = None
    live: LiveObject | None = None

    @property
    def address(self) -> str:
        """``cluster/stack/Kind/namespace/name``."""
        return f"{self.shard.cluster}/{self.shard.stack}/{self.identity}"


@dataclass(slots=True)
class ClusterDrift:
    """What was found on one cluster."""

    cluster: str
    compared: int = 0
    drifted: list[Drifted] = field(default_factory=list)
    terminating: list[str] = field(default_factory=list)
    """Objects whose deletion has begun: what is written to them now is lost."""

    def shards(self) -> set[Shard]:
        """The shards with edits or deletions: those the engine must read afresh."""
        return {item.shard for item in self.drifted if item.kind is not DriftKind.UNKNOWN}


def find_drift(kube: Kube, hub: str, recorded: Mapping[Shard, Checkpoint], secrets: Secrets) -> ClusterDrift:
    """Compare everything recorded for the cluster ``kube`` with what is live there."""
    live = list_live(kube, hub)
    out = ClusterDrift(kube.name, terminating=sorted(str(item.identity) for item in live.values() if item.terminating))
    known_namespaces = {
        identity.name
        for shard, checkpoint in recorded.items()
        if shard.cluster == kube.name
        for identity in checkpoint.objects
        if identity.kind == "Namespace"
    }
    known: set[Identity] = set()
    for shard, checkpoint in recorded.items():
        if shard.cluster != kube.name:
            continue
        for identity, record in checkpoint.objects.items():
            known.add(identity)
            out.compared += 1
            found = live.get(identity)
            if found is None or found.terminating or _loses_namespace(identity, live, known_namespaces):
                out.drifted.append(Drifted(DriftKind.DELETED, shard, identity, (), record))
            elif differences := live_differences(record, found.body, secrets):
                out.drifted.append(Drifted(DriftKind.EDITED, shard, identity, differences, record, found))
    for identity, item in live.items():
        if identity not in known and not item.terminating:
            out.drifted.append(Drifted(DriftKind.UNKNOWN, item.shard, identity, (), None, item))
    return out


def _loses_namespace(identity: Identity, live: Mapping[Identity, LiveObject], ours: set[str]) -> bool:
    """Whether one of our namespaces is going away with the object in it, although the object is still listed."""
    if identity.namespace not in ours:
        return False
    namespace = live.get(Identity("", "Namespace", "", identity.namespace))
    return namespace is None or namespace.terminating
