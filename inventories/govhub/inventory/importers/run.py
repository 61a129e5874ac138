"""The import itself: read, convert, try on a copy, and only then replace files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from govhub.core import settings
from govhub.core.diagnostics import Diagnostic, Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.core.text import plural
from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import Layout
from govhub.inventory.editing.trial import AGAIN, CHANGED, Contents, copy_hub, edited, new_errors, replace_files, same
from govhub.inventory.importers.columns import COLUMNS, SECTIONS, What, column_at
from govhub.inventory.importers.entries import Entry, Known, make_entries
from govhub.inventory.importers.header import Header, read_header, require_columns
from govhub.inventory.importers.results import ImportResult, Outcome
from govhub.inventory.importers.tables import read_rows
from govhub.inventory.loader import Hub

# Each round takes out the rows that break the hub; what is still broken after these is no single row's fault.
MAX_ROUNDS = 10
ORDER = tuple(dict.fromkeys(column.path[0] for columns in COLUMNS.values() for column in columns))
ONE_LINE = ("title", "overrides", "groups")


@dataclass(slots=True)
class _Import:
    """One import on its way; each step adds to ``found`` and to the entries' own diagnostics."""

    hub: Hub
    path: Path
    what: What
    today: date
    found: Diagnostics = field(default_factory=Diagnostics)
    entries: list[Entry] = field(default_factory=list)

    @property
    def section(self) -> str:
        """Where the rows go in the hub's files."""
        return SECTIONS[self.what]


def import_table(
    hub: Hub, path: Path, what: What, *, dry_run: bool, partial: bool = False, today: date | None = None
) -> ImportResult:
    """Bring the departments or systems of a CSV or xlsx file into the hub's files.

    Rows of a name that the hub has change the cells that are filled; the others are added. Nothing is
    written in a dry run, when the hub would get an error that it has not now, or when any row has an
    error; with ``partial``, the good rows are written although others have errors. Never raises for what
    stands in the file or in the hub.
    """
    task = _Import(hub, path, what, today or settings.today())
    files: list[Path] = []
    try:
        header = _read(task)
        if not task.found.errors:
            before, after = _tried(task, header)
            _stop_for_errors(task, partial)
            if not task.found.errors:
                files = [hub.folder / file for file in after]
                if not dry_run:
                    replace_files(hub, before, after)
    except InvalidInput as error:
        task.found.extend(error.diagnostics)
        files = []
    except OSError as error:
        hint = "nothing was changed; remove the cause and import again"
        task.found.error("IMP033", f"cannot write: {error.strerror or error}", hint=hint)
        files = []
    return _result(task, files, dry_run)


def _read(task: _Import) -> Header:
    found = task.found
    known = _known(task.hub, task.section)
    header, rows = read_header(read_rows(task.path, found), task.what, task.path.name, found)
    require_columns(header, rows, task.what, known.items, found)
    if not rows and not found.errors:
        source = SourceRange(task.path.name)
        found.error("IMP006", "there is no row below the header", source=source, hint="each row is one entry")
    if not found.errors:
        task.entries = make_entries(rows, header, task.what, known)
    return header


def _known(hub: Hub, section: str) -> Known:
    departments: dict[str, list[str]] = {}
    for tenant in hub.model.tenants:
        departments.setdefault(tenant.title.zh, []).append(tenant.name)
    items = {item["name"]: item for item in hub.tree.get(section) or []}
    return Known(items=items, departments=departments)


def _tried(task: _Import, header: Header) -> tuple[Contents, Contents]:
    """The files before and after, without the rows that break the hub; other breakage goes to ``found``."""
    with tempfile.TemporaryDirectory(prefix="govhub-import-") as folder:
        copy = copy_hub(task.hub, Path(folder))
        if not same(task.hub, copy):
            raise InvalidInput.one("IMP032", CHANGED, hint=AGAIN)
        for _ in range(MAX_ROUNDS):
            before, after = edited(task.hub, copy, {_layout(task.section): _edits(task)})
            rest = _blame(task, header, new_errors(task.hub, copy, before, after, task.today))
            if rest is not None:
                task.found.extend(rest)
                return before, after
    task.found.error("IMP030", "the rows break the hub together", hint="import fewer of them at a time")
    return {}, {}


def _layout(section: str) -> Layout:
    return Layout(section=section, file=f"{section}.yaml", order=ORDER, one_line=ONE_LINE)


def _edits(task: _Import) -> list[ItemEdit]:
    names = [item.get("name") for item in task.hub.tree.get(task.section) or []]
    return [
        ItemEdit(item=None if entry.outcome is Outcome.ADDED else names.index(entry.name), changes=entry.changes)
        for entry in task.entries
        if entry.wanted
    ]


def _blame(task: _Import, header: Header, errors: Iterable[Diagnostic]) -> list[Diagnostic] | None:
    """None when rows were found guilty and the others should be tried again; otherwise what remains."""
    by_name = {entry.name: entry for entry in task.entries if entry.wanted}
    rest: list[Diagnostic] = []
    guilty: list[Entry] = []
    for item in errors:
        section, _, place = item.address.partition(".")
        entry = by_name.get(place.split(".")[0]) if section == task.section else None
        if entry is None:
            rest.append(item)
        else:
            # What is to be corrected is the sheet, not the copy that the check has seen.
            column = column_at(task.what, tuple(place.split(".")[1:]))
            entry.found.extend([replace(item, source=header.source(entry.row, column))])
            guilty.append(entry)
    for entry in guilty:
        entry.fail()
    return None if guilty else rest


def _stop_for_errors(task: _Import, partial: bool) -> None:
    failed = sum(entry.outcome is Outcome.ERROR for entry in task.entries)
    if failed and not partial:
        hint = "correct these rows, or import the good ones alone (partial)"
        summary = f"nothing is imported, because {plural(failed, 'row has an error', 'rows have errors')}"
        task.found.error("IMP031", summary, source=SourceRange(task.path.name), hint=hint)


def _result(task: _Import, files: list[Path], dry_run: bool) -> ImportResult:
    stopped = bool(task.found.errors)
    return ImportResult(
        what=task.what,
        source=task.path.name,
        dry_run=dry_run,
        # A good row of an import that did not happen was neither added nor updated.
        rows=tuple(entry.result(Outcome.SKIPPED if stopped and entry.wanted else None) for entry in task.entries),
        diagnostics=tuple(task.found.sorted()),
        files=tuple(files),
    )
