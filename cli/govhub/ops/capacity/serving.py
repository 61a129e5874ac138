"""What ``serve`` shows: a hub's documents, made anew when its files change and with every look at its meters."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.settings import inventories, today
from govhub.core.text import minute_of
from govhub.inventory.loader import find_hub
from govhub.monitoring.arithmetic.figure import Figure
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls
from govhub.monitoring.live.readings import element_figures
from govhub.monitoring.metrics.exporter import State
from govhub.monitoring.metrics.wholes import Extras, Forecast
from govhub.monitoring.rows import rack_rows
from govhub.monitoring.web.documents.comparison import comparison
from govhub.monitoring.web.documents.elevation import Elevations
from govhub.monitoring.web.documents.links import network_of
from govhub.monitoring.web.documents.power import power_tree_of
from govhub.monitoring.web.source import MAX_LOST, Question
from govhub.ops.capacity.live import Live
from govhub.ops.capacity.places import SCHEMA
from govhub.ops.capacity.show import document_of
from govhub.ops.capacity.whatif import WhatIfRequest, answer
from govhub.ops.load import read_folder, valid, valid_hub
from govhub.ops.revision import revision_of

Document = dict[str, Any]
NO_ALERTS: Document = {"state": "none", "alerts": []}
NO_FORECAST: Document = {"state": "none", "as_of": None, "history_days": 0, "forecasts": []}
_AWAY = ("MTR005", "MTR006")
"""Prometheus does not answer, or something else does."""


_LOG = logging.getLogger("govhub.web")
_Stamp = tuple[date, tuple[tuple[str, int, int, int], ...]]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A forecast for the page and for the exporter, made of one reading of the history."""

    document: Document = field(default_factory=lambda: dict(NO_FORECAST))
    """As ``capacity forecast``, with the days behind each place as ``history``, and how it stands as ``state``.

    ``none``: nobody makes one. ``making``: a first or newer one is being made. ``ok``. ``failed``: ``problems`` says
    why; as while one is being made, what is there is what was made before, if anything.
    """
    figures: Sequence[Forecast] = ()


def _nothing() -> None:
    """There is nothing to end."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """Where what is not in the hub's files comes from; each may be missing. None of them may raise."""

    live: Callable[[Columns], Live] | None = None
    """What meters and clusters say."""
    forecast: Callable[[Columns], Foreseen] | None = None
    alerts: Callable[[str], Document] | None = None
    close: Callable[[], None] = _nothing
    """Ends what they keep running."""


@dataclass(frozen=True, slots=True)
class _State:
    """One look at everything; replaced as a whole, so that no page mixes two of them."""

    number: int
    as_of: float
    loaded: float
    stamp: _Stamp
    halls: Halls
    elements: Sequence[Figure]
    """What is measured of each element of the power tree; none without meters."""
    extras: Extras
    elevations: Elevations
    overview: Document
    network: Document
    forecast: Document
    alerts: Document
    status: Document


