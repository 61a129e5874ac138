"""What came of an import: one result a row, and what is wrong with the file as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity


class Outcome(StrEnum):
    """What happens to a row; in a dry run, what would happen."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """One row of the sheet; ``row`` counts from 1 as the spreadsheet program does, header included."""

    row: int
    name: str
    outcome: Outcome
    diagnostics: tuple[Diagnostic, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        found = [item.as_dict() for item in self.diagnostics]
        return {"row": self.row, "name": self.name, "outcome": self.outcome.value, "diagnostics": found}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The whole import; ``files`` were written, or would be when ``dry_run``."""

    what: str
    source: str
    dry_run: bool
    rows: tuple[RowResult, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """Problems of the file or the hub as a whole; those of a row stand with the row."""
    files: tuple[Path, ...] = ()
    diff: str = ""
    """What changes in the files, as `diff -u` shows it."""

    @property
    def all_diagnostics(self) -> list[Diagnostic]:
        """Everything found, errors first, then by position."""
        found = [*self.diagnostics, *(item for row in self.rows for item in row.diagnostics)]
        return sorted(found, key=Diagnostic.sort_key)

    @property
    def ok(self) -> bool:
        """Whether there is no error at all."""
        return not any(item.severity is Severity.ERROR for item in self.all_diagnostics)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows had each outcome, all outcomes named."""
        found = Counter(row.outcome for row in self.rows)
        return {outcome.value: found[outcome] for outcome in Outcome}

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "what": self.what,
            "source": self.source,
            "dry_run": self.dry_run,
            "counts": self.counts,
            "files": [str(path) for path in self.files],
            "rows": [row.as_dict() for row in self.rows],
            "diagnostics": [item.as_dict() for item in self.diagnostics],
        }
