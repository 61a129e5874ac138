"""Wiping hosts that leave: one play over all, and what each host says of it as evidence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.core.kube import Kube
from govhub.core.settings import actor
from govhub.core.text import and_more
from govhub.hosts.evidence import Wiping, evidence_of
from govhub.hosts.outcome import HostOutcome
from govhub.hosts.runner import Play, PlayRequest
from govhub.hosts.variables import Declared
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import HostRole
from govhub.inventory.topology import PlacedHost
from govhub.ops.nodes.occupants import Occupants
from govhub.ops.runs import Run
from govhub.ops.session import Session

REPORT = "wipe: Data, keys and disks are overwritten"
HOST_KEYS = "/etc/ssh/ssh_host_*"


@dataclass(slots=True, kw_only=True)
class Leaving:
    """One host that leaves, and what became of it: ``planned``, ``retired`` or ``stays``."""

    host: PlacedHost
    status: str = "planned"
    wiped: bool | None = None
    """Whether everything was wiped; None when it was not asked for."""
    evidence: list[Wiping] = field(default_factory=list)
    """What was done to each folder, key and disk."""
    kube: Kube | None = None
    """The cluster whose node it is."""
    node: bool = False
    """Whether the cluster still lists it as a node."""
    occupants: Occupants | None = None
    """What has to go before it does; None for what is no node, or could not be seen."""
    closed: bool = False
    """Whether pods are kept away from it because it leaves."""

    @property
    def is_node(self) -> bool:
        """Whether pods may run on it."""
        return bool(self.host.cluster) and self.host.role is HostRole.WORKER

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        host = self.host
        return {
            "host": host.name,
            "rack": host.rack,
            "serial": host.serial or None,
            "status": self.status,
            "wiped": self.wiped,
            "node": self.node,
            "pods": list(self.occupants.pods) if self.occupants else None,
            "interrupts": list(self.occupants.interrupts) if self.occupants else None,
            "evidence": [item.model_dump() for item in self.evidence],
        }


def reachable(session: Session, leaving: list[Leaving], found: Diagnostics) -> list[Leaving]:
    """Those that have an address; ``found`` gets the others (RET004), which cannot be wiped."""
    for item in leaving:
        if item.host.name not in session.hosts.declared:
            text = f"{item.host.name} has no address, so it cannot be wiped"
            hint = "destroy its disks, and retire it without --wipe"
            found.error("RET004", text, address=f"hosts/{item.host.name}", hint=hint)
    return [item for item in leaving if item.host.name in session.hosts.declared]


def wipe(session: Session, run: Run, leaving: list[Leaving], timeout: float, found: Diagnostics) -> list[Leaving]:
    """Wipe hosts; returns those that nothing went wrong with. Evidence goes into the chained events.

    Args:
        session: The hub.
        run: Whose events are the record.
        leaving: Hosts with an address; each gets its evidence.
        timeout: Seconds for all of them.
        found: Gets what went wrong (RET005, RET006).
    """
    common = _what(session.hub)
    targets = {
        item.host.name: dataclasses.replace(
            session.hosts.declared[item.host.name], variables=common | {"wipe_serial": item.host.serial}
        )
        for item in leaving
    }
    outcomes = _play(run, session, targets, timeout) if targets else {}
    return [item for item in leaving if _judge(item, outcomes[item.host.name], run, found)]


def _what(hub: Hub) -> dict[str, Any]:
    wipe = hub.model.baseline.wipe
    return {
        "wipe_services": list(wipe.services),
        "wipe_folders": list(wipe.folders),
        "wipe_keys": [*wipe.keys, HOST_KEYS],
    }


def _play(run: Run, session: Session, targets: dict[str, Declared], timeout: float) -> dict[str, HostOutcome]:
    play = Play(
        PlayRequest(
            hosts=tuple(targets.values()),
            play="wipe.yml",
            report=REPORT,
            folder=session.folder / "ansible",
            timeout=timeout,
        )
    )
    run.lock.when_lost(play.cancel)
    return play.run()


def _judge(item: Leaving, outcome: HostOutcome, run: Run, found: Diagnostics) -> bool:
    """Write down what was done; whether the host may leave."""
    host = item.host
    item.evidence = evidence_of(outcome.report)
    for one in item.evidence:
        run.events.emit("wiped", host=host.name, serial=host.serial, actor=actor(), **one.model_dump())
    item.wiped = bool(item.evidence) and all(one.wiped for one in item.evidence)
    failed = [one for one in item.evidence if one.result == "failed"]
    where = f"hosts/{host.name}"
    if outcome.status != "done" or not item.evidence or failed:
        why = f"{failed[0].what}: {failed[0].why}" if failed else outcome.why or outcome.status
        hint = "correct the cause and retire it again; or destroy its disks, and retire it without --wipe"
        found.error("RET005", f"{host.name} was not wiped: {why}", address=where, hint=hint)
        return False
    if doubtful := [one for one in item.evidence if not one.wiped]:
        names = and_more([f"{one.what} ({one.result})" for one in doubtful], 4)
        found.warning(
            "RET006",
            f"{host.name}: not everything counts as wiped: {names}",
            detail="; ".join(dict.fromkeys(one.why for one in doubtful)),
            address=where,
            hint="keep the disks under lock, or destroy them",
        )
    return True