class HubSource:
    """A ``govhub.monitoring.web.source.Source`` of a hub's files, and of what watches it."""

    def __init__(self, hub: str, feeds: Feeds | None = None, clock: Callable[[], float] = time.time) -> None:
        self._name = hub
        self._feeds = feeds or Feeds()
        self._clock = clock
        self._lock = threading.Lock()
        self._folder = find_hub(hub, inventories())
        columns, stamp = self._load()
        self._state = self._look(columns, stamp, self._clock(), [], None)

    @property
    def hub(self) -> str:
        """Its name."""
        return self._state.halls.columns.hub.name

    @property
    def version(self) -> str:
        """Number of the look."""
        return str(self._state.number)

    def refresh(self) -> None:
        """Read changed files and the meters; what fails is told by ``status``, and what was last is kept."""
        with self._lock:
            before = self._state
            columns, stamp, loaded = before.halls.columns, before.stamp, before.loaded
            problems: list[Diagnostic] = []
            try:
                if self._stamp() != before.stamp:
                    found, stamp = self._load()
                    # Touched, or changed and changed back: then nothing is new but the stamp.
                    if found.hub.inputs != columns.hub.inputs or stamp[0] != before.stamp[0]:
                        columns, loaded = found, self._clock()
            except GovhubError as error:
                problems.append(_not_taken(error, loaded))
                if before.status["valid"]:
                    _LOG.warning("the last valid state is shown: %s", problems[0].summary)
            self._state = self._look(columns, stamp, loaded, problems, before)

    def state(self) -> State:
        """The same for the exporter."""
        now = self._state
        return State(now.halls, replace(now.extras, today=today()), now.loaded, valid=now.status["valid"])

    def status(self) -> Document:
        """Age and problems."""
        return self._state.status

    def halls(self) -> Halls:
        """The arithmetic."""
        return self._state.halls

    def overview(self) -> Document:
        """As ``capacity show``, with what is measured."""
        return self._state.overview

    def racks(self, place: str, sort: str, limit: int, offset: int) -> Document | None:
        """As ``capacity racks``, page by page."""
        halls = self._state.halls
        inside = halls.columns.inside(place)
        count = int(inside.sum())
        if not count:
            return None
        rows = rack_rows(halls, inside, sort, limit=limit, offset=offset)
        page = {"place": place, "sort": sort, "count": count, "offset": offset, "limit": limit, "racks": rows}
        return self._about(page)

    def rack(self, address: str) -> Document | None:
        """One rack."""
        found = self._state.elevations.rack(self._state.halls, address)
        return self._about(found) if found else None

    def power(self, hall: str) -> Document | None:
        """A hall's power tree."""
        now = self._state
        found = power_tree_of(now.halls.columns, hall, now.elements)
        return self._about(found) if found else None

    def network(self) -> Document:
        """Layers and links."""
        return self._state.network

    def departments(self) -> Document:
        """Quota to watts."""
        return self._about({"departments": self._state.overview["departments"]})

    def forecast(self) -> Document:
        """Fans and dates."""
        return self._state.forecast

    def alerts(self) -> Document:
        """Alerts."""
        return self._state.alerts

    def compare(self, before: Document | str) -> Document:
        """Differences to now."""
        now = self._state.overview | {"as_of": self._state.as_of}
        if not isinstance(before, str):
            return comparison(before, now)
        with revision_of(self._folder, before) as folder:
            if folder is None:
                raise InvalidInput.one("REV001", f"{self.hub} did not exist at {before[:80]}")
            found = read_folder(folder)
            columns = Columns(valid(*found)[0])
            return comparison(document_of(columns, Halls(columns)), now, (before, minute_of(self._state.as_of)))

    def what_if(self, question: Question) -> Document:
        """As ``capacity what-if``, of the files as they were looked at last."""
        request = WhatIfRequest(
            hub=self.hub,
            servers=question.servers,
            type=question.type,
            place=question.place,
            order=question.order,
            lose=question.lose,
            most_lost=MAX_LOST,
        )
        return answer(self._state.halls.columns, request).document

    def _about(self, document: Document) -> Document:
        return {"schema": SCHEMA, "hub": self.hub} | document

    def _load(self) -> tuple[Columns, _Stamp]:
        # Before the files are read: a change in between is then seen the next time.
        stamp = self._stamp()
        return Columns(valid_hub(self._name)[0]), stamp

    def _stamp(self) -> _Stamp:
        """Today, and names, sizes and times of the hub's files: cheap to compare, and read again when they differ.

        Days count: months of the ledger end, exceptions run out.
        """
        found = []
        for base, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(base, name)
                if name.endswith((".yaml", ".yml")):
                    # Gone between the list and now: then it is not in the next list either.
                    with contextlib.suppress(OSError):
                        status = path.stat()
                        found.append((str(path), status.st_size, status.st_mtime_ns, status.st_ino))
        return today(), tuple(sorted(found))

    def _look(
        self,
        columns: Columns,
        stamp: _Stamp,
        loaded: float,
        problems: list[Diagnostic],
        before: _State | None,
    ) -> _State:
        about = {"schema": SCHEMA, "hub": columns.hub.name}
        same = before if before is not None and before.halls.columns is columns else None
        live = self._feeds.live(columns) if self._feeds.live else None
        told = [*problems, *_told(live)]
        if same and live is None:
            # Nobody measures and no file has changed: neither has any figure.
            halls, overview = same.halls, same.overview
        else:
            halls = Halls(columns, measured=live.readings.measured if live else None)
            overview = document_of(columns, halls, live=live)
        alerts = self._feeds.alerts(columns.hub.name) if self._feeds.alerts else NO_ALERTS
        foreseen = self._feeds.forecast(columns) if self._feeds.forecast else Foreseen()
        now = self._clock()
        return _State(
            number=before.number + 1 if before else 1,
            as_of=now,
            loaded=loaded,
            stamp=stamp,
            halls=halls,
            elements=element_figures(live.readings, columns) if live else (),
            extras=Extras(today=today(), pods=live.pods if live else None, forecasts=foreseen.figures),
            elevations=same.elevations if same else Elevations(columns),
            overview=overview,
            network=about | network_of(columns.hub, live.links if live else {}),
            forecast=about | foreseen.document,
            alerts=about | alerts,
            status=about
            | {
                "as_of": now,
                "loaded": loaded,
                "valid": not problems,
                "live": _live(live, overview["figures"]["power.measured"]),
                "problems": [item.as_dict() for item in told],
            },
        )


def _live(live: Live | None, measured: Document) -> Document:
    """What is to be thought of the meters: ``none``, ``down``, ``partial`` or ``ok``."""
    covered = measured["coverage"]
    if live is None or live.document is None or live.document["prometheus"] is None:
        state = "none"
    elif any(problem.startswith(_AWAY) for problem in live.readings.problems):
        state = "down"
    else:
        state = "ok" if covered["known"] == covered["of"] else "partial"
    return {"state": state, "age_seconds": measured["age_seconds"], "coverage": covered}


def _told(live: Live | None) -> list[Diagnostic]:
    """What speaks against the answers, as diagnostics; a problem begins with its code."""
    problems = live.document["problems"] if live and live.document else []
    found = []
    for problem in problems:
        code, _, text = problem.partition(" ")
        found.append(Diagnostic(code=code, severity=Severity.WARNING, summary=text))
    return found


def _not_taken(error: GovhubError, loaded: float) -> Diagnostic:
    first = error.diagnostics[0]
    text = f"the hub's files have changed and are not valid: {first.summary}"
    hint = f"figures are of the files as they were at {minute_of(loaded)}"
    return Diagnostic(
        code="WEB005", severity=Severity.WARNING, summary=text, address=first.address, source=first.source, hint=hint
    )
