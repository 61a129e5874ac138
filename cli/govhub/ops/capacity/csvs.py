"""Documents of capacity as rows of CSV (RFC 4180): a header first; an empty cell is unknown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from govhub.monitoring.rows import COLUMNS

Document = Mapping[str, Any]
FIGURES = ("place", "figure", "at", "numerator", "denominator", "unit", "ratio", "known", "of", "age_seconds")
FORECASTS = (
    *("place", "level", "resource", "unit", "status", "value", "limit", "slope_per_day.p50", "history_days"),
    *("coverage.known", "coverage.of", "exhaustion.p10", "exhaustion.p50", "exhaustion.p90"),
    *("lead_days", "order_by", "order_by_early", "backtest.mase", "model"),
)
CHANGES = ("resource", "at", "unit", "before", "after", "limit", "change", "ratio")


def rack_lines(document: Document) -> Iterator[str]:
    """The rows of ``capacity racks``."""
    return _lines(COLUMNS, document["racks"])


def figure_lines(document: Document) -> Iterator[str]:
    """The figures of ``capacity show``: of the place, then of each of its halls."""
    rows = list(_figures(document["place"], document["figures"]))
    for hall in document["halls"]:
        # A hall that is asked for alone is the place: only what is said of halls alone is new then.
        told = document["figures"] if hall["hall"] == document["place"] else {}
        rows += _figures(hall["hall"], {name: item for name, item in hall["figures"].items() if name not in told})
    return _lines(FIGURES, rows)


def forecast_lines(document: Document) -> Iterator[str]:
    """The rows of ``capacity forecast``, which ``capacity report`` has, too: places, then the racks that run out."""
    return _lines(FORECASTS, [*document["forecasts"], *document["racks"]])


def change_lines(document: Document) -> Iterator[str]:
    """What ``capacity what-if`` changes, limit by limit."""
    return _lines(CHANGES, document["changes"])


def _figures(place: str, figures: Document) -> Iterator[dict[str, Any]]:
    for name, item in figures.items():
        known = {part: item["coverage"][part] for part in ("known", "of")}
        yield {**item, "place": place, "figure": name, **known}


def _lines(columns: Sequence[str], rows: Iterable[Document]) -> Iterator[str]:
    for cells in (columns, *([_cell(row, name) for name in columns] for row in rows)):
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        yield line.getvalue()


def _cell(row: Document, name: str) -> Any:
    """What stands under ``name``, where dots go down; None, an empty cell, when nothing does."""
    found: Any = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
