"""A plan for people: counts first, the dangerous before the harmless, thousands of objects on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from govhub.cli.i18n import tr, trn
from govhub.cli.views.capacity import resource_word
from govhub.cli.views.text import (
    all_of_them,
    amount,
    diagnostics,
    field,
    heading,
    line,
    more,
    row,
    safe,
    seconds,
    table,
    tally,
)
from govhub.core.plan import Amounts, CapacityDelta, Consumed, LevelChange, Op, Plan, PlannedChange

if TYPE_CHECKING:
    from govhub.ops.requests import EnginePreview

STYLES = {Op.CREATE: "green", Op.UPDATE: "yellow", Op.REPLACE: "magenta", Op.DELETE: "red", Op.REPAIR: "cyan"}
# What is lost is read first.
ORDER = (Op.DELETE, Op.REPLACE, Op.UPDATE, Op.REPAIR, Op.CREATE)
FEW = {Op.CREATE: 3, Op.REPAIR: 10, Op.UPDATE: 10, Op.REPLACE: 20, Op.DELETE: 20}
FIELDS = 6
OWNERS = 4
LEVELS = 12


def show_plan(console: Console, plan: Plan, preview: EnginePreview | None = None, *, verbose: bool = False) -> None:
    """Everything a person needs to decide; ``verbose`` cuts nothing short."""
    line(console, headline(plan), style="bold")
    _narrowing(console, plan)
    if plan.changes:
        _counts(console, plan.changes)
        _owners(console, plan.changes, verbose)
        _changes(console, plan.changes, verbose)
    _capacity(console, plan.capacity)
    _consumed(console, plan.consumed, plan.against, verbose)
    if plan.findings:
        heading(console, f"{tr('Findings')}: {tally(plan.findings)}")
        diagnostics(console, plan.findings, verbose=verbose)
    _coverage(console, plan, verbose)
    if preview:
        _preview(console, preview, verbose)


def headline(plan: Plan) -> str:
    """``jinzhou: 12 to create, 1 to delete; 140 unchanged``."""
    same = trn("{count} unchanged", "{count} unchanged", plan.unchanged)
    against = f" ({tr('compared with')} {plan.against})" if plan.against else ""
    if not plan.changes:
        return f"{plan.hub}{against}: {tr('nothing to do')}; {same}"
    summary = plan.summary
    counts = ", ".join(f"{summary[op.value]:,} {to_do(op)}" for op in Op if summary[op.value])
    return f"{plan.hub}{against}: {counts}; {same}"


def to_do(op: Op) -> str:
    """The words of a headline."""
    return {
        Op.CREATE: tr("to create"),
        Op.UPDATE: tr("to update"),
        Op.REPLACE: tr("to replace"),
        Op.DELETE: tr("to delete"),
        Op.REPAIR: tr("to repair"),
    }[op]


def word(op: Op) -> str:
    """The operation's name beside its symbol."""
    return {
        Op.CREATE: tr("create"),
        Op.UPDATE: tr("update"),
        Op.REPLACE: tr("replace"),
        Op.DELETE: tr("delete"),
        Op.REPAIR: tr("repair"),
    }[op]


def stack_of(change: PlannedChange) -> str:
    """The stack, or the layer of what is in none."""
    parts = change.shard.split("/")
    return parts[1] if len(parts) > 1 else change.layer


def by_stack_and_kind(changes: Iterable[PlannedChange]) -> dict[tuple[str, str], Counter[Op]]:
    """Counts by stack and kind, in the order of the plan (which is the order of the run)."""
    order: dict[str, dict[str, Counter[Op]]] = {}
    for change in changes:
        kinds = order.setdefault(stack_of(change), {})
        kinds.setdefault(change.kind or change.layer, Counter())[change.op] += 1
    return {(stack, kind): kinds[kind] for stack, kinds in order.items() for kind in sorted(kinds)}


