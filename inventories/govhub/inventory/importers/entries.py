"""From a row to a checked tenant or system: convert the cells, merge with what the hub has, validate."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from govhub.core.diagnostics import Diagnostics
from govhub.core.text import and_more
from govhub.inventory.importers.columns import COLUMNS, TABLES, Column, Kind, Refers, What, column_at
from govhub.inventory.importers.header import Header
from govhub.inventory.importers.results import Outcome, RowResult
from govhub.inventory.importers.tables import Row
from govhub.inventory.importers.values import invisible, plain

ItemPath = tuple[str | int, ...]
_WHAT: dict[Refers, str] = {"tenants": "department", "systems": "system"}


@dataclass(slots=True)
class Entry:
    """One row on its way into the hub; ``changes`` lead from the item to each new value."""

    row: Row
    name: str
    outcome: Outcome
    part: str = ""
    """The part of the item that the row speaks of."""
    changes: dict[ItemPath, Any] = field(default_factory=dict)
    found: Diagnostics = field(default_factory=Diagnostics)

    @property
    def wanted(self) -> bool:
        """Whether it has something to write."""
        return self.outcome in (Outcome.ADDED, Outcome.UPDATED)

    def fail(self) -> None:
        """It has an error now; the row is not imported."""
        self.outcome = Outcome.ERROR

    @property
    def label(self) -> str:
        """What the row is called: the item's name, or ``item/part`` where each row is a part of its own."""
        return f"{self.name}/{self.part}" if self.part else self.name

    def result(self, outcome: Outcome | None = None) -> RowResult:
        """The row's part of the report."""
        outcome = outcome or self.outcome
        return RowResult(row=self.row.number, name=self.label, outcome=outcome, diagnostics=tuple(self.found))


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub has: the items of the section by name, as they stand in the files, and titles."""

    items: dict[str, dict[str, Any]]
    titles: dict[Refers, dict[str, list[str]]]
    """Names by section and Chinese title; several when the title is not unique."""


def make_entries(rows: list[Row], header: Header, what: What, known: Known) -> list[Entry]:
    """One entry a row, each with what is wrong with it."""
    entries = [_entry(row, header, what, known) for row in rows]
    _duplicates(entries, header, what)
    return entries


def _entry(row: Row, header: Header, what: What, known: Known) -> Entry:
    name_column = COLUMNS[what][0]
    name = plain(header.text(row, name_column))
    entry = Entry(row, name, Outcome.ERROR)
    _bad_cells(entry, header, what)
    if not name and not entry.found.errors:
        entry.found.error(
            "IMP020",
            f"row {row.number} has no name",
            source=header.source(row, name_column),
            hint=f"fill the column {name_column.spellings}: {name_column.hint}",
        )
    if entry.found.errors:
        return entry
    cells = _converted(entry, header, what, known)
    entry.name = str(cells.get(name_column, name))
    if together := TABLES[what].named_by:
        by_name = {column.name: value for column, value in cells.items()}
        entry.name = " ".join(str(by_name.get(column, "")) for column in together).strip()
    item = known.items.get(entry.name)
    changes = _placed(entry, header, cells, item, TABLES[what])
    if not entry.found.errors:
        _validate(entry, header, what, changes, item)
    return entry


def _bad_cells(entry: Entry, header: Header, what: What) -> None:
    """IMP022 cells without a value, IMP024 invisible characters, IMP025 cells outside of the table."""
    by_position = {header.positions[column.name]: column for column in COLUMNS[what] if column.name in header.positions}
    for at, problem in entry.row.problems:
        if column := by_position.get(at):
            hint = "recalculate and save the workbook, or paste the values"
            summary = f"{column.name}: {problem}"
            entry.found.error("IMP022", summary, source=header.source(entry.row, column), hint=hint)
    for at, column in by_position.items():
        if at <= len(entry.row.cells) and (point := invisible(entry.row.cells[at - 1])):
            summary = f"{column.name}: the cell holds the invisible character {point}"
            source = header.source(entry.row, column)
            entry.found.error("IMP024", summary, source=source, hint="type the cell again instead of pasting it")
    if len(entry.row.cells) > header.width:
        summary = f"row {entry.row.number} has {len(entry.row.cells)} cells, but the header has {header.width} columns"
        hint = "a cell that holds the delimiter must stand in quotes"
        entry.found.error("IMP025", summary, source=header.source(entry.row), hint=hint)


def _converted(entry: Entry, header: Header, what: What, known: Known) -> dict[Column, Any]:
    """The values of all cells that are filled; an empty cell changes nothing."""
    cells: dict[Column, Any] = {}
    for column in COLUMNS[what]:
        text = header.text(entry.row, column)
        if not text:
            continue
        try:
            cells[column] = column.convert(text)
        except ValueError as error:
            _invalid(entry, header, column, str(error))
            continue
        if column.refers:
            cells[column] = _referred(entry, header, column, text, known)
    return cells


def _referred(entry: Entry, header: Header, column: Column, text: str, known: Known) -> str:
    """A department or system may be given by its Chinese title; two of one title are not told apart by guessing."""
    names = known.titles[column.refers].get(text, [])
    if len(names) > 1:
        _invalid(
            entry, header, column, f'the title "{text[:60]}" belongs to {and_more(names)}', "write the name instead"
        )
    elif not names and not plain(text).isascii():
        word = _WHAT[column.refers]
        _invalid(entry, header, column, f'no {word} has the title "{text[:60]}"', f"import the {word}s first")
    return names[0] if names else plain(text)


def _placed(
    entry: Entry, header: Header, cells: dict[Column, Any], item: dict[str, Any] | None, kind: Kind
) -> dict[ItemPath, Any]:
    """Each value with its place in the item; a sheet has one part (a workload, a move) a row.

    A part that the item does not have yet gets the place behind its last; :func:`settled` moves those on that
    are not the first new one.
    """
    parts = (item.get(kind.part) or []) if item and kind.part else []
    names = [part.get("name") for part in parts]
    chosen = next((value for column, value in cells.items() if kind.part and column.name == kind.part_column), None)
    if kind.part and not kind.default:
        entry.part = chosen or ""
    changes: dict[ItemPath, Any] = {}
    for column, value in cells.items():
        if column.path[0] != kind.part:
            changes[column.path] = value
            continue
        if chosen is None and len(names) > 1:
            summary = f'"{entry.name}" has {len(names)} {kind.part}; the row does not say which one it means'
            hint = f"add the column {kind.part_column} with one of: {and_more(names)}"
            entry.found.error("IMP026", summary, source=header.source(entry.row, column), hint=hint)
            return {}
        at = names.index(chosen) if chosen in names else (0 if names and chosen is None else len(names))
        if at == len(names) and (chosen or kind.default):
            changes.setdefault((kind.part, at, "name"), chosen or kind.default)
        changes[kind.part, at, column.path[1]] = value
    return changes


def settled(changes: dict[ItemPath, Any], kind: Kind, had: int, made: int) -> dict[ItemPath, Any]:
    """The changes of a row whose new part comes behind ``made`` others that are new too.

    Args:
        changes: Of one row.
        kind: Its table.
        had: How many parts the item has in the files.
        made: How many rows before it add one.
    """
    return {
        (path[0], had + made, *path[2:]) if path[0] == kind.part and len(path) > 1 and path[1] == had else path: value
        for path, value in changes.items()
    }


def _validate(
    entry: Entry, header: Header, what: What, changes: dict[ItemPath, Any], item: dict[str, Any] | None
) -> None:
    data = merged(item or {}, changes)
    try:
        model = TABLES[what].model.model_validate(data)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            column = column_at(what, problem["loc"])
            message = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "missing":
                message = "is missing"
            elif problem["type"] == "string_pattern_mismatch":
                message = f'"{str(problem["input"])[:60]}" does not have the right form'
            _invalid(entry, header, column, message, place=".".join(map(str, problem["loc"])))
        return
    if item is None:
        entry.outcome, entry.changes = Outcome.ADDED, changes
        return
    same = TABLES[what].model.model_validate(merged(item, {})) == model
    entry.outcome = Outcome.UNCHANGED if same else Outcome.UPDATED
    entry.changes = {path: value for path, value in changes.items() if not _is(item, path, value)}


def _invalid(
    entry: Entry, header: Header, column: Column | None, message: str, hint: str = "", *, place: str = ""
) -> None:
    label = column.name if column else place
    summary = f"{label}: {message}" if label else message
    hint = hint or (column.hint if column else "")
    source = header.source(entry.row, column)
    entry.found.error("IMP021", summary, source=source, hint=hint, address=f"{entry.name}.{place}" if place else "")


def _duplicates(entries: list[Entry], header: Header, what: What) -> None:
    """IMP023: equal rows are taken once; rows that disagree are all refused, because none is more right."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.name:
            groups.setdefault(entry.label, []).append(entry)
    for name, group in groups.items():
        first, *others = group
        equal = all(entry.changes == first.changes and entry.outcome is first.outcome for entry in others)
        for entry in others if equal else group * bool(others):
            other = first if entry is not first else others[0]
            more = {"source": header.source(entry.row, COLUMNS[what][0]), "hint": "keep one of them"}
            if equal and first.outcome is not Outcome.ERROR:
                entry.found.warning("IMP023", f'"{name}" repeats row {other.row.number}', **more)
                entry.outcome = Outcome.SKIPPED
            else:
                entry.found.error("IMP023", f'"{name}" stands in row {other.row.number} too', **more)
                entry.fail()


def merged(item: dict[str, Any], changes: dict[ItemPath, Any]) -> dict[str, Any]:
    """A plain copy of ``item`` with ``changes``; what lies between is created, in the order of the changes."""
    data: dict[str, Any] = _plain(item)
    for path, value in changes.items():
        node: Any = data
        for step, following in pairwise(path):
            missing: Any = [] if isinstance(following, int) else {}
            if isinstance(node, list) and step == len(node):
                node.append(missing)
            elif isinstance(node, dict) and node.get(str(step)) is None:
                node[str(step)] = missing
            node = node[step]
        node[path[-1]] = deepcopy(value)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _is(item: dict[str, Any], path: ItemPath, value: Any) -> bool:
    node: Any = item
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return False
    # The file may say "2" where the sheet says 2: the same value is not written again.
    return node == value or (not isinstance(node, dict | list) and str(node) == str(value))
