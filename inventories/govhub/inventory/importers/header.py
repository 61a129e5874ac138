"""Which row names the columns, and which column is what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.text import did_you_mean
from govhub.inventory.importers.columns import COLUMNS, Column, What, headings_of, key_of, recognised
from govhub.inventory.importers.tables import Row

# Above the header often stands the name of the table, the office and a date.
SEARCHED = 10


@dataclass(slots=True)
class Header:
    """The recognised columns: each with its position in the sheet, counted from 1."""

    shown: str
    width: int
    positions: dict[str, int] = field(default_factory=dict)
    """By the column's own English name."""

    def text(self, row: Row, column: Column) -> str:
        """The cell of ``row`` in ``column``; empty when the sheet has no such column."""
        at = self.positions.get(column.name, 0)
        return row.cells[at - 1] if 0 < at <= len(row.cells) else ""

    def source(self, row: Row, column: Column | None = None) -> SourceRange:
        """The position of a cell: the line in the file, and which column of the sheet."""
        return SourceRange(self.shown, row.line, self.positions.get(column.name, 1) if column else 1)


def read_header(rows: list[Row], what: What, shown: str, found: Diagnostics) -> tuple[Header, list[Row]]:
    """The header and the rows below it; unknown and doubled columns go to ``found`` (IMP010, IMP012)."""
    known = headings_of(what)
    start = _header_row(rows, known)
    cells = rows[start].cells
    header = Header(shown, len(cells))
    for at, text in enumerate(cells, 1):
        source = SourceRange(shown, rows[start].line, at)
        column = known.get(key_of(text))
        if column is None:
            _unknown(text, source, what, found)
        elif column.name in header.positions:
            summary = f'the column "{text[:60]}" means {column.name}, which another column is already'
            found.error("IMP012", summary, source=source, hint="keep one of them")
        else:
            header.positions[column.name] = at
    return header, rows[start + 1 :]


def require_columns(header: Header, rows: list[Row], what: What, existing: Collection[str], found: Diagnostics) -> None:
    """IMP011 for each column that is missing; a sheet that only changes what exists needs just the name."""
    name = COLUMNS[what][0]
    only_changes = name.name in header.positions and all(header.text(row, name) in existing for row in rows)
    for column in COLUMNS[what]:
        if column.required and column.name not in header.positions and (column is name or not only_changes):
            found.error(
                "IMP011",
                f"the column {column.spellings} is missing",
                source=SourceRange(header.shown),
                hint=f"add it; accepted headings: {', '.join((column.name, *column.headings))}",
            )


def _header_row(rows: list[Row], known: dict[str, Column]) -> int:
    """The first row with most headings; the very first when none has any."""
    scores = [recognised(row.cells, known) for row in rows[:SEARCHED]]
    return scores.index(max(scores))


def _unknown(text: str, source: SourceRange, what: What, found: Diagnostics) -> None:
    if not text:
        return
    words = [word for column in COLUMNS[what] for word in (column.name, *column.headings)]
    hint = did_you_mean(text.lower(), words) or f"known: {', '.join(column.name for column in COLUMNS[what])}"
    found.warning("IMP010", f'the column "{text[:60]}" is not known; it is not imported', source=source, hint=hint)
