"""A plan as a document: what is in each wave, how full it is, and what bounds it first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.core.quantities import GIB
from govhub.inventory.sizing import Amount
from govhub.migration.waves.assumptions import coverage
from govhub.migration.waves.days import days_between
from govhub.migration.waves.holidays import kind_of
from govhub.migration.waves.nights import line_of, nights_of
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import Placement, Plan
from govhub.migration.waves.pools import PoolLoad, loads
from govhub.migration.waves.problem import Slot

Document = dict[str, Any]
SCHEMA = "govhub.waves/1"
OTHERS = ("pods", "accelerators")


def document(problem: Problem, plan: Plan, found: Iterable[Diagnostic]) -> Document:
    """The whole plan for programs; sizes in bytes, efforts in person-days."""
    waves = plan.waves
    systems = [[problem.candidates[item.system] for item in items] for items in waves.values()]
    pools = loads(problem.portfolio.pools, systems)
    parts = [_wave(problem, number, items, pools[position]) for position, (number, items) in enumerate(waves.items())]
    diagnostics = list(found)
    days = [item.cutover for item in plan.placements if item.cutover]
    staying = problem.portfolio.staying
    return {
        "schema": SCHEMA,
        "hub": plan.hub,
        "inputs": plan.inputs,
        "method": plan.method,
        "fewest": plan.fewest,
        "reproducible": not plan.cut_short,
        "summary": {
            "systems": len(plan.placements),
            "waves": len(waves),
            "first_cutover": min(days).isoformat() if days else None,
            "last_cutover": max(days).isoformat() if days else None,
            "weak_against_order": sum(item.code == "WAV014" for item in diagnostics),
            "bytes": sum(item.size for part in systems for item in part),
            "person_days": sum(item.effort for part in systems for item in part) / 100,
            "fullest": max((part["binding"]["ratio"] for part in parts if part["binding"]), default=None),
            "coverage": coverage(problem),
        },
        "waves": parts,
        "holidays": _holidays(problem, days),
        "retire": [_stays(item) for item in staying if item.strategy == "retire"],
        "retain": [_stays(item) for item in staying if item.strategy == "retain"],
        "diagnostics": [item.as_dict() for item in diagnostics],
    }


def _holidays(problem: Problem, cutovers: list[date]) -> list[Document]:
    """Statutory holidays while the plan runs, as far as they are known; ``published`` false: by law alone."""
    if not cutovers:
        return []
    out = []
    for day in days_between(problem.limits.first, max(cutovers)):
        kind = kind_of(day)
        if kind.holiday:
            out.append({"day": day.isoformat(), "name": kind.holiday, "published": kind.published})
    return out


def _wave(problem: Problem, number: int, items: list[Placement], pools: list[PoolLoad]) -> Document:
    # A plan that was edited may have waves that the hub does not: they have no dates, and nothing to be measured by.
    slot = problem.slot(number) if number <= len(problem.slots) else None
    load = _load(problem, slot, items) if slot else []
    full = [{"constraint": row["constraint"], "ratio": row["ratio"]} for row in load if row["ratio"] is not None]
    full += [{"constraint": item.pool.name, "ratio": round(item.ratio, 4)} for item in pools]
    return {
        "wave": number,
        "begins": slot.first.isoformat() if slot else None,
        "ends": slot.last.isoformat() if slot else None,
        "systems": [_system(problem, item) for item in items],
        "load": load,
        "nights": nights_of(problem, items),
        "line": line_of(problem, slot, items) if slot else [],
        "pools": [_pool(item) for item in pools],
        "binding": max(full, key=lambda row: row["ratio"], default=None),
    }


def _load(problem: Problem, slot: Slot, items: list[Placement]) -> list[Document]:
    systems = [problem.candidates[item.system] for item in items]
    limits = problem.limits
    departments = Counter(item.tenant for item in systems)
    fullest = max(departments.values(), default=0)
    capacity = limits.capacity
    return [
        _row("teams", sum(item.effort for item in systems) / 100, None if capacity is None else capacity / 100),
        _row("link", sum(item.size for item in systems), slot.line),
        _row("per-wave", len(systems), limits.per_wave),
        _row("per-department", fullest, limits.per_department),
    ]


def _row(constraint: str, used: float, offered: float | None) -> Document:
    ratio = None if offered is None else round(used / offered, 4) if offered else 0.0
    return {"constraint": constraint, "used": used, "offered": offered, "ratio": ratio}


def _system(problem: Problem, item: Placement) -> Document:
    candidate = problem.candidates[item.system]
    return {
        "system": item.system,
        "title": dict(candidate.title),
        "tenant": candidate.tenant,
        "tier": candidate.tier,
        "cutover": item.cutover.isoformat() if item.cutover else None,
        "teams": list(item.teams),
        "person_days": candidate.effort / 100,
        "bytes": candidate.size,
        "size_from": candidate.basis.value,
        "trial_days": candidate.trial_days,
    }


def _pool(item: PoolLoad) -> Document:
    return {
        "pool": item.pool.name,
        "before": _amount(item.before),
        "after": _amount(item.after),
        "offered": _amount(item.pool.offered),
        "without_rack": item.pool.rack,
        "ratio": round(item.ratio, 4),
    }


def _amount(amount: Amount) -> Document:
    return {"cores": amount.millicores / 1000, "memory_gib": round(amount.memory / GIB, 3)} | {
        name: getattr(amount, name) for name in OTHERS
    }


def _stays(item: Any) -> Document:
    return {"system": item.name, "title": dict(item.title), "strategy": item.strategy}
