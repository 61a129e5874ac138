"""Tables of racks and feeds: each row stands for many items by its patterns, which are merged into what the hub has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

from govhub.core import settings
from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.core.text import plural
from govhub.inventory.editing.trial import replace_files
from govhub.inventory.importers.entries import Entry, Known, make_entries
from govhub.inventory.importers.header import Header, read_header, require_columns
from govhub.inventory.importers.plant_columns import FeedRow, RackRow
from govhub.inventory.importers.results import ImportResult, Outcome
from govhub.inventory.importers.tables import read_rows
from govhub.inventory.loader import Hub
from govhub.inventory.merging.merge import Merged, merge
from govhub.inventory.merging.observed import FeedFacts, Observed, RackFacts
from govhub.inventory.patterns import PatternError, expand

Plant = Literal["racks", "feeds"]
Owners = dict[str, Entry]
"""The row that each rack, or each side of a rack, stands in."""


def import_plant(
    hub: Hub, path: Path, what: Plant, *, dry_run: bool, partial: bool = False, today: date | None = None
) -> ImportResult:
    """Bring the racks or feeds of a CSV or xlsx file into the hub's files.

    Nothing is written in a dry run, when the hub would get an error that it has not now, or when any row has an
    error; with ``partial`` the good rows are written although others have errors. Never raises for what stands in
    the file or in the hub.
    """
    found = Diagnostics()
    entries: list[Entry] = []
    merged: Merged | None = None
    files: list[Path] = []
    try:
        header, rows = read_header(read_rows(path, found), what, path.name, found)
        require_columns(header, rows, what, (), found)
        if not found.errors:
            entries = make_entries(rows, header, what, Known(items={}, titles={"tenants": {}, "systems": {}}))
            observed = Observed(source=path.name)
            owners = _observed(entries, header, what, observed)
            merged = merge(hub, observed, today or settings.today())
            found.extend(merged.problems)
            _settle(entries, owners, merged)
            _stop(entries, path.name, found, partial=partial)
        if merged and not found.errors:
            files = [hub.folder / file for file in merged.trial.after]
            if files and not dry_run:
                replace_files(hub, merged.trial.before, merged.trial.after)
    except InvalidInput as error:
        found.extend(error.diagnostics)
        files = []
    except OSError as error:
        found.error("IMP033", f"cannot write: {error.strerror or error}", hint="remove the cause and import again")
        files = []
    stopped = bool(found.errors)
    return ImportResult(
        what=what,
        source=path.name,
        dry_run=dry_run,
        rows=tuple(entry.result(Outcome.SKIPPED if stopped and entry.wanted else None) for entry in entries),
        diagnostics=tuple(found.sorted()),
        files=tuple(files),
        diff=merged.trial.diff if merged and not stopped else "",
    )


def _observed(entries: Iterable[Entry], header: Header, what: Plant, observed: Observed) -> Owners:
    """Fill in what the good rows say."""
    owners: Owners = {}
    for entry in entries:
        if entry.outcome is Outcome.ERROR or entry.outcome is Outcome.SKIPPED:
            continue
        data = {path[0]: value for path, value in entry.changes.items()}
        try:
            if what == "racks":
                names = _racks(RackRow.model_validate(data), observed, owners)
            else:
                names = _feeds(FeedRow.model_validate(data), observed, owners)
        except PatternError as error:
            _fail(entry, header, str(error), "write a range like {01..12} or a list like {a,b}")
            continue
        for name in names:
            if owners.setdefault(name, entry) is not entry:
                other = owners[name].row.number
                _fail(entry, header, f"{name} stands in row {other} too", "keep one of them")
                break
    return owners


def _racks(row: RackRow, observed: Observed, owners: Owners) -> list[str]:
    facts = RackFacts(**row.model_dump(exclude={"site", "hall", "row", "rack"}))
    names = [f"{row.site}/{row.hall}/{one}/{rack}" for one in expand(row.row) for rack in expand(row.rack)]
    observed.racks |= {name: facts for name in names if name not in owners}
    return names


def _feeds(row: FeedRow, observed: Observed, owners: Owners) -> list[str]:
    racks, elements = expand(row.racks), expand(row.fed_by)
    if len(racks) % len(elements):
        raise PatternError(f"{len(racks):,} racks cannot be dealt in equal parts to {len(elements):,} elements")
    part = len(racks) // len(elements)
    more = row.model_dump(include={"breaker_amps", "volts", "phases", "derating"})
    for place, rack in enumerate(racks):
        key = (rack, row.side.value)
        if f"{rack} {row.side.value}" not in owners:
            observed.feeds[key] = FeedFacts(element=elements[place // part], **more)
    return [f"{rack} {row.side.value}" for rack in racks]


def _fail(entry: Entry, header: Header, summary: str, hint: str) -> None:
    entry.found.error("IMP021", summary, source=header.source(entry.row), hint=hint)
    entry.fail()


def _settle(entries: Iterable[Entry], owners: Owners, merged: Merged) -> None:
    """What became of each row: added when anything in it is new, else updated when anything changed."""
    outcomes: dict[int, Outcome] = {}
    for change in merged.changes:
        names = [change.name]
        if change.what in ("sites", "halls"):
            names = [name for name in owners if name.startswith(f"{change.name}/")]
        for entry in (owners[name] for name in names if name in owners):
            if change.op == "add" or id(entry) not in outcomes:
                outcomes[id(entry)] = Outcome.ADDED if change.op == "add" else Outcome.UPDATED
    for entry in entries:
        if entry.wanted:
            entry.outcome = outcomes.get(id(entry), Outcome.UNCHANGED)


def _stop(entries: Iterable[Entry], shown: str, found: Diagnostics, *, partial: bool) -> None:
    failed = sum(entry.outcome is Outcome.ERROR for entry in entries)
    if failed and not partial:
        hint = "correct these rows, or import the good ones alone (partial)"
        summary = f"nothing is imported, because {plural(failed, 'row has an error', 'rows have errors')}"
        found.error("IMP031", summary, source=SourceRange(shown), hint=hint)
