"""Plans and results with fixed contents and times, and committed snapshots."""

from __future__ import annotations

import os
from pathlib import Path

from govhub.core.diagnostics import Diagnostic, Severity, SourceRange
from govhub.core.diff import Change
from govhub.core.plan import Amounts, Basis, CapacityDelta, Coverage, Op, Plan, PlannedChange
from govhub.engine.executor import JobResult
from govhub.engine.runner import Outcome
from govhub.ops.requests import Readiness, RunResult, ValidateResult
from govhub.stacks.graph import Shard

SNAPSHOTS = Path(__file__).with_name("snapshots")
CREATED = "2026-03-02T08:00:00+00:00"

WARNING = Diagnostic(
    code="POL-liveness-probe",
    severity=Severity.WARNING,
    summary="Deployment/finance-prod/treasury-web has no liveness probe",
    detail='container "web": no livenessProbe',
    address="main/systems/Deployment/finance-prod/treasury-web",
    source=SourceRange("jinzhou/systems.yaml", 120, 5),
    hint="declare a health path",
)
ERROR = Diagnostic(
    code="TEN001",
    severity=Severity.ERROR,
    summary='quota | class <none> & "other" @all `x`',
    source=SourceRange("jinzhou/tenants.yaml", 12, 5),
    hint='did you mean "medium"?',
)


def plan(*findings: Diagnostic) -> Plan:
    """One change of each operation and a few creations, with findings and capacity."""
    return Plan(
        hub="jinzhou",
        basis=Basis(inputs="0" * 64, serials={"main/tenants/0": "7"}, targets={"main": "uid-1"}),
        created=CREATED,
        unchanged=140,
        changes=(
            *(
                _created("tenants", "Namespace", f"{name}-prod", name)
                for name in ("civil-affairs", "finance", "health")
            ),
            *(_created("tenants", "ResourceQuota", f"{name}-prod/quota", name) for name in ("finance", "health")),
            _changed(
                Op.UPDATE,
                "Deployment",
                "finance-prod/treasury-web",
                "spec differ from the state",
                Change("change", ("spec", "replicas"), 2, 3),
                Change("add", ("metadata", "labels", "govhub.io/tier"), None, "1"),
                Change("remove", ("spec", "paused"), True, None),
            ),
            _changed(
                Op.REPLACE,
                "StatefulSet",
                "finance-prod/treasury-db",
                "spec.serviceName cannot be changed on a live object",
                Change("change", ("spec", "serviceName"), "db", "treasury-db"),
            ),
            _changed(Op.DELETE, "Secret", "health-test/old-login", "no longer declared"),
            _changed(
                Op.REPAIR,
                "Service",
                "health-prod/records",
                "was edited on the cluster by somebody else",
                Change("change", ("spec", "ports", 0, "port"), 80, 8080),
            ),
        ),
        findings=tuple(findings) or (WARNING,),
        coverage=Coverage(148, 149, (("main/systems/Secret/finance-prod/db", "the secret's value is not known here"),)),
        capacity=(
            CapacityDelta(
                cluster="main",
                before=Amounts(120.5, 480.0, 300, 24),
                after=Amounts(181.0, 512.0, 364, 24),
                available=Amounts(12000.0, 96000.0, 22000, 240),
            ),
            CapacityDelta(cluster="edge", before=Amounts(), after=Amounts(2.0, 4.0, 4, 0), available=None),
        ),
    )


def big_plan(count: int) -> Plan:
    """A first provisioning of ``count`` objects."""
    kinds = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding")
    changes = tuple(
        _created(
            "tenants", kinds[index % 5], f"部门-{index:05d}/object-with-a-rather-long-name", f"dept-{index % 61:02d}"
        )
        for index in range(count)
    )
    return Plan(hub="jinzhou", basis=Basis(inputs="0" * 64), created=CREATED, unchanged=0, changes=changes)


def run_result(status: str = "failed") -> RunResult:
    """An ``up`` of two shards, one of which failed, or a good one."""
    jobs = [JobResult(Shard("main", "tenants", 0), "done", 12.34, Outcome(ok=True, counts={"create": 600, "same": 3}))]
    problems = []
    if status == "failed":
        failed = Outcome(counts={"create": 10}, failures={"urn:x::db": "quota exceeded"}, messages=["it failed"])
        jobs.append(JobResult(Shard("main", "systems", 0), "failed", 101.0, failed))
        jobs.append(JobResult(Shard("edge", "systems", 0), "not tried", reason="interrupted"))
        problems = [Diagnostic(code="RUN001", severity=Severity.ERROR, summary="db: quota exceeded", hint="run again")]
    return RunResult(
        run="20260302T080000Z-abc123",
        folder=Path("/runs/20260302T080000Z-abc123"),
        plan=plan(),
        status=status,
        jobs=jobs,
        seconds=125.0,
        layers={"verify": 0.21, "plan": 0.8, "tenants": 12.34},
        readiness=Readiness(9, 10, (("main/Deployment/a/b", "0 of 1 pods ready"),)),
        problems=problems,
    )


def validate_result() -> ValidateResult:
    """A hub with an error and a warning, and a good one."""
    return ValidateResult(
        hubs={"jinzhou": [ERROR, WARNING], "huating": []}, seconds={"jinzhou": 0.812, "huating": 0.05}
    )


def matches(name: str, text: str) -> bool:
    """Whether ``text`` is the committed snapshot; ``UPDATE_SNAPSHOTS=1`` commits it anew."""
    path = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    return True


def _created(stack: str, kind: str, name: str, tenant: str) -> PlannedChange:
    return PlannedChange(
        op=Op.CREATE,
        address=f"main/{stack}/{kind}/{name}",
        reason="declared, but not in the state",
        shard=f"main/{stack}/0",
        kind=kind,
        tenant=tenant,
    )


def _changed(op: Op, kind: str, name: str, reason: str, *diff: Change) -> PlannedChange:
    tenant = name.partition("-")[0]
    return PlannedChange(
        op=op,
        address=f"main/systems/{kind}/{name}",
        reason=reason,
        diff=diff,
        shard="main/systems/0",
        kind=kind,
        tenant=tenant,
        system=name.rpartition("/")[2].partition("-")[0],
        source=SourceRange("jinzhou/systems.yaml", 120, 5) if op is not Op.DELETE else None,
    )
