"""The dossier as a docx file, for offices that add to it and sign it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from govhub.core.events import Event
from govhub.migration.dossier.layout import Table, sections
from govhub.migration.dossier.statement import Document

_FONT = "Noto Sans CJK SC"
_SMALL = 7


def word_file(document: Document, events: Sequence[Event], language: str) -> bytes:
    """The bytes of the file."""
    import docx
    from docx.enum.section import WD_ORIENT
    from docx.oxml.ns import qn
    from docx.shared import Pt

    paper = docx.Document()
    style: Any = paper.styles["Normal"]
    style.font.name, style.font.size = _FONT, Pt(10)
    # Word takes Chinese glyphs from a font of their own.
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _FONT)
    page = paper.sections[0]
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = page.page_height, page.page_width
    for number, section in enumerate(sections(document, events, language)):
        paper.add_heading(section.title, level=0 if number == 0 else 1)
        if section.text:
            paper.add_paragraph(section.text)
        if section.table:
            _add(paper, section.table, Pt(_SMALL))
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _add(paper: Any, table: Table, size: Any) -> None:
    lines = ([table.columns] if any(table.columns) else []) + list(table.rows)
    made = paper.add_table(rows=len(lines), cols=len(table.columns))
    made.style = "Table Grid"
    # The library looks a row's cells up again for each cell it is asked for: all at once is a hundred times faster.
    cells = made._cells  # noqa: SLF001  # see above
    for number, (cell, text) in enumerate(zip(cells, (word for line in lines for word in line), strict=True)):
        run = cell.paragraphs[0].add_run(text)
        run.font.size = size
        run.bold = number < len(table.columns) and any(table.columns)
