"""Small results for people: written files, imported rows, settings, plain JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console

from govhub.cli.i18n import tr
from govhub.cli.views.text import diagnostics, line, row, table

if TYPE_CHECKING:
    from govhub.inventory.importers import ImportResult

# Rows without news are only counted.
QUIET = ("unchanged", "skipped")


def show_written(console: Console, title: str, files: Iterable[str], following: str = "") -> None:
    """Files, and the command to go on with."""
    line(console, f"{title}:")
    for path in files:
        line(console, f"  {path}")
    if following:
        line(console, f"{tr('Next')}: {following}")


def show_json(console: Console, document: dict[str, Any]) -> None:
    """A document that is JSON for people and programs alike."""
    line(console, json.dumps(document, ensure_ascii=False, indent=2))


def show_settings(console: Console, settings: list[dict[str, Any]]) -> None:
    """A table of settings; the origin when it was asked for."""
    origin = bool(settings) and "origin" in settings[0]
    titles = [tr("Setting"), tr("value"), *([tr("origin")] if origin else []), tr("set it with")]
    out = table(*titles)
    for item in settings:
        row(out, item["name"], item["value"], *([item["origin"]] if origin else []), item["variable"])
    console.print(out)


def show_import(console: Console, result: ImportResult, hub: str, program: str, *, verbose: bool = False) -> None:
    """A line for each row that says something, the counts, and what to do next."""
    words = {
        "added": tr("added"),
        "updated": tr("updated"),
        "unchanged": tr("unchanged"),
        "skipped": tr("skipped"),
        "error": tr("error"),
    }
    out = table(tr("Row"), tr("name"), tr("result"), numbers=(0,))
    for item in result.rows:
        if verbose or item.outcome.value not in QUIET:
            row(out, item.row, item.name, words[item.outcome.value])
    if out.row_count:
        console.print(out)
        line(console)
    diagnostics(console, result.all_diagnostics, verbose=verbose)
    counts = ", ".join(f"{words[name]} {count:,}" for name, count in result.counts.items() if count)
    title = tr("dry run, nothing was written") if result.dry_run else tr("imported") if result.ok else tr("import")
    line(console, f"{result.source}: {title}: {counts or 0}", style="bold")
    if result.files:
        heading = tr("Would be written") if result.dry_run else tr("Written")
        following = "" if result.dry_run else f"{program} validate {hub}"
        show_written(console, heading, map(str, result.files), following)
