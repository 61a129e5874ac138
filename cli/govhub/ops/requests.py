"""What is asked of a use case and what comes back; the command line only fills the first and shows the second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.events import Listener
from govhub.core.exits import Exit
from govhub.core.plan import Plan
from govhub.engine.drift import Drifted
from govhub.engine.executor import JobResult
from govhub.hosts.outcome import HostOutcome
from govhub.inventory.limits import only_fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a plan or run is narrowed to; each is a list of names or globs, empty for everything."""

    stacks: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    """``hosts`` or ``stacks``; both when empty."""
    hosts: tuple[str, ...] = ()
    """``--limit``: only these hosts of the hosts layer."""

    def __bool__(self) -> bool:
        return bool(self.stacks or self.tenants or self.systems or self.clusters or self.layers or self.hosts)

    @property
    def objects(self) -> bool:
        """Whether the stacks layer is narrowed."""
        return bool(self.stacks or self.tenants or self.systems or self.clusters)

    def has(self, layer: str) -> bool:
        """Whether a layer is part of this; what narrows one layer leaves the other out."""
        if self.layers:
            return layer in self.layers
        return not self.objects if layer == "hosts" else not self.hosts or self.objects

    def words(self) -> tuple[str, ...]:
        """As typed: ``--tenant finance``."""
        groups = (
            ("--stack", self.stacks),
            ("--tenant", self.tenants),
            ("--system", self.systems),
            ("--cluster", self.clusters),
            ("--layer", self.layers),
            ("--limit", self.hosts),
        )
        return tuple(f"{flag} {value}" for flag, values in groups for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """A plan of one hub."""

    hub: str
    selection: Selection = Selection()
    engine: bool = False
    """Also run the engine's own preview, and say where the two differ."""
    against: str = ""
    """A git revision or a hub folder to compare with, instead of the state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePreview:
    """The engine's own preview beside ours."""

    counts: dict[str, int]
    seconds: float
    differences: tuple[str, ...]
    """One line each: where the engine and the engine-free plan differ."""


@dataclass(slots=True, kw_only=True)
class PlanResult:
    """The plan, and the engine's preview when it was asked for."""

    plan: Plan
    preview: EnginePreview | None = None

    @property
    def exit(self) -> Exit:
        """POLICY when a finding forbids to go on, else OK; ``--detailed-exitcode`` is the command line's."""
        return Exit.POLICY if self.plan.blocked else Exit.OK


Approve = Callable[[Plan], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """An ``up`` or ``destroy`` of one hub."""

    hub: str
    selection: Selection = Selection()
    plan_file: Path | None = None
    approve: Approve | None = None
    """Asked once, with the plan, when there are changes; None approves (``--yes``)."""
    confirm: tuple[str, ...] = ()
    """``--confirm NAME``: names (tenants, namespaces, systems or the hub) whose deletion over budget is meant."""
    listener: Listener | None = None
    """Gets every event of the run as it happens."""
    on_start: Callable[[Callable[[], None]], None] | None = None
    """Gets a function that interrupts the run: once gently, twice at once."""
    timeout: float = 3600.0
    """Seconds one engine run may take."""
    wait: float = 180.0
    """Seconds to wait for workloads to become ready; 0 does not look."""
    workers: int = 2
    """Shards at the same time."""
    serial: str = "100%"
    """Hosts at the same time: a number or a percentage."""
    max_fail: int = 100
    """Stop the hosts layer when more than this percentage has failed."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Workloads that are ready; ``waiting`` names the others with the reason the cluster gives."""

    ready: int
    total: int
    waiting: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class RunResult:
    """What a run did."""

    run: str
    folder: Path | None
    plan: Plan
    status: str
    """unchanged, done, failed, interrupted, declined."""
    jobs: list[JobResult] = field(default_factory=list)
    hosts: list[HostOutcome] = field(default_factory=list)
    seconds: float = 0.0
    layers: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds by layer: load, plan, verify, then each stack, then readiness."""
    readiness: Readiness | None = None
    problems: list[Diagnostic] = field(default_factory=list)
    """What went wrong, one diagnostic each: failed objects, unreachable clusters, what was not tried."""
    failed_exit: Exit = Exit.FAILED
    leftovers: tuple[str, ...] = ()
    """After destroy: what is still there; empty is the proof."""
    untouched: tuple[str, ...] = ()
    """After destroy: hosts, which it leaves alone."""

    @property
    def exit(self) -> Exit:
        """The process's exit code."""
        if self.status == "interrupted":
            return Exit.INTERRUPTED
        if self.status == "failed":
            return self.failed_exit
        return Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.run/1",
            "hub": self.plan.hub,
            "run": self.run,
            "folder": str(self.folder) if self.folder else None,
            "status": self.status,
            "seconds": round(self.seconds, 2),
            "layers": {key: round(value, 2) for key, value in self.layers.items()},
            "summary": self.plan.summary,
            "hosts": [_host(item) for item in self.hosts],
            "shards": [_job(job) for job in self.jobs],
            "readiness": _readiness(self.readiness),
            "problems": [item.as_dict() for item in self.problems],
            "leftovers": list(self.leftovers),
            "untouched_hosts": list(self.untouched),
        }


@dataclass(slots=True, kw_only=True)
class DriftResult:
    """What drifted on each cluster; ``unreachable`` names the clusters that could not be read."""

    hub: str
    compared: int
    drifted: list[Drifted]
    hosts: list[HostOutcome] = field(default_factory=list)
    """Hosts that differ from their declared state, or that could not be looked at."""
    unreachable: list[Diagnostic] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.drift/1",
            "hub": self.hub,
            "compared": self.compared,
            "drifted": [
                {"kind": item.kind.value, "address": item.address, "diff": [change.as_dict() for change in item.diff]}
                for item in self.drifted
            ],
            "hosts": [_host(item) for item in self.hosts],
            "unreachable": [item.as_dict() for item in self.unreachable],
            "seconds": round(self.seconds, 2),
        }


@dataclass(slots=True, kw_only=True)
class ValidateResult:
    """Diagnostics by hub, and how long each took."""

    hubs: dict[str, list[Diagnostic]]
    seconds: dict[str, float]

    @property
    def exit(self) -> Exit:
        """POLICY when only policy rules complain, INVALID when the inventory is wrong."""
        errors = [item for items in self.hubs.values() for item in items if item.severity is Severity.ERROR]
        if not errors:
            return Exit.OK
        return Exit.POLICY if only_fitting(errors, "POL-") else Exit.INVALID

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.validate/1",
            "hubs": [
                {
                    "hub": hub,
                    "valid": not any(item.severity is Severity.ERROR for item in items),
                    "seconds": round(self.seconds[hub], 3),
                    "diagnostics": [item.as_dict() for item in items],
                }
                for hub, items in self.hubs.items()
            ],
        }


def _job(job: JobResult) -> dict[str, Any]:
    return {
        "shard": str(job.shard),
        "status": job.status,
        "seconds": job.seconds,
        "counts": job.outcome.counts,
        "failures": job.outcome.failures,
        "messages": job.outcome.messages[:5],
        "reason": job.reason,
    }


def _host(item: HostOutcome) -> dict[str, Any]:
    return {"host": item.host, "status": item.status, "changed": item.changed, "why": item.why}


def _readiness(item: Readiness | None) -> dict[str, Any] | None:
    if item is None:
        return None
    waiting = [{"address": address, "why": why} for address, why in item.waiting]
    return {"ready": item.ready, "total": item.total, "waiting": waiting}
