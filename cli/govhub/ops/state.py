"""``state list|move|forget``: where a hub's state is, moving it, and letting go of a cluster that is gone."""

from __future__ import annotations

from typing import Any

from govhub.core.errors import InvalidInput
from govhub.engine.bucket import hub_keys, move, open_bucket
from govhub.engine.lease import HubLock
from govhub.engine.targets import pinned
from govhub.ops.lab import forget_cluster
from govhub.ops.load import valid_hub
from govhub.ops.session import open_session


def list_state(hub: str) -> dict[str, Any]:
    """The documents of a hub's state, by shard."""
    session = open_session(hub)
    return {
        "schema": "govhub.state/1",
        "hub": session.name,
        "address": session.state.bucket.shown,
        "documents": len(hub_keys(session.state.bucket, session.name)),
        "pins": pinned(session.state),
        "shards": [
            {"shard": str(shard), "objects": len(checkpoint.objects), "serial": checkpoint.serial}
            for shard, checkpoint in session.recorded.items()
        ],
    }


def move_state(hub: str, to: str) -> dict[str, Any]:
    """Move a hub's state to another address: copied, verified, then removed at the source.

    Raises:
        LockHeld: a run works on the hub.
        GovhubError: the target is not empty, or a copy differs.
    """
    session = open_session(hub)
    source, target = session.state.bucket, open_bucket(to)
    if source.shown == target.shown:
        raise InvalidInput.one("STA007", f"the state is at {source.shown} already")
    lock = HubLock(session.state, "move", "state move")
    with lock:
        moved = move(source, target, session.name, leave=(session.state.own("lock.json"),))
    hint = f"set GOVHUB_STATE={target.shown} (with credentials, if it needs them)"
    return {
        "schema": "govhub.state-move/1",
        "hub": session.name,
        "from": source.shown,
        "to": target.shown,
        "documents": moved,
        "next": hint,
    }


def forget(hub: str, cluster: str) -> dict[str, Any]:
    """Let go of a cluster that was rebuilt or is gone; its state is put aside, not deleted.

    Raises:
        InvalidInput: the hub has no such cluster.
    """
    loaded, _ = valid_hub(hub)
    if cluster not in [item.name for item in loaded.model.clusters]:
        raise InvalidInput.one("STA008", f'{loaded.name} has no cluster "{cluster}"')
    moved = forget_cluster(loaded, cluster)
    return {"schema": "govhub.state-forget/1", "hub": loaded.name, "cluster": cluster, "documents": len(moved)}
