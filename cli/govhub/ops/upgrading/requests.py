"""What an upgrade is asked, and what becomes of each host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.events import Listener
from govhub.core.exits import Exit
from govhub.core.kube import Kube


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """Which hosts, and how careful."""

    hub: str
    limit: tuple[str, ...] = ()
    reboot: str = "when-required"
    """``when-required``, ``always`` or ``never``."""
    at_once: int = 1
    """Hosts in work at the same time, as far as budgets allow."""
    confirmed: tuple[str, ...] = ()
    """Departments that may lose more than their budget to one host at a time."""
    pause_after: int | None = None
    """Stop after this many hosts; the next call goes on."""
    drain_seconds: float = 600.0
    """For a node's pods to go."""
    wait: float = 300.0
    """For a node, and for what ran before, to be well again; and for pods that a budget misses."""
    timeout: float = 3600.0
    """For one host's packages and restart."""
    approve: Callable[[list[Upgrade]], bool] | None = None
    listener: Listener | None = None
    on_start: Callable[[Callable[[], None]], None] | None = None
    """Told how to pause: the hosts in work are finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a host takes from a department on the host's cluster; counts of pods."""

    tenant: str
    pods: int
    """Ready ones that have to go."""
    of: int
    """All that the department has there."""
    allowed: int
    """That may be away at once."""
    gone: int
    """That are not ready as it is."""


@dataclass(slots=True, kw_only=True)
class Upgrade:
    """One host: ``current``, ``planned``, ``done``, ``failed``, ``frozen``, ``over budget`` or ``not tried``."""

    host: str
    status: str = "planned"
    round: int = 0
    """Hosts of one round may be in work together; rounds count from 1, 0 is for hosts that are left alone."""
    packages: list[str] = field(default_factory=list)
    """``name old → new``."""
    reboot: bool = False
    """Whether it waits for a restart already; packages may ask for one too."""
    pods: int = 0
    """Pods that have to go elsewhere."""
    losses: list[Loss] = field(default_factory=list)
    """Whose pods these are, for those of departments."""
    interrupts: list[str] = field(default_factory=list)
    """Those that run once, so that their system stands still meanwhile."""
    cordoned_by: str = ""
    """The killed run that left the node closed."""
    only_opened: bool = False
    """Nothing waits on it, but it was left closed."""
    seconds: float = 0.0
    why: str = ""
    over: str = ""
    """The department whose budget does not allow it."""
    kube: Kube | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        names = ("host", "status", "round", "packages", "reboot", "pods", "interrupts", "why")
        out = {name: getattr(self, name) for name in names}
        return out | {"departments": [asdict(item) for item in self.losses], "seconds": round(self.seconds, 2)}


@dataclass(slots=True, kw_only=True)
class UpgradeResult:
    """What became of each host; ``status`` is ``current``, ``done``, ``paused``, ``failed`` or ``declined``."""

    hub: str
    run: str = ""
    folder: Path | None = None
    status: str = "current"
    at_once: int = 1
    hosts: list[Upgrade] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def exit(self) -> Exit:
        """OK unless a host failed or was left out."""
        return Exit.FAILED if any(item.severity is Severity.ERROR for item in self.problems) else Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.upgrade/1",
            "hub": self.hub,
            "run": self.run or None,
            "status": self.status,
            "at_once": self.at_once,
            "rounds": self.rounds(),
            "hosts": [item.as_dict() for item in self.hosts],
            "diagnostics": [item.as_dict() for item in self.problems],
        }

    def rounds(self) -> list[list[str]]:
        """The hosts that may be in work together, in order."""
        last = max((item.round for item in self.hosts), default=0)
        return [[item.host for item in self.hosts if item.round == number] for number in range(1, last + 1)]
