"""A desk with a hub and sheets to import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from govhub.core.diagnostics import Severity
from govhub.inventory.checks import check_hub
from govhub.inventory.importers import ImportResult, import_table
from govhub.inventory.importers.columns import What
from govhub.inventory.loader import Hub, load

TODAY = date(2026, 1, 15)
SYSTEM_HEAD = "name,title_zh,title_en,tenant,owner,tier,protection_level,image,cpu,memory"
DEPARTMENT_HEAD = "name,title_zh,title_en,quota"


@dataclass(frozen=True)
class Desk:
    """The hub is ``testcity``; sheets lie beside it."""

    place: Path

    @property
    def folder(self) -> Path:
        """The hub's folder."""
        return self.place / "testcity"

    def hub(self) -> Hub:
        """The loaded hub."""
        loaded = load(self.folder)
        assert loaded.hub is not None, list(loaded.problems)
        return loaded.hub

    def read(self, file: str) -> str:
        """The text of a file of the hub, line ends as they are."""
        return (self.folder / file).read_bytes().decode()

    def bring(
        self, path: Path, what: What = "departments", *, dry_run: bool = False, partial: bool = False
    ) -> ImportResult:
        """Import a file that lies there; a hub that was valid stays valid."""
        result = import_table(self.hub(), path, what, dry_run=dry_run, partial=partial, today=TODAY)
        assert [item for item in check_hub(self.hub(), TODAY) if item.severity is Severity.ERROR] == []
        return result

    def csv(self, text: str | bytes, what: What = "departments", **options: Any) -> ImportResult:
        """Import a CSV text."""
        path = self.place / "sheet.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.bring(path, what, **options)

    def xlsx(self, rows: list[list[Any]], what: What = "departments", **options: Any) -> ImportResult:
        """Import a workbook of one sheet."""
        book = Workbook()
        for row in rows:
            book.active.append(row)  # type: ignore[union-attr]
        path = self.place / "sheet.xlsx"
        book.save(path)
        return self.bring(path, what, **options)


def codes(result: ImportResult) -> list[str]:
    """The codes of everything found."""
    return [item.code for item in result.all_diagnostics]


def outcomes(result: ImportResult) -> list[str]:
    """``name outcome`` of each row."""
    return [f"{row.name} {row.outcome.value}" for row in result.rows]
