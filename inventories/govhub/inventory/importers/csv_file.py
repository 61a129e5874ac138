"""CSV as Excel writes it in China and elsewhere: UTF-8, UTF-16 or GB18030; comma, semicolon or tab."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from govhub.inventory.importers.columns import COLUMNS, headings_of, recognised
from govhub.inventory.importers.tables import Row, limited, refused
from govhub.inventory.importers.values import text_of

DELIMITERS = ",;\t"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAMPLE_LINES = 10


def rows(raw: bytes, shown: str) -> list[Row]:
    """The rows of a CSV file.

    Raises:
        InvalidInput: the encoding is unknown (IMP003), the quotes do not close (IMP004), or it
            holds nothing or too much (IMP006, IMP007).
    """
    return limited(_rows(decode(raw, shown), shown), shown)


def _rows(text: str, shown: str) -> Iterator[Row]:
    skipped, delimiter = _declared(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or find_delimiter(text), strict=True)
    number, line = 0, 1
    try:
        for cells in reader:
            number += 1
            if number > skipped:
                yield Row(number, line, tuple(map(text_of, cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        hint = 'close every quote, and write a quote inside a quoted cell twice ("")'
        raise refused("IMP004", f"not valid CSV: {error}", shown, hint, line=line) from error


def decode(raw: bytes, shown: str) -> str:
    """The text of a CSV file; GB18030 (which holds GBK and GB2312) is what Chinese Excel saves by default."""
    candidates = ["utf-16"] if raw.startswith(_UTF16) else ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            last = error
    line = raw.count(b"\n", 0, last.start) + 1
    detail = f"byte 0x{raw[last.start]:02x} at offset {last.start} is in neither of UTF-8 and GB18030"
    raise refused(
        "IMP003", "the encoding is unknown", shown, "save it as CSV UTF-8 or as xlsx", line=line, detail=detail
    )


def find_delimiter(text: str) -> str:
    """The delimiter under which one of the first lines is most clearly a header."""
    known = {key: column for what in COLUMNS for key, column in headings_of(what).items()}
    lines = [line for line in text[:65_536].splitlines() if line.strip()][:_SAMPLE_LINES]

    def score(delimiter: str) -> tuple[int, int]:
        cells = [[cell.strip(' "') for cell in line.split(delimiter)] for line in lines]
        return (max((recognised(row, known) for row in cells), default=0), max(map(len, cells), default=0))

    # max() keeps the first of equals: the comma.
    return max(DELIMITERS, key=score)


def _declared(text: str) -> tuple[int, str]:
    """Excel's own first line ``sep=;``: how many rows to skip, and the delimiter."""
    first = text[:10].split("\n", 1)[0].strip("\r")
    if first.lower().startswith("sep=") and len(first) == len("sep=;"):
        return 1, first[-1]
    return 0, ""
