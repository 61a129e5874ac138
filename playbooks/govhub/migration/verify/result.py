"""What a verification found: verdicts, differences and coverage, as one value with a digest."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from govhub.core.canonical import digest

SCHEMA = "govhub.verification/1"


class Verdict(StrEnum):
    """Of a rung, a table, or all; what could not be verified is never a pass."""

    PASS = "pass"  # noqa: S105  # no word of entry
    DIFFERS = "differs"
    UNVERIFIED = "could not verify"


class Rung(StrEnum):
    """The rungs of the ladder, from the cheapest to the deepest."""

    SCHEMA = "schema"
    COUNTS = "counts"
    RANGES = "ranges"
    HASHES = "hashes"
    FULL = "full"

    @property
    def height(self) -> int:
        """1 for the lowest."""
        return list(Rung).index(self) + 1


@dataclass(slots=True)
class Step:
    """One rung of one table."""

    verdict: Verdict
    how: str = "measured"
    """``measured``, or ``implied`` by a deeper rung that passed over every row and column."""
    reasons: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"verdict": self.verdict.value, "how": self.how, "reasons": self.reasons}


@dataclass(slots=True, kw_only=True)
class Difference:
    """One row that differs."""

    kind: str
    """``missing`` on the target, ``extra`` on the target, ``changed``, or for rows without a key ``repeated``."""
    key: dict[str, str | None] = field(default_factory=dict)
    """The key's columns; for a table without key ``content``: the digest of the row."""
    columns: list[dict[str, Any]] = field(default_factory=list)
    """What differs in a changed row: ``column``, and what is there on each side, masked unless asked for."""
    counts: tuple[int, int] | None = None
    """Without a key: how often such a row is on the source and on the target."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        out: dict[str, Any] = {"kind": self.kind, "key": self.key}
        if self.columns:
            out["columns"] = self.columns
        if self.counts:
            out["counts"] = {"source": self.counts[0], "target": self.counts[1]}
        return out


@dataclass(slots=True, kw_only=True)
class TableResult:
    """What was found about one table."""

    name: str
    steps: dict[Rung, Step] = field(default_factory=dict)
    rows: tuple[int | None, int | None] = (None, None)
    columns: int = 0
    """Of the source."""
    unverifiable: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    """How many rows of each kind of difference; a lower bound unless ``complete``."""
    complete: bool = True
    """Every differing row was found; not all of them need be named."""
    rows_hashed: int = 0
    """Rows of the source whose digests were compared."""
    key: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Why nothing, or not everything, could be verified."""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The worst of what is known: a difference is one, whatever could not be looked at."""
        verdicts = {step.verdict for step in self.steps.values()}
        if Verdict.DIFFERS in verdicts or self.differences:
            return Verdict.DIFFERS
        if Verdict.UNVERIFIED in verdicts or self.reasons or not self.steps:
            return Verdict.UNVERIFIED
        return Verdict.PASS

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "table": self.name,
            "verdict": self.verdict.value,
            "rows": {"source": self.rows[0], "target": self.rows[1]},
            "key": self.key,
            "rungs": {rung.value: step.as_dict() for rung, step in self.steps.items()},
            "columns": {"all": self.columns, "verified": self.columns - len(self.unverifiable)},
            "unverifiable": self.unverifiable,
            "rows_hashed": self.rows_hashed,
            "found": self.found,
            "complete": self.complete,
            "differences": [item.as_dict() for item in self.differences],
            "reasons": self.reasons,
            "notes": self.notes,
        }


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict over all; of nothing at all there is none."""
    if Verdict.DIFFERS in verdicts:
        return Verdict.DIFFERS
    return Verdict.UNVERIFIED if Verdict.UNVERIFIED in verdicts or not verdicts else Verdict.PASS


def coverage(tables: list[TableResult]) -> dict[str, Any]:
    """In numbers, for each rung: how many tables, rows and columns it came to a verdict on."""
    rows = sum(item.rows[0] or 0 for item in tables)
    unknown = sum(1 for item in tables if item.rows[0] is None)
    columns = sum(item.columns for item in tables)
    out: dict[str, Any] = {
        "tables": len(tables),
        "rows": rows,
        "tables_of_unknown_rows": unknown,
        "columns": columns,
        "columns_unverifiable": sum(len(item.unverifiable) for item in tables),
        "rungs": {},
    }
    for rung in Rung:
        done = [item for item in tables if rung in item.steps and item.steps[rung].verdict is not Verdict.UNVERIFIED]
        hashed = sum(item.rows_hashed for item in tables) if rung is Rung.HASHES else None
        covered = hashed if hashed is not None else sum(item.rows[0] or 0 for item in done)
        out["rungs"][rung.value] = {
            "tables": len(done),
            "rows": 0 if rung is Rung.SCHEMA else covered,
            "columns": sum(item.columns - len(item.unverifiable) for item in done),
        }
    return out


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` with its digest, to which a record can refer."""
    plain = {key: value for key, value in document.items() if key != "digest"}
    return {**plain, "digest": f"sha256:{digest(plain)}"}


def intact(document: dict[str, Any]) -> bool:
    """Whether the digest is that of the document."""
    return bool(document.get("digest") == sealed(document)["digest"])
