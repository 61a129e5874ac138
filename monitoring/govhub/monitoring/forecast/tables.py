"""Days of history from CSV: rows that are wrong are told and left out, never guessed."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from pathlib import Path

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import InvalidInput
from govhub.monitoring.forecast.resources import RESOURCES
from govhub.monitoring.forecast.store import Row

NEEDED = ("day", "metric", "place", "p95")
SHOWN = 20
MAX_BYTES = 2**30


@dataclass(slots=True)
class Table:
    """What a file held."""

    rows: list[Row] = field(default_factory=list)
    refused: int = 0
    twice: int = 0
    problems: Diagnostics = field(default_factory=Diagnostics)


def read_csv(path: Path, today: date, now: int) -> Table:
    """The rows of a file with a header: day, metric, place, p95, and if there are, max, mean and coverage.

    Without ``max`` or ``mean`` they are the p95; without ``coverage`` the day is taken for whole. When a day, metric
    and place stand there twice, the last one counts.

    Raises:
        InvalidInput: the file cannot be read, or lacks a column.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput.one("FOR007", f"{path} is larger than 1 GiB", hint="bring it in by years")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("FOR007", f"{path} cannot be read: {error}", hint="it has to be CSV in UTF-8") from error
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        hint = "columns are: day, metric, place, p95, max, mean, coverage"
        raise InvalidInput.one("FOR007", f"{path} lacks the columns {', '.join(missing)}", hint=hint)
    out = Table()
    found: dict[tuple[date, str, str], Row] = {}
    for number, cells in enumerate(reader, start=2):
        try:
            row = _row(cells, today, now)
        except ValueError as error:
            out.refused += 1
            if out.refused <= SHOWN:
                hint = "correct the row and import the file again"
                out.problems.error("FOR007", f"{path.name}:{number}: {error}", hint=hint)
            continue
        key = (row.day, row.metric, row.place)
        out.twice += key in found
        found[key] = row
    out.rows = list(found.values())
    _sum_up(out, path)
    return out


def _sum_up(out: Table, path: Path) -> None:
    if out.refused > SHOWN:
        out.problems.error("FOR007", f"{path.name}: {out.refused - SHOWN} more rows are wrong")
    if out.twice:
        text = f"{path.name}: {out.twice} rows repeat a day of a place; the last one counts"
        out.problems.warning("FOR013", text, hint="check what wrote the file")
    if not out.rows and not out.refused:
        out.problems.error("FOR007", f"{path.name} has no rows", hint="export some first to see the form")


def _row(cells: dict[str, str | None], today: date, now: int) -> Row:
    day = _day(cells["day"] or "", today)
    metric, place = (cells["metric"] or "").strip(), (cells["place"] or "").strip()
    if metric not in RESOURCES:
        raise ValueError(f'there is no metric "{metric[:40]}"; known: {", ".join(RESOURCES)}')
    if not place or len(place) > 200:
        raise ValueError("the place is empty or too long")
    p95 = _amount(cells, "p95", None)
    coverage = _amount(cells, "coverage", 1.0)
    if coverage > 1:
        raise ValueError("coverage is a part, 0 to 1")
    top, mean = _amount(cells, "max", p95), _amount(cells, "mean", p95)
    return Row(day=day, metric=metric, place=place, p95=p95, max=top, mean=mean, coverage=coverage, collected=now)


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{text[:20]}" is no day (YYYY-MM-DD)') from None
    if day > today:
        raise ValueError(f"{day.isoformat()} is after today, {today.isoformat()}")
    return day


def _amount(cells: dict[str, str | None], name: str, default: float | None) -> float:
    text = (cells.get(name) or "").strip()
    if not text and default is not None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f'{name} "{text[:20]}" is no number') from None
    if not isfinite(value) or value < 0:
        raise ValueError(f"{name} {text[:20]} is negative or no number")
    return value
