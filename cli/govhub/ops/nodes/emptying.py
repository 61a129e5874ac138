"""Nodes that leave are emptied first: closed all at once, asked to let go of their pods, opened again if they stay."""

from __future__ import annotations

import time
from collections.abc import Iterable

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import GovhubError
from govhub.core.text import and_more
from govhub.ops.nodes import drain
from govhub.ops.nodes.census import Census, take
from govhub.ops.nodes.occupants import occupants
from govhub.ops.runs import Run
from govhub.ops.session import Session
from govhub.ops.wiping import Leaving


def look(session: Session, leaving: Iterable[Leaving], found: Diagnostics, severity: Severity) -> list[Leaving]:
    """Ask the clusters what runs on the nodes among them; returns those that are no nodes or that could be seen.

    ``found`` gets the others (RET003): what could not be seen is not empty.
    """
    leaving = list(leaving)
    workers = [item for item in leaving if item.is_node]
    connections = session.connect(tuple({item.host.cluster for item in workers})) if workers else {}
    censuses: dict[str, Census] = {}
    seen = []
    for item in leaving:
        connection = connections.get(item.host.cluster) if item.is_node else None
        problem = connection.problem if connection else None
        if connection and connection.kube:
            item.node, item.kube = True, connection.kube
            try:
                name = item.host.cluster
                census = censuses[name] = censuses.get(name) or take(connection.kube, name)
                item.occupants = occupants(census, session.hub, item.host.name)
            except GovhubError as error:
                problem = error.diagnostics[0]
        if problem:
            found.extend([_unseen(item, problem, severity)])
        else:
            seen.append(item)
    return seen


def empty(run: Run, leaving: Iterable[Leaving], seconds: float, found: Diagnostics) -> list[Leaving]:
    """Let the pods of nodes go elsewhere; returns the hosts on which nothing runs any more.

    Args:
        run: Its name stands on the closed nodes: a killed one leaves them behind, and the next call goes on.
        leaving: Hosts that were looked at.
        seconds: For the pods of each node to go.
        found: Gets what stays and why (RET001, RET003, RET008).
    """
    ready = [item for item in leaving if not _frozen(item, found)]
    # All of them first: no pod should go to a node that leaves next.
    ready = [item for item in ready if _close(item, run, found)]
    return [item for item in ready if _drained(item, run, seconds, found)]


def reopen(leaving: Iterable[Leaving], found: Diagnostics) -> None:
    """Let pods come again to nodes that stay as they were; what is half wiped stays closed (RET009)."""
    for item in leaving:
        if not item.closed or not item.kube or item.status == "retired":
            continue
        why = "it is half wiped" if item.evidence else ""
        try:
            if not why:
                drain.uncordon(item.kube, item.host.name)
        except GovhubError as error:
            why = error.diagnostics[0].summary
        item.closed = bool(why)
        if why:
            text = f"{item.host.name} stays closed to pods: {why}"
            hint = f"retire it again, or: kubectl uncordon {item.host.name}"
            found.warning("RET009", text, address=f"hosts/{item.host.name}", hint=hint)


def _frozen(item: Leaving, found: Diagnostics) -> bool:
    why = item.occupants.frozen if item.occupants else ""
    if why:
        text = f"pods on {item.host.name} may not be moved: {why}"
        hint = "wait, or have the owner end the freeze"
        found.error("RET008", text, address=f"hosts/{item.host.name}", hint=hint)
    return bool(why)


def _close(item: Leaving, run: Run, found: Diagnostics) -> bool:
    if not item.kube:
        return True
    try:
        if item.kube.get(drain.NODE, item.host.name) and not drain.closed_by_others(item.kube, item.host.name):
            drain.cordon(item.kube, item.host.name, run.id)
            item.closed = True
    except GovhubError as error:
        found.extend([_unseen(item, error.diagnostics[0], Severity.ERROR)])
        return False
    return True


def _drained(item: Leaving, run: Run, seconds: float, found: Diagnostics) -> bool:
    name, pods = item.host.name, item.occupants.pods if item.occupants else ()
    if not item.kube:
        return True
    started = time.monotonic()
    run.events.emit("drain-started", host=name, pods=len(pods))
    try:
        left = drain.drain(item.kube, name, seconds, run.lock.lost.is_set)
    except GovhubError as error:
        found.extend([_unseen(item, error.diagnostics[0], Severity.ERROR)])
        return False
    run.events.emit("drain-finished", host=name, left=sorted(left), seconds=round(time.monotonic() - started, 1))
    if left:
        names = and_more([f"{pod} ({why})" for pod, why in sorted(left.items())], 4)
        text = f"{name} still runs what did not go within {seconds:.0f} s: {names}"
        hint = f"more replicas, a wider disruption budget or --drain-timeout; by hand: kubectl drain {name}"
        found.error("RET001", text, address=f"hosts/{name}", hint=hint)
    return not left


def _unseen(item: Leaving, problem: Diagnostic, severity: Severity) -> Diagnostic:
    return Diagnostic(
        code="RET003",
        severity=severity,
        summary=f"{item.host.name}: whether it still runs pods could not be seen",
        detail=problem.summary,
        address=f"hosts/{item.host.name}",
        hint="bring the cluster back; --no-drain-check when there is none any more",
    )
