"""What a plan takes for granted because nobody said or measured it; named in every plan."""

from __future__ import annotations

from collections import Counter

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.core.text import and_more, plural
from govhub.inventory.loader import Hub
from govhub.migration.waves.estimate import GUESS
from govhub.migration.waves.holidays import unpublished
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import GREEDY, Plan
from govhub.migration.waves.problem import Basis
from govhub.migration.waves.ties import circles
from govhub.migration.waves.words import gibibytes

LAW_ONLY = "the days of the law are taken; which days around them are exchanged is not known, nor working weekends"


def assumptions(problem: Problem, hub: Hub, plan: Plan | None) -> list[Diagnostic]:
    """Notes, in the order in which they weigh."""
    found = Diagnostics()
    _sizes(problem, found)
    _efforts(problem, found)
    limits = problem.limits
    rules = hub.at("migration")
    if not limits.teams:
        hint = "name the teams under `migration.teams`"
        found.note("WAV026", "no team is declared: the capacity of people is unknown and limits nothing", hint=hint)
    if problem.portfolio.first_assumed:
        text = f"the first wave begins on {limits.first}, the next Monday: the hub names no day"
        found.note("WAV028", text, source=rules, hint="set `migration.first_wave`")
    elif limits.first < limits.today:
        text = f"the first wave began on {limits.first}: days before today are not used"
        found.note("WAV028", text, source=hub.at("migration", "first_wave"), hint="set a later `migration.first_wave`")
    days = [item.cutover for item in plan.placements if item.cutover] if plan else []
    last = max(days, default=problem.slots[-1].last)
    if year := unpublished(limits.today, last):
        text = f"the statutory holidays from {year} on are not published yet: {LAW_ONLY}"
        found.note("WAV027", text, hint="plan again when the State Council has published them")
    for circle in circles(problem.candidates, problem.ties):
        if len({problem.group_of[name].index for name in circle}) == 1:
            continue  # they move together anyway
        text = f"{and_more(list(circle))} need each other in a circle: only one wave for all keeps the order"
        found.note("WAV031", text, hint="make one of the dependencies strong, or see which one is not needed")
    for name in problem.portfolio.stale:
        found.warning("WAV030", f'a size is given for "{name}", which the hub does not have', hint="correct the name")
    if plan and plan.method == GREEDY:
        text = "planned by simple rules (greedy): another plan may need fewer waves"
        found.note("WAV023", text, hint="for the solver: pip install 'govhub[waves]'")
    if plan and plan.cut_short:
        text = "the solver was stopped by its limit in seconds: another run may give another plan"
        found.note("WAV025", text, hint="raise --seconds, or plan on a machine with less to do")
    return list(found)


def coverage(problem: Problem) -> dict[str, int]:
    """How much of the plan stands on figures that somebody declared or measured."""
    items = problem.candidates.values()
    bases = Counter(item.basis for item in items)
    return {
        "systems": len(problem.candidates),
        "sizes_known": sum(count for basis, count in bases.items() if basis.known),
        **{f"sizes_{basis.value}": bases[basis] for basis in Basis},
        "efforts_declared": sum(not item.estimated for item in items),
        "with_migration": sum(item.entry is not None for item in items),
    }


def _sizes(problem: Problem, found: Diagnostics) -> None:
    for basis, taken in (
        (Basis.VOLUMES, "taken as the volumes that they ask for on the cloud"),
        (Basis.GUESSED, f"taken as {gibibytes(GUESS)} for each part"),
    ):
        names = sorted(item.name for item in problem.candidates.values() if item.basis is basis)
        if names:
            text = f"the size of {plural(len(names), 'system')} is not known: {taken}"
            hint = "declare `size` of their moves, or give measured ones with --sizes"
            found.note("WAV024", text, detail=and_more(names), hint=hint)


def _efforts(problem: Problem, found: Diagnostics) -> None:
    names = sorted(item.name for item in problem.candidates.values() if item.estimated)
    if names:
        text = f"the effort of {plural(len(names), 'system')} is estimated from tier, data and protection level"
        found.note("WAV029", text, detail=and_more(names), hint="declare `effort` in their migrations")
