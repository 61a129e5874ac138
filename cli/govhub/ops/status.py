"""``status``: what is recorded, what is running, who holds the lock; reads only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from govhub.core.kube import KINDS, Kube
from govhub.engine.lease import current_holder
from govhub.engine.ledger import Ledger
from govhub.ops.hosts import summary
from govhub.ops.readiness import explain, readiness
from govhub.ops.runs import LAST
from govhub.ops.session import Connection, open_session


def status(hub: str) -> dict[str, Any]:
    """Clusters, hosts, shards, unfinished work, the lock, the last run and readiness.

    Hosts are counted from what is recorded and noted; none is contacted.

    Raises:
        InvalidInput: the hub is not valid.
    """
    session = open_session(hub)
    connections = session.connect()
    kubes = [item.kube for item in connections.values() if item.kube]
    ready = explain(kubes, session.name, readiness(kubes, session.name)) if kubes else None
    holder = current_holder(session.state)
    return {
        "schema": "govhub.status/1",
        "hub": session.name,
        "state": session.state.bucket.shown,
        "clusters": [_cluster(item) for item in connections.values()],
        "hosts": summary(session.hub, session.hosts),
        "shards": [
            {"shard": str(shard), "objects": len(checkpoint.objects), "serial": checkpoint.serial}
            for shard, checkpoint in session.recorded.items()
        ],
        "unfinished": [
            {"shard": str(item.shard), "run": item.run, "time": item.time}
            for item in Ledger(session.state).unfinished()
        ],
        "lock": asdict(holder) if holder else None,
        "last_run": session.state.read(LAST),
        "readiness": {
            "ready": ready.ready,
            "total": ready.total,
            "waiting": [{"address": address, "why": why} for address, why in ready.waiting],
        }
        if ready
        else None,
    }


def _cluster(item: Connection) -> dict[str, Any]:
    return {
        "name": item.cluster.name,
        "reachable": item.kube is not None,
        "uid": item.uid or None,
        "nodes": _nodes(item.kube) if item.kube else None,
        "problem": item.problem.as_dict() if item.problem else None,
    }


def _nodes(kube: Kube) -> dict[str, int]:
    nodes = list(kube.list(KINDS["", "Node"]))
    ready = sum(
        any(state["type"] == "Ready" and state["status"] == "True" for state in node["status"].get("conditions") or [])
        for node in nodes
    )
    return {"ready": ready, "total": len(nodes)}
