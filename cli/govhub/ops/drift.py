"""``drift``: what somebody changed on the clusters behind our back; never writes."""

from __future__ import annotations

import time

from govhub.core.errors import TargetUnreachable
from govhub.ops.requests import DriftResult
from govhub.ops.session import open_session
from govhub.ops.up import look


def drift(hub: str, clusters: tuple[str, ...] = ()) -> DriftResult:
    """Compare what is live with what the last runs recorded.

    Raises:
        InvalidInput: the hub is not valid.
        TargetUnreachable: no cluster could be read.
    """
    started = time.monotonic()
    session = open_session(hub)
    connections = session.connect(clusters)
    problems = [item.problem for item in connections.values() if item.problem]
    if len(problems) == len(connections):
        raise TargetUnreachable(problems)
    found = look(session, connections.values())
    return DriftResult(
        hub=session.name,
        compared=sum(item.compared for item in found.values()),
        drifted=sorted((one for item in found.values() for one in item.drifted), key=lambda one: one.address),
        unreachable=problems,
        seconds=time.monotonic() - started,
    )