def _narrowing(console: Console, plan: Plan) -> None:
    if plan.selection:
        line(console, f"{tr('narrowed to')} {' '.join(plan.selection)}")
    if plan.pulled_in:
        what = trn(
            "{count} object is needed by it and was added",
            "{count} objects are needed by it and were added",
            len(plan.pulled_in),
        )
        line(console, f"{what}: {_first(plan.pulled_in, 3)}")


def _counts(console: Console, changes: Sequence[PlannedChange]) -> None:
    used = [op for op in Op if any(change.op is op for change in changes)]
    out = table(tr("Stack"), tr("Kind"), *(f"{op.symbol} {word(op)}" for op in used), numbers=range(2, 2 + len(used)))
    last = ""
    for (stack, kind), counts in by_stack_and_kind(changes).items():
        row(out, "" if stack == last else stack, kind, *(f"{counts[op]:,}" if counts[op] else "" for op in used))
        last = stack
    line(console)
    console.print(out)


def _owners(console: Console, changes: Iterable[PlannedChange], verbose: bool) -> None:
    """One line a stack: whose objects change, most first."""
    owners: dict[str, Counter[str]] = {}
    for change in changes:
        if name := change.system if stack_of(change) == "systems" and change.system else change.tenant:
            owners.setdefault(stack_of(change), Counter())[name] += 1
    if not owners:
        return
    heading(console, tr("By department or system"))
    width = max(map(len, owners))
    for stack, counts in owners.items():
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        shown = _first([f"{name} {n}" for name, n in ranked], len(ranked) if verbose else OWNERS)
        line(console, f"{stack:<{width}}  {len(counts):>4,}: {shown}")


def _changes(console: Console, changes: Sequence[PlannedChange], verbose: bool) -> None:
    heading(console, tr("Changes"))
    cut = False
    for op in ORDER:
        # Of a first provisioning's thousands a few of each stack tell enough.
        groups: dict[str, list[PlannedChange]] = {}
        for change in changes:
            if change.op is op:
                groups.setdefault(stack_of(change), []).append(change)
        for found in groups.values():
            limit = len(found) if verbose else FEW[op]
            for change in found[:limit]:
                _change(console, change, verbose)
            more(console, len(found) - limit, "  ", remark=False)
            cut = cut or len(found) > limit
    if cut:
        line(console, f"  ({all_of_them()})", style="dim")


def _change(console: Console, change: PlannedChange, verbose: bool) -> None:
    head = Text("  ")
    head.append(f"{change.op.symbol} {word(change.op)}", style=STYLES[change.op])
    head.append(f"  {safe(change.address)}")
    if change.op is not Op.CREATE:
        head.append(f"  ({safe(change.reason)})", style="dim")
    line(console, head)
    limit = len(change.diff) if verbose else FIELDS
    for one in change.diff[:limit]:
        line(console, f"      {field(one)}")
    more(console, len(change.diff) - limit, "      ")
    if change.source and change.op is not Op.CREATE:
        line(console, f"      {tr('declared at')} {change.source}", style="dim")


def _capacity(console: Console, deltas: Iterable[CapacityDelta]) -> None:
    moved = [delta for delta in deltas if delta.before != delta.after]
    if not moved:
        return
    heading(console, tr("Capacity (requested)"))
    out = table(
        tr("Cluster"),
        tr("Resource"),
        tr("before"),
        tr("after"),
        tr("change"),
        tr("available"),
        tr("used"),
        numbers=range(2, 7),
    )
    for delta in moved:
        for index, cells in enumerate(capacity_rows(delta)):
            row(out, "" if index else delta.cluster, *cells)
    console.print(out)


def _consumed(console: Console, taken: Consumed, against: str, verbose: bool) -> None:
    """What the hub's files take beside requests, the fullest limit first."""
    if taken.than == "unknown":
        heading(console, consumed_title(taken))
        note = tr("unknown: no complete run has recorded what was used before; the next one does")
        invalid = tr("unknown: the other revision does not say where everything stands")
        line(console, f"  {invalid if against else note}")
    if not taken.levels:
        return
    heading(console, consumed_title(taken))
    out = table(*level_titles(), numbers=range(2, 7))
    found = fullest(taken.levels)
    shown = found if verbose else found[:LEVELS]
    for item in shown:
        row(out, *level_cells(item))
    console.print(out)
    more(console, len(found) - len(shown))


