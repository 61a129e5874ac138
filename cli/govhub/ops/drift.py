"""``drift``: what somebody changed on the clusters and hosts behind our back; never writes to them."""

from __future__ import annotations

import time

from govhub.core.errors import TargetUnreachable
from govhub.ops.hostcheck import look_at_hosts
from govhub.ops.hosts import problems_of
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
    if len(problems) == len(connections) and not session.hosts.recorded:
        raise TargetUnreachable(problems)
    play = look_at_hosts(session.hub, session.hosts)
    problems += problems_of(play, "drift")
    found = look(session, connections.values())
    return DriftResult(
        hub=session.name,
        compared=sum(item.compared for item in found.values()) + len(play.outcomes),
        drifted=sorted((one for item in found.values() for one in item.drifted), key=lambda one: one.address),
        hosts=[item for item in play.outcomes.values() if item.changed or item.status != "done"],
        unreachable=problems,
        seconds=time.monotonic() - started,
    )
