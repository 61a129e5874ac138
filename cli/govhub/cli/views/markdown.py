"""Pages for pull requests: the summary first, details folded, at most 64,000 bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from govhub.cli.i18n import tr, trn
from govhub.cli.views.page import Page, code, prose
from govhub.cli.views.plan import (
    ORDER,
    by_stack_and_kind,
    capacity_rows,
    consumed_title,
    fullest,
    headline,
    level_cells,
    level_titles,
    word,
)
from govhub.cli.views.text import field, seconds, tally
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.plan import Op, Plan, PlannedChange

if TYPE_CHECKING:
    from govhub.core.errors import GovhubError
    from govhub.ops.requests import RunResult, ValidateResult

FIELDS = 5
MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "ℹ️"}  # the sign for information


def validate_page(result: ValidateResult) -> str:
    """All hubs in one table, then what was found."""
    page = Page("validate")
    page.add(f"### govhub validate: {tally(_all(result)) or tr('valid')}")
    rows = [
        (code(hub), tally(items) or tr("valid"), seconds(result.seconds.get(hub, 0.0)))
        for hub, items in result.hubs.items()
    ]
    page.table((tr("Hub"), tr("Findings"), tr("time")), rows, share=0.3)
    _findings(page, _all(result))
    return page.text()


def plan_page(plan: Plan, program: str) -> str:
    """A plan: counts, findings, what is lost, capacity, then all changes as far as they fit."""
    page = Page(f"plan {plan.hub}")
    page.add(f"### govhub plan {prose(headline(plan))}")
    if plan.selection:
        page.add("", f"{tr('narrowed to')} {code(' '.join(plan.selection))}")
    _findings(page, plan.findings)
    _counts(page, plan.changes)
    _capacity(page, plan)
    _consumed(page, plan)
    _changes(page, plan.changes)
    if plan.coverage.unpredicted:
        page.add(f"**{tr('Coverage')}**: {plan.coverage.predicted:,} / {plan.coverage.total:,}")
        page.items((f"{code(address)}: {prose(why)}" for address, why in plan.coverage.unpredicted), share=0.9)
    against = f" --against {plan.against}" if plan.against else ""
    page.add("", f"{tr('Everything')}: {code(f'{program} plan {plan.hub}{against} --json')}")
    return page.text()


def run_page(command: str, result: RunResult) -> str:
    """An ``up`` or ``destroy``: the outcome, each layer's time, problems."""
    page = Page(f"{command} {result.plan.hub}")
    page.add(f"### govhub {command} {prose(result.plan.hub)}: {prose(result.status)} ({seconds(result.seconds)})")
    summary = ", ".join(f"{op} {count:,}" for op, count in result.plan.summary.items() if count)
    page.add("", f"{tr('run')} {code(result.run)}: {prose(summary)}")
    if result.readiness:
        page.add("", f"{tr('Workloads ready')}: {result.readiness.ready:,} / {result.readiness.total:,}")
    _findings(page, result.problems)
    if result.layers:
        rows = [(prose(layer), seconds(value)) for layer, value in result.layers.items()]
        page.table((tr("Layer"), tr("time")), rows, share=0.3)
    if result.leftovers:
        page.add(f"**{tr('Still there')}**")
        page.items(map(code, result.leftovers))
    if result.untouched:
        text = tr("Hosts were left alone, with all that is on them")
        page.add("", f"{text}: {trn('{count} host', '{count} hosts', len(result.untouched))}")
    return page.text()


def failure_page(command: str, hubs: Iterable[str], error: GovhubError) -> str:
    """A command that ended with an error, under the marker that its success would have had."""
    name = " ".join([command, *hubs]) if command != "validate" else command
    page = Page(name)
    page.add(f"### govhub {prose(name)}: {tr('failed')} ({tr('exit code')} {int(error.exit)})")
    _findings(page, error.diagnostics)
    return page.text()


def _all(result: ValidateResult) -> list[Diagnostic]:
    return [item for items in result.hubs.values() for item in items]


def _findings(page: Page, items: Iterable[Diagnostic]) -> None:
    found = list(items)
    if not found:
        return
    page.add("", f"**{tr('Findings')}**: {tally(found)}")
    rows = [
        (
            f"{MARKS[item.severity]} {item.severity.value} {code(item.code)}",
            code(item.source or item.address) if item.source or item.address else "",
            prose(item.summary) + (f"<br>{tr('hint')}: {prose(item.hint)}" if item.hint else ""),
        )
        for item in found
    ]
    # Changes need room too.
    page.table((tr("Finding"), tr("Where"), tr("What")), rows, share=0.5)


def _counts(page: Page, changes: tuple[PlannedChange, ...]) -> None:
    used = [op for op in Op if any(change.op is op for change in changes)]
    rows = [
        (prose(stack), code(kind), *(f"{counts[op]:,}" if counts[op] else "" for op in used))
        for (stack, kind), counts in by_stack_and_kind(changes).items()
    ]
    if rows:
        page.table((tr("Stack"), tr("Kind"), *(f"{op.symbol} {word(op)}" for op in used)), rows, share=0.3)


def _capacity(page: Page, plan: Plan) -> None:
    rows = [
        (prose(delta.cluster), *map(prose, cells))
        for delta in plan.capacity
        if delta.before != delta.after
        for cells in capacity_rows(delta)
    ]
    if rows:
        page.add(f"**{tr('Capacity (requested)')}**")
        titles = (tr("Resource"), tr("before"), tr("after"), tr("change"), tr("available"), tr("used"))
        page.table((tr("Cluster"), *titles), rows, share=0.3)


def _consumed(page: Page, plan: Plan) -> None:
    rows = [tuple(map(prose, level_cells(item))) for item in fullest(plan.consumed.levels)]
    if rows:
        page.add(f"**{consumed_title(plan.consumed)}**")
        page.table(level_titles(), rows, share=0.3)


def _changes(page: Page, changes: tuple[PlannedChange, ...]) -> None:
    """What is lost in the open, the rest folded."""
    ranked = sorted(changes, key=lambda change: ORDER.index(change.op))
    severe = [change for change in ranked if change.op in (Op.DELETE, Op.REPLACE)]
    harmless = ranked[len(severe) :]
    titles = (tr("Change"), tr("Object"), tr("Why"))
    if severe:
        page.add(f"**{tr('Deleted or replaced')}**")
        page.table(titles, map(_row, severe), share=0.6)
    if harmless:
        page.add("<details>", f"<summary>{tr('All other changes')} ({len(harmless):,})</summary>")
        page.table(titles, map(_row, harmless), share=0.95)
        page.add("</details>", "")


def _row(change: PlannedChange) -> tuple[str, str, str]:
    fields = [prose(field(one)) for one in change.diff[:FIELDS]]
    if len(change.diff) > FIELDS:
        fields.append(f"… +{len(change.diff) - FIELDS}")
    return f"{change.op.symbol} {word(change.op)}", code(change.address), "<br>".join([prose(change.reason), *fields])
