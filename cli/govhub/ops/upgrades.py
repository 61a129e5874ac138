"""What an upgrade finds before it begins: what waits on each host, and who would have to go for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.events import Listener
from govhub.core.exits import Exit
from govhub.core.kube import Kube
from govhub.hosts.nodes import GROUP
from govhub.hosts.outcome import HostOutcome
from govhub.hosts.runner import Play, PlayRequest
from govhub.ops import drain
from govhub.ops.hostside import chosen
from govhub.ops.occupants import occupants
from govhub.ops.requests import Selection
from govhub.ops.session import Session

PLAY = "upgrade.yml"
REPORT = "upgrade: What waits"
_PACKAGE = re.compile(r"^Inst (\S+)(?: \[(\S+)\])? \((\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """Which hosts, and how careful."""

    hub: str
    limit: tuple[str, ...] = ()
    reboot: str = "when-required"
    """``when-required``, ``always`` or ``never``."""
    pause_after: int | None = None
    """Stop after this many hosts; the next call goes on."""
    drain_seconds: float = 600.0
    """For a node's pods to go."""
    wait: float = 300.0
    """For a node, and for what ran before, to be well again."""
    timeout: float = 3600.0
    """For one host's packages and restart."""
    approve: Callable[[list[Upgrade]], bool] | None = None
    listener: Listener | None = None
    on_start: Callable[[Callable[[], None]], None] | None = None
    """Told how to pause: the host in work is finished."""


@dataclass(slots=True, kw_only=True)
class Upgrade:
    """One host: ``current``, ``planned``, ``done``, ``failed``, ``frozen`` or ``not tried``."""

    host: str
    status: str = "planned"
    packages: list[str] = field(default_factory=list)
    """``name old → new``."""
    reboot: bool = False
    """Whether it waits for a restart already; packages may ask for one too."""
    pods: int = 0
    """Pods that have to go elsewhere."""
    interrupts: list[str] = field(default_factory=list)
    """Those that run once, so that their system stands still meanwhile."""
    cordoned_by: str = ""
    """The killed run that left the node closed."""
    seconds: float = 0.0
    why: str = ""
    kube: Kube | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        names = ("host", "status", "packages", "reboot", "pods", "interrupts", "why")
        return {name: getattr(self, name) for name in names} | {"seconds": round(self.seconds, 2)}


@dataclass(slots=True, kw_only=True)
class UpgradeResult:
    """What became of each host; ``status`` is ``current``, ``done``, ``paused``, ``failed`` or ``declined``."""

    hub: str
    run: str = ""
    folder: Path | None = None
    status: str = "current"
    hosts: list[Upgrade] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def exit(self) -> Exit:
        """OK unless a host failed."""
        return Exit.FAILED if any(item.severity is Severity.ERROR for item in self.problems) else Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.upgrade/1",
            "hub": self.hub,
            "run": self.run or None,
            "status": self.status,
            "hosts": [item.as_dict() for item in self.hosts],
            "diagnostics": [item.as_dict() for item in self.problems],
        }


def look(session: Session, request: UpgradeRequest) -> list[Upgrade]:
    """What waits on each host that a run has brought to its state, and who runs on it."""
    side = session.hosts
    names = [name for name in side.declared if name in side.recorded and chosen(name, Selection(hosts=request.limit))]
    if not names:
        return []
    hosts = tuple(side.declared[name] for name in names)
    play = Play(PlayRequest(hosts=hosts, play=PLAY, report=REPORT, folder=session.folder / "ansible", check=True))
    outcomes = play.run()
    clusters = {name: str(side.declared[name].variables["govhub_cluster"]) for name in names if _is_node(session, name)}
    connections = session.connect(tuple(sorted(set(clusters.values())))) if clusters else {}
    found = []
    for name in names:
        item = _found(name, outcomes[name], play.message, request)
        found.append(item)
        connection = connections.get(clusters.get(name, ""))
        if connection and connection.problem:
            item.status, item.why = "failed", connection.problem.summary
        elif connection and connection.kube:
            _look_at_node(session, item, connection.kube)
    return found


def _found(name: str, outcome: HostOutcome, message: str, request: UpgradeRequest) -> Upgrade:
    if outcome.status != "done":
        return Upgrade(host=name, status="failed", why=outcome.why or message or "it was not reached")
    lines = outcome.report.splitlines()
    found = [match for text in lines if (match := _PACKAGE.match(text))]
    item = Upgrade(host=name, packages=[f"{match[1]} {match[2] or '–'} → {match[3]}" for match in found])
    item.reboot = "reboot" in lines
    wanted = item.packages or request.reboot == "always" or (item.reboot and request.reboot != "never")
    item.status = "planned" if wanted else "current"
    return item


def _look_at_node(session: Session, item: Upgrade, kube: Kube) -> None:
    item.kube = kube
    item.cordoned_by = drain.cordoned_by(kube, item.host)
    if item.cordoned_by and item.status == "current":
        item.status = "planned"
    found = occupants(kube, session.hub, item.host)
    item.pods, item.interrupts = len(found.pods), list(found.interrupts)
    if item.status == "planned" and found.frozen:
        item.status, item.why = "frozen", found.frozen


def _is_node(session: Session, name: str) -> bool:
    return GROUP in session.hosts.declared[name].groups