def consumed_title(taken: Consumed) -> str:
    """What the table of limits is compared with."""
    words = {
        "applied": tr("compared with the last complete run"),
        "nothing": tr("nothing was applied yet"),
        "revision": tr("compared with the other revision"),
    }
    note = f" ({words[taken.than]})" if taken.than in words else ""
    return f"{tr('Space, power, cooling, pools and quotas')}{note}"


def fullest(levels: Iterable[LevelChange]) -> list[LevelChange]:
    """The fullest limit first; what has none comes last."""
    return sorted(levels, key=lambda item: -(item.ratio if item.ratio is not None else -1.0))


def level_titles() -> tuple[str, ...]:
    """Titles of the columns of ``level_cells``."""
    return (tr("Limit"), tr("Where"), tr("before"), tr("after"), tr("change"), tr("limit"), tr("used"))


def level_cells(item: LevelChange) -> tuple[str, ...]:
    """Limit, where, before, after, change, limit and the share in use; unknown is said, and is not zero."""
    scale, unit = (1000, " kW") if item.unit == "W" else (1, f" {item.unit}" if item.unit else "")
    sides = [tr("unknown") if value is None else amount(value / scale) + unit for value in (item.before, item.after)]
    known = item.before is not None and item.after is not None
    moved = ((item.after or 0.0) - (item.before or 0.0)) / scale
    change = f"{'+' if moved > 0 else ''}{amount(moved)}{unit}" if known else tr("unknown")
    limit = "" if item.limit is None else amount(item.limit / scale) + unit
    used = "" if item.ratio is None else f"{item.ratio:.1%}"
    return resource_word(item.resource), item.at, *sides, change, limit, used


def capacity_rows(delta: CapacityDelta) -> list[tuple[str, str, str, str, str, str]]:
    """Resource, before, after, change, available and the share in use; unknown is said, and is not zero."""
    change = delta.after.minus(delta.before)
    out = []
    for title, name in ((tr("cores"), "cores"), ("GiB", "memory_gib"), (tr("pods"), "pods"), (tr("racks"), "racks")):
        after, there = getattr(delta.after, name), getattr(delta.available or Amounts(), name)
        moved = getattr(change, name)
        out.append(
            (
                title,
                amount(getattr(delta.before, name)),
                amount(after),
                f"{'+' if moved > 0 else ''}{amount(moved)}",
                amount(there) if delta.available else tr("unknown"),
                f"{after / there:.0%}" if delta.available and there else tr("unknown"),
            )
        )
    return out


def _coverage(console: Console, plan: Plan, verbose: bool) -> None:
    coverage = plan.coverage
    if not coverage.unpredicted:
        return
    text = trn(
        "{count} object could not be predicted", "{count} objects could not be predicted", len(coverage.unpredicted)
    )
    heading(console, f"{tr('Coverage')}: {text} ({coverage.predicted:,} / {coverage.total:,})")
    limit = len(coverage.unpredicted) if verbose else 3
    for address, why in coverage.unpredicted[:limit]:
        line(console, f"  ? {address}: {why}")
    more(console, len(coverage.unpredicted) - limit, "  ")


def _preview(console: Console, preview: EnginePreview, verbose: bool) -> None:
    heading(console, f"{tr('Engine preview')} ({seconds(preview.seconds)})")
    line(console, "  " + (", ".join(f"{op} {count:,}" for op, count in preview.counts.items()) or tr("nothing to do")))
    if not preview.differences:
        line(console, f"  {tr('the engine says the same as the plan')}")
    limit = len(preview.differences) if verbose else 10
    for text in preview.differences[:limit]:
        line(console, f"  {text}")
    more(console, len(preview.differences) - limit, "  ")


def _first(names: Sequence[str], limit: int) -> str:
    shown = ", ".join(names[:limit])
    left = len(names) - limit
    return shown if left <= 0 else f"{shown} {trn('and {count} more', 'and {count} more', left)}"
