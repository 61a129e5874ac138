"""What a run did, for people: per layer, what went wrong, and what to type next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import diagnostics, heading, line, more, row, seconds, table, tally
from govhub.core.exits import Exit

if TYPE_CHECKING:
    from govhub.engine.executor import JobResult
    from govhub.ops.requests import RunResult

STYLES = {"done": "bold green", "unchanged": "bold green", "failed": "bold red", "interrupted": "bold yellow"}
# The engine counts its own bookkeeping too; people asked about these.
_CREATED, _DELETED = ("create", "create-replacement"), ("delete", "delete-replaced")
_LEFTOVERS = 20


def show_run(console: Console, result: RunResult, operation: str, program: str, *, verbose: bool = False) -> None:
    """The outcome of ``up`` or ``destroy``."""
    line(console, _headline(result), style=STYLES.get(result.status, "bold"))
    if result.hosts:
        _hosts(console, result)
    if result.jobs or verbose:
        _layers(console, result)
    if result.readiness:
        text = f"{tr('Workloads ready')}: {result.readiness.ready:,} / {result.readiness.total:,}"
        line(console, text, style="yellow" if result.readiness.waiting else "")
    if result.problems:
        heading(console, f"{tr('Problems')}: {tally(result.problems)}")
        diagnostics(console, result.problems, verbose=verbose)
    _leftovers(console, result, operation, verbose)
    if result.untouched:
        hosts = trn("{count} host", "{count} hosts", len(result.untouched))
        text = tr("Hosts were left alone, with all that is on them")
        line(console, f"{text}: {hosts}. {tr('To take them out')}: {program} hosts retire {result.plan.hub} HOST…")
    if result.folder:
        line(console, f"{tr('Run folder')}: {result.folder}", style="dim")
    _next(console, result, operation, program)


def _headline(result: RunResult) -> str:
    words = {
        "done": tr("done"),
        "unchanged": tr("nothing to do"),
        "failed": tr("failed"),
        "interrupted": tr("interrupted"),
        "declined": tr("declined, nothing was changed"),
    }
    count = len(result.plan.changes)
    what = trn("{count} change", "{count} changes", count)
    if result.status == "unchanged":
        what = trn("{count} object is as declared", "{count} objects are as declared", result.plan.unchanged)
    return f"{result.plan.hub}: {words.get(result.status, result.status)}; {what}; {seconds(result.seconds)}"


def _hosts(console: Console, result: RunResult) -> None:
    counts = Counter(item.status for item in result.hosts)
    parts = [f"{tr('done')} {counts['done']:,}"]
    for status, word in (
        ("failed", tr("failed")),
        ("unreachable", tr("unreachable")),
        ("not reached", tr("not tried")),
    ):
        parts += [f"{word} {counts[status]:,}"] if counts[status] else []
    changed = sum(len(item.changed) for item in result.hosts)
    parts.append(trn("{count} task changed something", "{count} tasks changed something", changed))
    line(console, f"{tr('Hosts')}: {', '.join(parts)}; {seconds(result.layers.get('hosts', 0.0))}")


def _layers(console: Console, result: RunResult) -> None:
    out = table(
        tr("Layer"),
        tr("shards"),
        f"+ {tr('created')}",
        f"~ {tr('updated')}",
        f"- {tr('deleted')}",
        tr("failed"),
        tr("not tried"),
        tr("time"),
        numbers=range(1, 8),
    )
    by_stack: dict[str, list[JobResult]] = {}
    for job in result.jobs:
        by_stack.setdefault(job.shard.stack, []).append(job)
    for layer in dict.fromkeys([*result.layers, *by_stack]):
        jobs = by_stack.get(layer, [])
        # Shards of a layer run side by side; when nobody measured the layer, its longest shard tells.
        time = result.layers.get(layer, max((job.seconds for job in jobs), default=0.0))
        row(out, layer, *_job_cells(jobs), seconds(time))
    line(console)
    console.print(out)


def _job_cells(jobs: list[JobResult]) -> tuple[str, ...]:
    if not jobs:
        return ("",) * 6
    counts: Counter[str] = Counter()
    for job in jobs:
        counts.update(job.outcome.counts)
    failed = sum(len(job.outcome.failures) for job in jobs)
    figures = (
        len(jobs),
        sum(counts[op] for op in _CREATED),
        counts["update"],
        sum(counts[op] for op in _DELETED),
        failed or sum(job.status == "failed" for job in jobs),
        sum(job.status == "not tried" for job in jobs),
    )
    return tuple(f"{figure:,}" if figure else "" for figure in figures)


def _leftovers(console: Console, result: RunResult, operation: str, verbose: bool) -> None:
    if result.leftovers:
        heading(console, trn("{count} thing is still there", "{count} things are still there", len(result.leftovers)))
        limit = len(result.leftovers) if verbose else _LEFTOVERS
        for name in result.leftovers[:limit]:
            line(console, f"  {name}")
        more(console, len(result.leftovers) - limit, "  ")
    elif operation == "destroy" and result.status == "done":
        line(console, tr("Nothing is left: the clusters were searched for the hub's labels."))


def _next(console: Console, result: RunResult, operation: str, program: str) -> None:
    hub = result.plan.hub
    if result.status == "done" and operation == "up":
        commands = [f"{program} status {hub}", f"{program} drift {hub}"]
    elif result.status in ("failed", "interrupted"):
        commands = [f"{program} {operation} {hub}"]
        if result.exit is Exit.UNREACHABLE:
            commands.insert(0, f"{program} status {hub}")
    else:
        return
    # A second run converges from wherever the first one stopped.
    text = tr("Next") if result.status == "done" else tr("To go on from here")
    line(console, f"{text}: {'   '.join(commands)}")
