"""A file as rows of text, whatever its format; every way in which it can be broken becomes a diagnostic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 200
CSV_SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty.

    ``number`` is what the spreadsheet program shows; ``line`` is the line in a text file, which differs
    when a quoted cell spans several. ``problems`` are ``(column, what is wrong with the cell)``.
    """

    number: int
    line: int
    cells: tuple[str, ...]
    problems: tuple[tuple[int, str], ...] = ()


def read_rows(path: Path, found: Diagnostics) -> list[Row]:
    """All rows of the table in ``path`` that hold something; notes on what was left out go to ``found``.

    Raises:
        InvalidInput: the file as a whole cannot be used (IMP001 to IMP007).
    """
    raw = _read(path)
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        # openpyxl takes a tenth of a second to import, and most commands never need it.
        from govhub.inventory.importers import xlsx_file

        return xlsx_file.rows(raw, path.name, found)
    if suffix in CSV_SUFFIXES:
        from govhub.inventory.importers import csv_file

        return csv_file.rows(raw, path.name)
    hint = "save it as .xlsx or .csv" + (": the old .xls format is not read" if suffix == ".xls" else "")
    raise refused("IMP002", f'"{path.name}" is neither a CSV nor an xlsx file', path.name, hint)


def limited(rows: Iterable[Row], shown: str) -> list[Row]:
    """All of ``rows``, unless they are too many or too wide."""
    kept: list[Row] = []
    for row in _filled(rows):
        if len(kept) > MAX_ROWS:
            hint = "split it; a hub of this size should be generated, not typed"
            raise refused("IMP007", f"the table has more than {MAX_ROWS:,} rows", shown, hint, line=row.line)
        if len(row.cells) > MAX_COLUMNS:
            hint = "remove the columns that are no data"
            raise refused("IMP007", f"row {row.number} has more than {MAX_COLUMNS} columns", shown, hint, line=row.line)
        kept.append(row)
    if not kept:
        raise refused(
            "IMP006", "the table is empty", shown, "the first row names the columns, each further row is one entry"
        )
    return kept


def refused(code: str, summary: str, shown: str, hint: str, *, line: int = 1, detail: str = "") -> InvalidInput:
    """The error that gives up on the file as a whole."""
    return InvalidInput.one(code, summary, source=SourceRange(shown, line), hint=hint, detail=detail)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            # A named pipe would block the reader for ever.
            raise refused("IMP001", f'"{path.name}" is not a file', path.name, "give the path of a CSV or xlsx file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refused(
            "IMP001", f"cannot read the file: {reason}", path.name, "check the path and its permissions"
        ) from error
    if len(raw) > MAX_BYTES:
        raise refused("IMP005", f"the file is larger than {MAX_BYTES // 1024**2} MiB", path.name, "split it")
    return raw


def _filled(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that hold something, without their empty end: spreadsheets carry thousands of formatted empty cells."""
    for row in rows:
        width = max((at for at, cell in enumerate(row.cells, 1) if cell), default=0)
        width = max([width, *(at for at, _ in row.problems)])
        if width:
            yield Row(row.number, row.line, row.cells[:width], row.problems)
