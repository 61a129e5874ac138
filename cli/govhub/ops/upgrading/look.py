"""What an upgrade finds before it begins: what waits on each host, who would have to go for it, and in which rounds."""

from __future__ import annotations

import re

from govhub.hosts.outcome import HostOutcome
from govhub.hosts.runner import Play, PlayRequest
from govhub.ops.hostside import chosen
from govhub.ops.nodes import drain
from govhub.ops.nodes.census import Census
from govhub.ops.nodes.occupants import occupants
from govhub.ops.requests import Selection
from govhub.ops.session import Session
from govhub.ops.upgrading.budgets import obstacles, rounds
from govhub.ops.upgrading.estate import Estate
from govhub.ops.upgrading.requests import Upgrade, UpgradeRequest

PLAY = "upgrade.yml"
REPORT = "upgrade: What waits"
_PACKAGE = re.compile(r"^Inst (\S+)(?: \[(\S+)\])? \((\S+)")


def look(session: Session, request: UpgradeRequest) -> tuple[list[Upgrade], Estate]:
    """What waits on each host that a run has brought to its state, who runs on it, and which go together.

    Returns:
        The hosts in the order of the hub, and what their clusters said.
    """
    side = session.hosts
    names = [name for name in side.declared if name in side.recorded and chosen(name, Selection(hosts=request.limit))]
    estate = Estate.of(session, names)
    if not names:
        return [], estate
    hosts = tuple(side.declared[name] for name in names)
    play = Play(PlayRequest(hosts=hosts, play=PLAY, report=REPORT, folder=session.folder / "ansible", check=True))
    outcomes = play.run()
    found = [_found(name, outcomes[name], request) for name in names]
    estate.refresh()
    for item in found:
        if problem := estate.problem_of(item.host):
            item.status, item.why = "failed", problem.summary
        elif (kube := estate.kube_of(item.host)) and (census := estate.census_of(item.host)):
            item.kube = kube
            _look_at_node(session, item, census)
    _arrange(found, estate, request)
    return found, estate


def _found(name: str, outcome: HostOutcome, request: UpgradeRequest) -> Upgrade:
    if outcome.status != "done":
        return Upgrade(host=name, status="failed", why=outcome.why or "it was not reached")
    lines = outcome.report.splitlines()
    found = [match for text in lines if (match := _PACKAGE.match(text))]
    item = Upgrade(host=name, packages=[f"{match[1]} {match[2] or '–'} → {match[3]}" for match in found])
    item.reboot = "reboot" in lines
    wanted = item.packages or request.reboot == "always" or (item.reboot and request.reboot != "never")
    item.status = "planned" if wanted else "current"
    return item


def _look_at_node(session: Session, item: Upgrade, census: Census) -> None:
    assert item.kube
    item.cordoned_by = drain.cordoned_by(item.kube, item.host)
    if item.cordoned_by and item.status == "current":
        # Nothing moves for that.
        item.status, item.only_opened = "planned", True
        return
    found = occupants(census, session.hub, item.host)
    item.pods, item.interrupts = len(found.pods), list(found.interrupts)
    if item.status == "planned" and found.frozen:
        item.status, item.why = "frozen", found.frozen


def _arrange(found: list[Upgrade], estate: Estate, request: UpgradeRequest) -> None:
    """Say who loses what, leave out what is over a budget by itself, and number the rounds of the others."""
    limits = estate.limits(request.at_once, request.confirmed)
    loads = []
    for item in found:
        if item.status != "planned" or item.only_opened:
            continue
        load = estate.load(item.host)
        item.losses = estate.losses(load, limits)
        stops = list(obstacles(load, (), limits))
        if stops:
            item.status, item.why, item.over = "over budget", stops[0].text, stops[0].tenant
        else:
            loads.append(load)
    places = {load.host: number for number, part in enumerate(rounds(loads, limits), 1) for load in part}
    for item in found:
        item.round = places.get(item.host, 0)
