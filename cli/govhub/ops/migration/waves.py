"""``migrate plan``: make waves, look at them under other limits, or check a plan that people edited."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import GovhubError, InvalidInput, PolicyViolation
from govhub.core.settings import today
from govhub.core.text import and_more
from govhub.inventory.loader import Hub
from govhub.migration.waves.assumptions import assumptions
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.plan import SECONDS, NoPlan, Plan, make_plan
from govhub.migration.waves.planfile import read_plan, written
from govhub.migration.waves.portfolio import Portfolio, portfolio_of
from govhub.migration.waves.report import document
from govhub.migration.waves.sizes import read_sizes
from govhub.migration.waves.verdict import verdict
from govhub.migration.waves.whatif import changed, compared
from govhub.migration.waves.words import tell
from govhub.ops.load import valid_hub
from govhub.ops.migration.measured import measured_sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class WavesRequest:
    """What ``migrate plan`` is asked for."""

    hub: str
    what_if: tuple[str, ...] = ()
    check: Path | None = None
    """A plan file to check instead of making a plan."""
    sizes: Path | None = None
    """A YAML file of measured sizes by system, or by system/move."""
    greedy: bool = False
    seconds: float = SECONDS


@dataclass(slots=True, kw_only=True)
class WavesResult:
    """A plan, its document, and what it was made from, for files and pictures of it."""

    plan: Plan
    problem: Problem
    document: dict[str, Any]
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether a rule is broken; only plans that people edited can do that."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)

    def file(self, language: str) -> str:
        """The text of the plan file."""
        return written(self.problem, self.plan, language)


def plan_waves(request: WavesRequest) -> WavesResult:
    """Plan the systems of a hub into waves, or check a plan.

    Raises:
        InvalidInput: the hub, the sizes or the plan file are wrong in form.
        PolicyViolation: there is no plan, with the smallest set of rules that cannot hold together.
        GovhubError: no plan was found, and there may be one.
        UsageError: a change of ``what_if`` makes no sense.
    """
    hub, _ = valid_hub(request.hub)
    given = read_sizes(request.sizes) if request.sizes else {}
    measured = measured_sizes(hub)
    # A file that somebody wrote goes before what was read, of the whole system too.
    known = {name: item.bytes for name, item in measured.items() if name.partition("/")[0] not in given} | given
    result = _planned(hub, portfolio_of(hub, today(), known), request)
    result.document["sizes"] = {
        "file": sorted(given),
        "survey": {
            name: asdict(item) for name, item in sorted(measured.items()) if name in known and name not in given
        },
    }
    return result


def _planned(hub: Hub, portfolio: Portfolio, request: WavesRequest) -> WavesResult:
    limits = changed(portfolio.limits, request.what_if)
    if request.check:
        return _checked(hub, Problem(portfolio.with_limits(limits)), request.check)
    if not request.what_if:
        return _made(hub, portfolio, request)
    then = _made(hub, portfolio.with_limits(limits), request)
    try:
        now = _made(hub, portfolio, request)
    except PolicyViolation as error:
        # What is asked for may be just what makes a plan possible.
        then.document["what_if"] = {"changes": list(request.what_if), "now": None, "why": error.diagnostics[0].summary}
        return then
    comparison = compared(now.document, then.document, (now.plan, then.plan), request.what_if)
    then.document["what_if"] = comparison
    return then


def _made(hub: Hub, portfolio: Portfolio, request: WavesRequest) -> WavesResult:
    problem = Problem(portfolio)
    plan = make_plan(problem, simple=request.greedy, seconds=request.seconds)
    if isinstance(plan, NoPlan):
        found = _none(hub, problem, plan)
        raise PolicyViolation(found) if plan.proven else GovhubError(found)
    found = verdict(problem, hub, plan)
    if any(item.severity is Severity.ERROR for item in found):
        raise PolicyViolation(found)
    found += assumptions(problem, hub, plan)
    return WavesResult(plan=plan, problem=problem, document=document(problem, plan, found), diagnostics=found)


def _checked(hub: Hub, problem: Problem, path: Path) -> WavesResult:
    problems = Diagnostics()
    read = read_plan(path, problem, problems)
    if read is None:
        raise InvalidInput(problems.sorted())
    plan, where = read
    found = sorted([*problems, *verdict(problem, hub, plan, where)], key=Diagnostic.sort_key)
    found += assumptions(problem, hub, None)
    page = document(problem, plan, found) | {"checked": path.name}
    return WavesResult(plan=plan, problem=problem, document=page, diagnostics=found)


def _none(hub: Hub, problem: Problem, none: NoPlan) -> list[Diagnostic]:
    found = Diagnostics()
    if none.conflict is None:
        text = "no plan was found" + (
            " by simple rules; that does not mean that there is none" if not none.proven else ""
        )
        hint = "install the solver (pip install 'govhub[waves]'), or give it more time with --seconds"
        found.error("WAV022", text, source=hub.at("migration"), hint=hint)
        return list(found)
    conflict = none.conflict
    told = [tell(problem, hub, rule, conflict.systems) for rule in conflict.rules]
    smallest = "; each of them is needed for the conflict" if conflict.smallest else "; there may be a smaller set"
    found.error(
        "WAV020",
        "there is no plan: " + (f"{len(told)} rules cannot hold together" if told[1:] else "a rule cannot be kept"),
        detail=f"about {and_more(list(conflict.systems), 8)}" + (smallest if told[1:] else ""),
        source=next((one.source for one in told if one.source), None),
        hint="lift or change one of what follows",
    )
    for one in told:
        found.error("WAV021", one.text, source=one.source, hint=one.hint)
    return list(found)
