"""Benchmarks of planning waves: from a loaded hub to a checked plan, at three sizes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from govhub.bench.local import whole_process
from govhub.bench.results import Result, timed
from govhub.bench.synthetic import write_portfolio
from govhub.core.diagnostics import Severity
from govhub.inventory.loader import Hub, load
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import Plan, make_plan
from govhub.migration.waves.portfolio import portfolio_of
from govhub.migration.waves.verdict import verdict

TODAY = date(2026, 3, 1)
LIMITS = {120: 5.0, 1000: 60.0}


def plan_waves(sizes: Iterable[int], runs: int) -> list[Result]:
    """Jinzhou's plan as a whole process; plans of synthetic portfolios, the greedy way beside them."""
    out = [whole_process("migrate-plan-jinzhou", ["migrate", "plan", "jinzhou", "--json"], runs, limit=LIMITS[120])]
    for systems in sizes:
        with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch:
            loaded = load(write_portfolio(Path(scratch) / "synthetic", systems=systems))
        hub = loaded.hub
        if hub is None:
            raise RuntimeError("the hub did not load")
        for simple in (False, True):
            notes: list[str] = []
            name = f"waves-{systems}-systems" + ("-greedy" if simple else "")
            limit = None if simple else LIMITS.get(systems)
            result = Result(name=name, unit="s", limit=limit)
            result.ours = [timed(lambda: notes.append(_plan(hub, simple=simple))) for _ in range(runs)]  # noqa: B023
            result.note = notes[-1]
            out.append(result)
    return out


def _plan(hub: Hub, *, simple: bool) -> str:
    problem = Problem(portfolio_of(hub, TODAY))
    plan = make_plan(problem, simple=simple)
    if not isinstance(plan, Plan):
        raise RuntimeError("no plan was found")  # noqa: TRY004  # the benchmark failed, no argument was wrong
    found = verdict(problem, hub, plan)
    if any(item.severity is Severity.ERROR for item in found):
        raise RuntimeError(found[0].summary)
    weak = sum(item.code == "WAV014" for item in found)
    proof = "proven fewest" if plan.fewest else "not proven fewest"
    return f"{max(plan.waves)} waves, {proof}, {weak} weak ties against their order"
