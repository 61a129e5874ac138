"""The dossier as an xlsx file: a sheet for each section, for those who sort and filter."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from govhub.core.events import Event
from govhub.migration.dossier.layout import sections
from govhub.migration.dossier.statement import Document

_WIDEST = 60


def sheets(document: Document, events: Sequence[Event], language: str) -> bytes:
    """The bytes of the file."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=False)
    book.remove(book.worksheets[0])
    for section in sections(document, events, language):
        # What a sheet's name may not hold, and no more than 31 characters of it.
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", section.title)[:31])
        if section.text:
            sheet.append([section.text])
        if section.table is None:
            continue
        if any(section.table.columns):
            sheet.append(list(section.table.columns))
            for cell in sheet[sheet.max_row]:
                cell.font = Font(bold=True)
        for row in section.table.rows:
            sheet.append(list(row))
            for cell in sheet[sheet.max_row]:
                # A text that begins with an equals sign is a text, not a formula.
                cell.data_type = "s"
        for index in range(1, len(section.table.columns) + 1):
            longest = max((len(row[index - 1]) for row in section.table.rows), default=0)
            sheet.column_dimensions[get_column_letter(index)].width = min(max(longest, 8) + 2, _WIDEST)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
