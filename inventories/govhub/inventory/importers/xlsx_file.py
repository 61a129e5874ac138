"""Excel workbooks, read as a stream; what stands in a cell is only ever text, never evaluated."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from openpyxl import load_workbook

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.inventory.importers.tables import MAX_COLUMNS, MAX_ROWS, Row, limited, refused
from govhub.inventory.importers.values import text_of

MAX_UNPACKED = 256 * 1024 * 1024
MAX_PARTS = 2_000
MAX_CELLS = MAX_ROWS * MAX_COLUMNS
LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
BROKEN = "open it in the spreadsheet program and save it again, or save it as CSV UTF-8"


def rows(raw: bytes, shown: str, found: Diagnostics) -> list[Row]:
    """The rows of the first sheet; formulas count with the value that was saved with them.

    Raises:
        InvalidInput: it is no workbook (IMP004), unpacks to more than anyone types (IMP005), or
            holds nothing or too much (IMP006, IMP007).
    """
    _refuse_bomb(raw, shown)
    try:
        with warnings.catch_warnings():
            # openpyxl warns about every feature it does not keep; nothing is written back here.
            warnings.simplefilter("ignore")
            values, formulas = _open(raw, data_only=True), _open(raw, data_only=False)
            _note_other_sheets(values, shown, found)
            return limited(_rows(values.worksheets[0], formulas.worksheets[0], shown), shown)
    except InvalidInput:
        raise
    except Exception as error:  # openpyxl raises nearly anything for a damaged file
        reason = " ".join(str(error).split())[:160]
        raise refused(
            "IMP004", "not a readable xlsx workbook", shown, BROKEN, detail=f"{type(error).__name__}: {reason}"
        ) from error


def _open(raw: bytes, *, data_only: bool) -> Any:
    return load_workbook(io.BytesIO(raw), read_only=True, data_only=data_only, keep_links=False)


def _refuse_bomb(raw: bytes, shown: str) -> None:
    """The sizes in the directory bind: zipfile never unpacks more of a part than its entry declares."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise refused("IMP004", "not a readable xlsx workbook", shown, BROKEN, detail=str(error)) from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or len(parts) > MAX_PARTS:
        summary = f"the workbook unpacks to {unpacked / 1024**2:,.0f} MiB in {len(parts):,} parts"
        hint = (
            f"at most {MAX_UNPACKED // 1024**2} MiB are read; remove pictures and other sheets, or save it as CSV UTF-8"
        )
        raise refused("IMP005", summary, shown, hint)


def _note_other_sheets(workbook: Any, shown: str, found: Diagnostics) -> None:
    first, *others = (sheet.title for sheet in workbook.worksheets)
    if others:
        names = ", ".join(f'"{name}"' for name in others[:5])
        summary = f'only the first sheet "{first}" was read'
        found.note("IMP008", summary, detail=f"not read: {names}", source=SourceRange(shown))


def _rows(values: Any, formulas: Any, shown: str) -> Iterator[Row]:
    cells = 0
    for number, (cached, written) in enumerate(zip(_stream(values), _stream(formulas), strict=False), 1):
        # One far cell makes its row long, and a row number makes all rows before it: the sum is what costs.
        cells += len(cached)
        if cells > MAX_CELLS:
            hint = "delete the empty rows and columns around the table, or copy it into a new workbook"
            raise refused("IMP007", f"the sheet spans more than {MAX_CELLS:,} cells", shown, hint, line=number)
        yield Row(number, number, tuple(text_of(cell.value) for cell in cached), tuple(_problems(cached, written)))


def _stream(sheet: Any) -> Iterator[tuple[Any, ...]]:
    # The stored dimension may be wrong, and openpyxl believes it.
    sheet.reset_dimensions()
    rows: Iterator[tuple[Any, ...]] = sheet.iter_rows(max_row=LAST_ROW, max_col=LAST_COLUMN)
    return rows


def _problems(cached: tuple[Any, ...], written: tuple[Any, ...]) -> Iterator[tuple[int, str]]:
    for column, (value, source) in enumerate(zip(cached, written, strict=False), 1):
        if getattr(value, "data_type", "") == "e":
            yield column, f"the cell shows the error {value.value}"
        elif getattr(source, "data_type", "") == "f" and value.value is None:
            yield column, "the formula was saved without its value"
