"""``capacity history``: daily values of a hub, collected, listed, brought in and out, kept small."""

from __future__ import annotations

import csv
import io
import os
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from govhub.core.errors import InvalidInput, TargetUnreachable
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.collect import Wanted, collect, first_day
from govhub.monitoring.forecast.resources import RESOURCES
from govhub.monitoring.forecast.store import History
from govhub.monitoring.forecast.tables import read_csv
from govhub.monitoring.prometheus import Prometheus
from govhub.ops.capacity.days import history_folder, today_of, zone_of
from govhub.ops.capacity.places import SCHEMA, columns_of

BACK = 30
KEEP = 1100


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """What to ask whom; ``first`` and ``last`` are days of the hub's time zone, both included."""

    hub: str
    prometheus: str
    folder: Path | None = None
    first: date | None = None
    last: date | None = None
    resources: tuple[str, ...] = ()
    again: bool = False
    timeout: float = 120.0


def history_of(columns: Columns, folder: Path | None = None) -> History:
    """The history of a hub: in ``folder``, or where this user's is."""
    return History(folder or history_folder(columns))


def collect_history(request: CollectRequest) -> dict[str, Any]:
    """Ask Prometheus for the days that are missing, and keep them; days that have not ended are left out.

    Raises:
        InvalidInput: the hub is not valid, the days are the wrong way round, or the address is none.
        TargetUnreachable: Prometheus answered nothing at all.
    """
    source = Prometheus(request.prometheus, deadline=request.timeout)
    columns = columns_of(request.hub)
    history = history_of(columns, request.folder)
    resources = tuple(RESOURCES[name] for name in request.resources or RESOURCES)
    yesterday = today_of(columns) - timedelta(days=1)
    last = min(request.last or yesterday, yesterday)
    first = request.first or first_day(history, resources, last, BACK)
    if first > last:
        text = f"there is no ended day from {first.isoformat()} to {last.isoformat()}"
        raise InvalidInput.one("FOR012", text, hint="days are collected when they have ended in the hub's time zone")
    wanted = Wanted(
        resources=resources,
        halls=tuple(columns.halls),
        first=first,
        last=last,
        zone=zone_of(columns),
        again=request.again,
        now=int(time.time() * 1000),
    )
    found = collect(source, history, wanted)
    if found.failed and not found.rows and not found.skipped:
        raise TargetUnreachable(found.problems.sorted())
    return {
        "schema": SCHEMA,
        "hub": columns.hub.name,
        "prometheus": source.shown,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "timezone": columns.model.baseline.timezone,
        "rows": found.rows,
        "days": len(found.days),
        "days_held": found.skipped,
        "questions": found.asked,
        "failed": found.failed,
        "problems": [item.as_dict() for item in (*found.problems, *history.problems)],
        "stored": [item.as_dict() for item in history.stored()],
    }


def show_history(hub: str, folder: Path | None = None) -> dict[str, Any]:
    """What the history holds, by metric, with its gaps.

    Raises:
        InvalidInput: the hub is not valid.
    """
    history = history_of(columns_of(hub), folder)
    stored = [item.as_dict() for item in history.stored()]
    return _document(hub, history) | {"stored": stored, "months_of_years": history.years().height}


def import_history(hub: str, file: Path, folder: Path | None = None) -> dict[str, Any]:
    """Bring days in from CSV, as ``export_history`` writes it; rows that are wrong are told and left out.

    Raises:
        InvalidInput: the hub is not valid, or the file has no such columns, or no row that is right.
    """
    columns = columns_of(hub)
    history = history_of(columns, folder)
    found = read_csv(file, today_of(columns), int(time.time() * 1000))
    if not found.rows:
        raise InvalidInput(found.problems.sorted())
    added = history.add(found.rows)
    return _document(hub, history) | {
        "rows": added,
        "refused": found.refused,
        "problems": [item.as_dict() for item in found.problems],
    }


def export_history(hub: str, folder: Path | None = None, *, months: bool = False) -> str:
    """All days as CSV; with ``months`` the months whose days are not kept any more.

    Raises:
        InvalidInput: the hub is not valid.
    """
    return history_of(columns_of(hub), folder).export(months=months)


def exported(hub: str, text: str) -> dict[str, Any]:
    """The CSV of ``export_history`` as a document: rows with the columns' names, numbers as numbers."""
    rows = csv.DictReader(io.StringIO(text))
    numbers = ("p95", "max", "mean", "coverage")
    days = [{key: float(value) if key in numbers else value for key, value in row.items()} for row in rows]
    return {"schema": SCHEMA, "hub": hub, "days": days}


def compact_history(hub: str, folder: Path | None = None, *, keep_days: int = KEEP) -> dict[str, Any]:
    """One file a month and metric; months older than ``keep_days`` become one row a place.

    Raises:
        InvalidInput: the hub is not valid.
    """
    columns = columns_of(hub)
    history = history_of(columns, folder)
    done = history.compact(today_of(columns) - timedelta(days=keep_days))
    return _document(hub, history) | done


def _document(hub: str, history: History) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "hub": hub.rstrip(os.sep).rpartition(os.sep)[2],
        "folder": str(history.folder),
        "problems": [item.as_dict() for item in history.problems],
    }
