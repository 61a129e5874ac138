"""Which kind of table a file is, by its headings."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from govhub.core.diagnostics import Diagnostics
from govhub.core.text import and_more
from govhub.inventory.importers.columns import TABLES, What, headings_of, key_of, recognised
from govhub.inventory.importers.header import SEARCHED
from govhub.inventory.importers.tables import read_rows, refused


def kind_of(path: Path, among: Collection[What]) -> What:
    """The kind of table whose headings the file has, of those in ``among``.

    Raises:
        InvalidInput: the file cannot be read (IMP001 to IMP007), or fits none or several equally (IMP013).
    """
    rows = read_rows(path, Diagnostics())[:SEARCHED]
    scores = {what: max(_fits(row.cells, what) for row in rows) for what in among}
    best = max(scores.values())
    fitting = [what for what, score in scores.items() if score == best]
    if best[0] == 0 or len(fitting) > 1:
        summary = f"the headings do not tell which table it is: {and_more(sorted(among))}"
        columns = "; ".join(f"{what}: {_needed(what)}" for what in among)
        raise refused("IMP013", summary, path.name, f"say it with --table, or use the headings of {columns}")
    return fitting[0]


def _fits(cells: tuple[str, ...], what: What) -> tuple[int, int]:
    """How many columns that the table must have are there, less those that are missing; then how many at all."""
    known = headings_of(what)
    found = {known[key].name for cell in cells if (key := key_of(cell)) in known}
    if not found:
        return (0, 0)
    missing = {column.name for column in TABLES[what].columns if column.required} - found
    return (len(found) - len(missing), recognised(cells, known))


def _needed(what: What) -> str:
    return ", ".join(column.name for column in TABLES[what].columns if column.required)
