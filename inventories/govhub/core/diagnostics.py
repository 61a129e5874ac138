"""Diagnostics: problems are collected with a position and a way out, never raised one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops, a warning is shown, a note explains."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the most severe; used to sort."""
        return ("error", "warning", "note").index(self.value)


@dataclass(frozen=True, slots=True, order=True)
class SourceRange:
    """A position in an input file; line and column count from 1, as editors do.

    ``file`` is relative to the hub's parent folder, so that reports read the same on every machine.
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem: what is wrong (summary, detail), where (address, source) and the way out (hint)."""

    code: str
    severity: Severity
    summary: str
    detail: str = ""
    address: str = ""
    source: SourceRange | None = None
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; keys without a value are left out, except ``source`` parts, which stay together."""
        out: dict[str, Any] = {"code": self.code, "severity": self.severity.value, "summary": self.summary}
        for key in ("detail", "address", "hint"):
            if value := getattr(self, key):
                out[key] = value
        if self.source:
            out["source"] = {"file": self.source.file, "line": self.source.line, "column": self.source.column}
        return out

    def sort_key(self) -> tuple[int, str, int, int, str, str]:
        """Errors first, then by position, so that output is stable across runs."""
        where = self.source or SourceRange("", 0, 0)
        return (self.severity.rank, where.file, where.line, where.column, self.code, self.summary)


@dataclass(slots=True)
class Diagnostics:
    """A growing list of diagnostics, passed down and never thrown."""

    items: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, summary: str, **more: Any) -> None:
        """Collect an error; keyword arguments are the fields of :class:`Diagnostic`."""
        self.items.append(Diagnostic(code=code, severity=Severity.ERROR, summary=summary, **more))

    def warning(self, code: str, summary: str, **more: Any) -> None:
        """Collect a warning."""
        self.items.append(Diagnostic(code=code, severity=Severity.WARNING, summary=summary, **more))

    def note(self, code: str, summary: str, **more: Any) -> None:
        """Collect a note."""
        self.items.append(Diagnostic(code=code, severity=Severity.NOTE, summary=summary, **more))

    def extend(self, more: Iterable[Diagnostic]) -> None:
        """Collect everything of ``more``."""
        self.items.extend(more)

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors only."""
        return [item for item in self.items if item.severity is Severity.ERROR]

    def sorted(self) -> list[Diagnostic]:
        """Errors first, then by file and line."""
        return sorted(self.items, key=Diagnostic.sort_key)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
