"""``hosts upgrade``: newer packages host by host; a node is emptied first, and nothing goes on that is not well.

As many hosts at once as asked for and as every department's budget allows. A run that was paused, interrupted or
killed is continued by the next: hosts that are done have nothing that waits, and nodes that were left closed are
opened again when they are well.
"""

from __future__ import annotations

import threading

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import InvalidInput
from govhub.core.text import and_more, did_you_mean
from govhub.hosts.fingerprint import LAYER, address_of
from govhub.inventory.loader import Hub
from govhub.ops.hostside import check_limit
from govhub.ops.nodes import drain
from govhub.ops.requests import RunRequest, Selection
from govhub.ops.runs import Run, new_run
from govhub.ops.session import Session, open_session
from govhub.ops.upgrading.estate import Estate
from govhub.ops.upgrading.healthgate import HealthGate
from govhub.ops.upgrading.look import look
from govhub.ops.upgrading.requests import Upgrade, UpgradeRequest, UpgradeResult
from govhub.ops.upgrading.rolling import Rolling
from govhub.ops.upgrading.work import HostUpgrades

LEFT_OUT = ("failed", "frozen", "over budget")


def upgrade(request: UpgradeRequest) -> UpgradeResult:
    """Look what waits, ask, and go from host to host.

    Raises:
        InvalidInput: the hub, the pattern or a confirmed name is wrong, or no host can be reached.
        LockHeld: a run works on the hub.
        TargetUnreachable: a cluster stopped answering before the first host.
    """
    session = open_session(request.hub)
    check_limit(Selection(layers=(LAYER,), hosts=request.limit), session.hosts)
    _check_confirmed(session.hub, request.confirmed)
    with new_run(session, "upgrade", RunRequest(hub=request.hub, listener=request.listener)) as run:
        result = UpgradeResult(hub=session.name, run=run.id, folder=run.folder, at_once=request.at_once)
        paused = threading.Event()
        run.lock.when_lost(paused.set)
        result.hosts, estate = look(session, request)
        run.events.emit("upgrade-looked-for", hosts=len(result.hosts), rounds=result.rounds())
        waiting = [item for item in result.hosts if item.status == "planned" or item.cordoned_by]
        if waiting and request.approve and not request.approve(result.hosts):
            result.status = "declined"
        elif waiting:
            if request.on_start:
                request.on_start(paused.set)
            result.status = _roll(session, run, request, result, estate, paused)
        result.problems = [_problem(session.hub, item) for item in result.hosts if item.status in LEFT_OUT]
        if any(item.status == "failed" for item in result.hosts):
            result.status = "failed"
        run.events.emit("run-finished", run=run.id, status=result.status)
        run.save("result.json", result.as_dict())
        return result


def _roll(
    session: Session,
    run: Run,
    request: UpgradeRequest,
    result: UpgradeResult,
    estate: Estate,
    paused: threading.Event,
) -> str:
    _open_again(run, result.hosts)
    planned = [item for item in result.hosts if item.status == "planned"]
    gate = HealthGate({item.kube.name: item.kube for item in planned if item.kube}.values(), session.name)
    hosts = HostUpgrades(session, run, request, gate)

    def started(item: Upgrade, beside: list[str]) -> None:
        run.events.emit(
            "upgrade-started", host=item.host, packages=len(item.packages), pods=item.pods, beside=sorted(beside)
        )

    return Rolling(
        surroundings=estate,
        work=hosts.work,
        cancel=hosts.cancel,
        started=started,
        paused=paused,
        at_once=request.at_once,
        confirmed=request.confirmed,
        pause_after=request.pause_after,
        patience=request.wait,
    ).run(sorted(planned, key=lambda item: item.round))


def _open_again(run: Run, hosts: list[Upgrade]) -> None:
    """Open what a killed run left closed before anything else is closed: its pods may have nowhere to go."""
    for item in hosts:
        if item.cordoned_by and item.kube and drain.ready(item.kube, item.host):
            drain.uncordon(item.kube, item.host)
            run.events.emit("upgrade-reopened", host=item.host, from_run=item.cordoned_by)
            if item.only_opened:
                item.status = "done"


def _check_confirmed(hub: Hub, names: tuple[str, ...]) -> None:
    found = Diagnostics()
    known = [item.name for item in hub.model.tenants]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {and_more(sorted(known), 8) or 'none'}"
            found.error("SEL001", f'--confirm "{name[:60]}" names no department', hint=hint)
    if found.errors:
        raise InvalidInput(found.sorted())


def _problem(hub: Hub, item: Upgrade) -> Diagnostic:
    code, hint, source = "UPG001", "correct the cause; the next call goes on", None
    if item.status == "frozen":
        code, hint = "UPG002", "wait, or have the owner end the freeze"
    elif item.status == "over budget":
        code, hint = "UPG003", "correct what holds it back; the next call tries it again"
        index = next((i for i, tenant in enumerate(hub.model.tenants) if tenant.name == item.over), None)
        if index is not None:
            source = hub.at("tenants", index)
            hint = f"take it alone with --confirm {item.over}, or raise `max_unavailable` of the department"
    text = f"{item.host}: {item.why}"
    address = address_of(item.host)
    return Diagnostic(code=code, severity=Severity.ERROR, summary=text, address=address, source=source, hint=hint)
