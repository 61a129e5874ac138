"""Imports and exports of racks and machines, for people: the plan, the change of the files, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from govhub.cli.i18n import tr
from govhub.cli.views.machines import show_diff
from govhub.cli.views.text import diagnostics, heading, line, more, row, safe, table

if TYPE_CHECKING:
    from govhub.ops.capacity.exporting import ExportResult
    from govhub.ops.capacity.importing import ImportResult

FEW = 20


def show_capacity_import(console: Console, result: ImportResult, program: str, *, verbose: bool = False) -> None:
    """What changes, the change of the files, what is wrong, and what to do next."""
    document = result.as_dict()
    show_change(console, result, verbose=verbose)
    if result.problems:
        line(console)
        diagnostics(console, result.problems, verbose=verbose)
    line(console)
    if result.exit:
        line(console, tr("Nothing was written: the hub would not be valid."), style="bold red")
    elif result.written:
        files = ", ".join(f"{result.hub}/{file}" for file in document["files"])
        line(console, f"{tr('Written')}: {files}", style="bold")
        line(console, f"{tr('Next')}: {program} validate {result.hub}")
    elif document["files"]:
        told = tr("dry run, nothing was written") if result.dry_run else tr("Nothing was written.")
        line(console, f"{result.source}: {told}", style="bold")
    else:
        line(console, tr("Nothing to write."), style="bold")


def show_capacity_export(console: Console, result: ExportResult, *, verbose: bool = False) -> None:
    """What changes in NetBox, what is wrong, and what was written."""
    show_plan(console, result.as_dict(), verbose=verbose)
    if result.problems:
        line(console)
        diagnostics(console, result.problems, verbose=verbose)
    line(console)
    gone = sum(one.op == "delete" for one in result.differences)
    if gone and not result.prune:
        line(console, f"{tr('In no file any more; to delete it, add')} --prune: {gone:,}", style="yellow")
    if result.written:
        line(console, f"{result.target}: {tr('Written')}: {sum(result.written.values()):,}", style="bold")
    elif result.pending:
        told = tr("dry run, nothing was written") if result.dry_run else tr("Nothing was written.")
        line(console, f"{result.target}: {told}", style="bold")
    else:
        line(console, tr("Nothing to write."), style="bold")


def show_change(console: Console, result: ImportResult, *, verbose: bool = False) -> None:
    """What changes, and the change of the files."""
    show_plan(console, result.as_dict(), verbose=verbose)
    show_diff(console, result.merged.trial.diff)


def show_plan(console: Console, document: dict[str, Any], *, verbose: bool = False) -> None:
    """How many of each kind are added and changed, and the first of them one by one."""
    if not document["counts"]:
        return
    signs = {"add": tr("added"), "change": tr("changed"), "delete": tr("deleted"), "leave": tr("left alone")}
    used = [name for name in signs if any(counts.get(name) for counts in document["counts"].values())]
    out = table(tr("What"), *(signs[name] for name in used), numbers=range(1, len(used) + 1))
    for what, counts in document["counts"].items():
        row(out, what, *(f"{counts.get(name, 0):,}" for name in used))
    console.print(out)
    changed = [item for item in document["changes"] if item["op"] != "add"]
    if changed:
        heading(console, tr("Changed"))
    for item in changed if verbose else changed[:FEW]:
        line(console, f"  {signs[item['op']]} {item['what']} {safe(item['name'])}: {_differences(item)}")
    more(console, 0 if verbose else len(changed) - FEW, "  ")


def _differences(item: dict[str, Any]) -> str:
    before, after = item["before"], item["after"]
    return ", ".join(f"{key} {safe(before.get(key))} → {safe(value)}" for key, value in after.items())
