"""The forecast behind a page that is looked at all the time: made anew when what it is made of has changed."""

from __future__ import annotations

from datetime import date
from math import isnan
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.settings import today
from govhub.monitoring.columns import Columns
from govhub.monitoring.forecast.figures import LEVELS, figures
from govhub.monitoring.metrics.wholes import Forecast
from govhub.ops.capacity.forecast import ForecastRequest, document, outlooks_of
from govhub.ops.capacity.history import history_of, zone_of
from govhub.ops.capacity.serving import NO_FORECAST

_Key = tuple[date, int, int]


class Foresight:
    """The forecast of a hub; it costs seconds, and changes when its files, its history or the day do."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._columns: Columns | None = None
        self._key: _Key | None = None
        self._document: dict[str, Any] = NO_FORECAST
        self._figures: list[Forecast] = []

    def document(self, columns: Columns) -> dict[str, Any]:
        """As ``capacity forecast``, with the days behind each place; racks are left to the command."""
        self._look(columns)
        return self._document

    def figures(self, columns: Columns) -> list[Forecast]:
        """The same for the exporter."""
        self._look(columns)
        return self._figures

    def _look(self, columns: Columns) -> None:
        key = _key(columns)
        if columns is self._columns and key == self._key:
            return
        self._columns, self._key = columns, key
        request = ForecastRequest(hub=columns.hub.name)
        try:
            found = outlooks_of(columns, request)
            zone = zone_of(columns)
        except GovhubError as error:
            self._document = NO_FORECAST | {"problems": [item.as_dict() for item in error.diagnostics]}
            self._figures = []
            return
        told = document(columns, found, request)
        wanted = []
        for item, row in zip(found.places, told["forecasts"], strict=True):
            if item.level in LEVELS:
                days = [] if item.values is None else item.values.tolist()
                wanted.append(row | {"history": [None if isnan(day) else round(day, 1) for day in days]})
        self._document = {**told, "forecasts": wanted, "racks": []}
        self._figures = figures(found.places, zone)


def _key(columns: Columns) -> _Key:
    """The day, and the number and youngest change of the history's files."""
    times = [path.stat().st_mtime_ns for path in history_of(columns).folder.rglob("*") if path.is_file()]
    return today(), len(times), max(times, default=0)
