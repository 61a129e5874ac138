"""Exceptions: until when they hold, what needs one, and which ones allow nothing any more."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from govhub.core.quantities import parse_quantity
from govhub.core.text import plural
from govhub.inventory.checks.report import Report
from govhub.inventory.model.tenancy import ExceptionEntry, ExceptionKind, QuotaClass, Tenant

SOON_DAYS = 30


def check(report: Report) -> None:
    """EXC001 expired, EXC002 expiring soon, EXC003 raises nobody granted, EXC004 grants nobody uses."""
    for position, exception in enumerate(report.model.exceptions):
        _due(report, position, exception)
    raised = {tenant.name: raises for tenant in report.model.tenants if (raises := _raises_of(report, tenant))}
    for position, tenant in enumerate(report.model.tenants):
        if tenant.name in raised:
            _raise(report, position, tenant, raised[tenant.name])
    for position, exception in enumerate(report.model.exceptions):
        kind, _, name = exception.target.partition("/")
        if exception.kind is ExceptionKind.QUOTA_RAISE and not (kind == "tenant" and name in raised):
            report.warning(
                "EXC004",
                ("exceptions", position, "target"),
                f'the exception "{exception.name}" allows a quota raise, but {exception.target} has none',
                hint="remove it, so that the next raise is asked for again",
            )


def granted(report: Report, kind: ExceptionKind, targets: Collection[str]) -> bool:
    """Whether an exception of ``kind`` for one of ``targets`` holds today."""
    return any(
        exception.kind is kind and exception.target in targets and exception.until >= report.today
        for exception in report.model.exceptions
    )


def raises(tenant: Tenant, size: QuotaClass) -> list[str]:
    """The overrides above the class, for people: ``cpu 64 over 32``."""
    found = []
    for key in ("cpu", "memory", "storage", "pods", "accelerators"):
        asked, normal = getattr(tenant.overrides, key), getattr(size, key)
        if asked is not None and _value(asked) > _value(normal):
            found.append(f"{key} {asked} over {normal}")
    return found


def _value(amount: str | int) -> Decimal:
    return parse_quantity(amount)


def _raises_of(report: Report, tenant: Tenant) -> list[str]:
    size = report.index.quota_classes.get(tenant.quota)
    return raises(tenant, size) if size else []


def _due(report: Report, position: int, exception: ExceptionEntry) -> None:
    left = (exception.until - report.today).days
    path = ("exceptions", position, "until")
    if left < 0:
        report.error(
            "EXC001",
            path,
            f'the exception "{exception.name}" expired {plural(-left, "day")} ago, on {exception.until}',
            detail=f"{exception.owner}: {exception.reason}",
            hint=f"ask {exception.owner} to renew it with a new reason, or undo what it allowed and remove it",
        )
    elif left <= SOON_DAYS:
        when = "today" if left == 0 else f"in {plural(left, 'day')}"
        report.warning(
            "EXC002",
            path,
            f'the exception "{exception.name}" ends {when}, on {exception.until}',
            detail=f"{exception.owner}: {exception.reason}",
            hint="renew it or undo what it allows before it fails every validation",
        )


def _raise(report: Report, position: int, tenant: Tenant, found: list[str]) -> None:
    target = f"tenant/{tenant.name}"
    if granted(report, ExceptionKind.QUOTA_RAISE, [target]):
        return
    report.error(
        "EXC003",
        ("tenants", position, "overrides"),
        f'tenant "{tenant.name}" has more than its quota class "{tenant.quota}" without an exception that holds today',
        detail="; ".join(found),
        hint=f"add an exception of kind quota-raise with `target: {target}`, or choose a larger class",
    )
