"""``hosts upgrade``: newer packages host by host; a node is emptied first, and nothing goes on that is not well.

One host at a time. A run that was paused, interrupted or killed is continued by the next: hosts that are done have
nothing that waits, and a node that was left closed is opened again when it is well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import GovhubError
from govhub.core.kube import Kube
from govhub.core.text import and_more
from govhub.hosts.fingerprint import LAYER, address_of
from govhub.hosts.runner import Play, PlayRequest
from govhub.ops import drain
from govhub.ops.hostside import check_limit
from govhub.ops.readiness import readiness
from govhub.ops.requests import RunRequest, Selection
from govhub.ops.runs import Run, new_run
from govhub.ops.session import Session, open_session
from govhub.ops.upgrades import PLAY, Upgrade, UpgradeRequest, UpgradeResult, look

PAUSE = 1.5


def upgrade(request: UpgradeRequest) -> UpgradeResult:
    """Look what waits, ask, and go from host to host.

    Raises:
        InvalidInput: the hub or the pattern is wrong, or no host can be reached.
        LockHeld: a run works on the hub.
        TargetUnreachable: a cluster does not answer whose nodes would have to be emptied.
    """
    session = open_session(request.hub)
    check_limit(Selection(layers=(LAYER,), hosts=request.limit), session.hosts)
    with new_run(session, "upgrade", RunRequest(hub=request.hub, listener=request.listener)) as run:
        result = UpgradeResult(hub=session.name, run=run.id, folder=run.folder)
        paused = threading.Event()
        run.lock.when_lost(paused.set)
        result.hosts = look(session, request)
        run.events.emit("upgrade-looked-for", hosts=len(result.hosts))
        waiting = [item for item in result.hosts if item.status == "planned"]
        if waiting and request.approve and not request.approve(result.hosts):
            result.status = "declined"
        elif waiting:
            if request.on_start:
                request.on_start(paused.set)
            _roll(session, run, request, result, paused)
        for item in result.hosts:
            if item.status in ("failed", "frozen"):
                result.problems.append(_problem(item))
        if any(item.status == "failed" for item in result.hosts):
            result.status = "failed"
        run.events.emit("run-finished", run=run.id, status=result.status)
        run.save("result.json", result.as_dict())
        return result


def _roll(session: Session, run: Run, request: UpgradeRequest, result: UpgradeResult, paused: threading.Event) -> None:
    done = 0
    result.status = "done"
    for item in [item for item in result.hosts if item.status == "planned"]:
        if result.status != "done" or paused.is_set() or done == request.pause_after:
            item.status = "not tried"
            result.status = "paused" if result.status == "done" else result.status
            continue
        started = time.monotonic()
        run.events.emit("upgrade-started", host=item.host, packages=len(item.packages), pods=item.pods)
        try:
            item.why = _one(session, run, request, item)
        except GovhubError as error:
            item.why = error.diagnostics[0].summary
        item.seconds = time.monotonic() - started
        item.status = "failed" if item.why else "done"
        run.events.emit(
            "upgrade-finished", host=item.host, status=item.status, why=item.why, seconds=round(item.seconds, 1)
        )
        done += 1
        if item.why:
            # What went wrong here would go wrong on the next one too.
            result.status = "failed"


def _one(session: Session, run: Run, request: UpgradeRequest, item: Upgrade) -> str:
    """Upgrade one host; returns what is not well, or nothing."""
    kube = item.kube
    before = _unready(kube, session.name)
    if kube:
        drain.cordon(kube, item.host, run.id)
        left = drain.drain(kube, item.host, request.drain_seconds, run.lock.lost.is_set)
        if left:
            drain.uncordon(kube, item.host)
            names = and_more([f"{pod} ({why})" for pod, why in left.items()], 3)
            return f"pods did not go within {request.drain_seconds:.0f} s, and it is open again: {names}"
    if item.packages or item.reboot or request.reboot == "always":
        host = session.hosts.declared[item.host]
        play = Play(
            PlayRequest(
                hosts=(host,),
                play=PLAY,
                folder=session.folder / "ansible",
                timeout=request.timeout,
                # A connection that outlives a restart is none of Mitogen's.
                fast=False,
                options={"upgrade_reboot": request.reboot},
            )
        )
        run.lock.when_lost(play.cancel)
        outcome = play.run()[item.host]
        if outcome.status != "done":
            return outcome.why or play.message or "the play did not come to its end"
    if not kube:
        return ""
    deadline = time.monotonic() + request.wait
    if not _until(lambda: drain.ready(kube, item.host), deadline):
        return f"the node is not ready after {request.wait:.0f} s, and stays closed"
    drain.uncordon(kube, item.host)
    if not _until(lambda: _unready(kube, session.name) <= before, deadline):
        worse = sorted(_unready(kube, session.name) - before)
        return f"workloads that ran before do not run again after {request.wait:.0f} s: {and_more(worse, 3)}"
    return ""


def _until(found: Callable[[], bool], deadline: float) -> bool:
    while not found():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def _unready(kube: Kube | None, hub: str) -> set[str]:
    return {address for address, _ in readiness([kube], hub).waiting} if kube else set()


def _problem(item: Upgrade) -> Diagnostic:
    code, hint = "UPG001", "correct the cause; the next call goes on"
    if item.status == "frozen":
        code, hint = "UPG002", "wait, or have the owner end the freeze"
    text = f"{item.host}: {item.why}"
    return Diagnostic(code=code, severity=Severity.ERROR, summary=text, address=address_of(item.host), hint=hint)
