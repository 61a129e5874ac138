"""The import itself: read, convert, try on a copy, and only then replace files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from govhub.core import settings
from govhub.core.diagnostics import Diagnostic, Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.core.text import plural
from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import Layout
from govhub.inventory.editing.trial import (
    AGAIN,
    CHANGED,
    Contents,
    copy_hub,
    edited,
    new_errors,
    replace_files,
    same,
    unified,
)
from govhub.inventory.importers.columns import TABLES, Kind, Refers, What, column_at
from govhub.inventory.importers.entries import Entry, ItemPath, Known, make_entries, settled
from govhub.inventory.importers.header import Header, read_header, require_columns
from govhub.inventory.importers.results import ImportResult, Outcome
from govhub.inventory.importers.tables import read_rows
from govhub.inventory.loader import Hub

# Each round takes out the rows that break the hub; what is still broken after these is no single row's fault.
MAX_ROUNDS = 10


@dataclass(slots=True)
class _Import:
    """One import on its way; each step adds to ``found`` and to the entries' own diagnostics."""

    hub: Hub
    path: Path
    what: What
    today: date
    found: Diagnostics = field(default_factory=Diagnostics)
    entries: list[Entry] = field(default_factory=list)
    diff: str = ""

    @property
    def kind(self) -> Kind:
        """How the rows go into the hub's files."""
        return TABLES[self.what]


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
    known = _known(task.hub, task.kind)
    header, rows = read_header(read_rows(task.path, found), task.what, task.path.name, found)
    require_columns(header, rows, task.what, known.items, found)
    if not rows and not found.errors:
        source = SourceRange(task.path.name)
        found.error("IMP006", "there is no row below the header", source=source, hint="each row is one entry")
    if not found.errors:
        task.entries = make_entries(rows, header, task.what, known)
    return header


def _known(hub: Hub, kind: Kind) -> Known:
    titles: dict[Refers, dict[str, list[str]]] = {"tenants": {}, "systems": {}}
    for tenant in hub.model.tenants:
        titles["tenants"].setdefault(tenant.title.zh, []).append(tenant.name)
    for system in hub.model.systems:
        titles["systems"].setdefault(system.title.zh, []).append(system.name)
    items = {item[kind.key]: item for item in hub.tree.get(kind.section) or []}
    return Known(items=items, titles=titles)


def _tried(task: _Import, header: Header) -> tuple[Contents, Contents]:
    """The files before and after, without the rows that break the hub; other breakage goes to ``found``."""
    with tempfile.TemporaryDirectory(prefix="govhub-import-") as folder:
        copy = copy_hub(task.hub, Path(folder))
        if not same(task.hub, copy):
            raise InvalidInput.one("IMP032", CHANGED, hint=AGAIN)
        for _ in range(MAX_ROUNDS):
            before, after = edited(task.hub, copy, {_layout(task.kind): _edits(task)})
            rest = _blame(task, header, new_errors(task.hub, copy, before, after, task.today))
            if rest is not None:
                task.found.extend(rest)
                task.diff = unified(task.hub, before, after)
                return before, after
    task.found.error("IMP030", "the rows break the hub together", hint="import fewer of them at a time")
    return {}, {}


def _layout(kind: Kind) -> Layout:
    order = tuple(
        dict.fromkeys(key for table in TABLES.values() if table.section == kind.section for key in table.order)
    )
    return Layout(section=kind.section, file=f"{kind.section}.yaml", order=order, one_line=kind.one_line)


def _edits(task: _Import) -> list[ItemEdit]:
    """One edit an item: several rows may be parts of the same."""
    items = list(task.hub.tree.get(task.kind.section) or [])
    names = [item.get(task.kind.key) for item in items]
    changes: dict[str, dict[ItemPath, Any]] = {}
    made: dict[str, int] = {}
    for entry in task.entries:
        if not entry.wanted:
            continue
        item = items[names.index(entry.name)] if entry.name in names else {}
        had = len(item.get(task.kind.part) or []) if task.kind.part else 0
        before = made.setdefault(entry.name, 0)
        changes.setdefault(entry.name, {}).update(settled(entry.changes, task.kind, had, before))
        made[entry.name] += any(path[:2] == (task.kind.part, had) for path in entry.changes)
    return [
        ItemEdit(item=names.index(name) if name in names else None, changes=found) for name, found in changes.items()
    ]


def _blame(task: _Import, header: Header, errors: Iterable[Diagnostic]) -> list[Diagnostic] | None:
    """None when rows were found guilty and the others should be tried again; otherwise what remains."""
    by_label = {entry.label: entry for entry in task.entries if entry.wanted}
    by_name = {entry.name: entry for entry in task.entries if entry.wanted}
    rest: list[Diagnostic] = []
    guilty: list[Entry] = []
    for item in errors:
        section, _, place = item.address.partition(".")
        name, *inner = place.split(".")
        # Items that have no `name` are addressed by their position.
        name = _position(task, name) if task.kind.key != "name" else name
        part = inner[1] if inner[:1] == [task.kind.part] and len(inner) > 1 else ""
        entry = by_label.get(f"{name}/{part}") or by_name.get(name) if section == task.kind.section else None
        if entry is None:
            rest.append(item)
        else:
            # What is to be corrected is the sheet, not the copy that the check has seen.
            column = column_at(task.what, tuple(step for step in inner if step != part))
            entry.found.extend([replace(item, source=header.source(entry.row, column))])
            guilty.append(entry)
    for entry in guilty:
        entry.fail()
    return None if guilty else rest


def _position(task: _Import, word: str) -> str:
    """The key of the item at a position; new ones stand behind those that there are."""
    had = [str(item.get(task.kind.key)) for item in task.hub.tree.get(task.kind.section) or []]
    names = dict.fromkeys([*had, *(entry.name for entry in task.entries if entry.wanted)])
    return list(names)[int(word)] if word.isdigit() and int(word) < len(names) else word


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
        diff="" if stopped else task.diff,
    )
