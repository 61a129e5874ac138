"""Labels of racks, put together once for as long as the racks stay where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.figure import Ints
from govhub.monitoring.columns import Columns
from govhub.monitoring.metrics.catalogue import FAMILIES, FEED, RACK
from govhub.monitoring.metrics.writing import Prefixes

INFO = "govhub_rack_info"


@dataclass(frozen=True, slots=True)
class Place:
    """One hall's racks: where they stand in the columns, and their labels."""

    racks: Ints
    plain: Prefixes
    sides: tuple[Prefixes, Prefixes]
    info: Prefixes


class Places:
    """The halls of a hub; each is made when it is asked for first."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._made: dict[str, Place] = {}

    def fits(self, columns: Columns) -> bool:
        """Whether these labels are those of ``columns``, too: the same racks, fed by the same elements."""
        mine = self._columns
        return (
            mine.racks.addresses == columns.racks.addresses
            and mine.halls == columns.halls
            and mine.elements.names == columns.elements.names
            and np.array_equal(mine.feeds.a, columns.feeds.a)
            and np.array_equal(mine.feeds.b, columns.feeds.b)
        )

    def of(self, hall: str) -> Place:
        """The racks of ``site/hall``.

        Raises:
            ValueError: there is no such hall.
        """
        if hall not in self._made:
            self._made[hall] = self._make(self._columns.halls.index(hall))
        return self._made[hall]

    def _make(self, hall: int) -> Place:
        columns = self._columns
        at = np.flatnonzero(columns.racks.hall == hall)
        rows = [columns.racks.addresses[place].split("/") for place in at.tolist()]
        elements = [*columns.elements.names, ""]  # -1, no feed, is the empty one
        feeds = zip(columns.feeds.a[at].tolist(), columns.feeds.b[at].tolist(), strict=True)
        fed = [(*row, elements[a], elements[b]) for row, (a, b) in zip(rows, feeds, strict=True)]
        a, b = (Prefixes(FEED, [(*row, side) for row in rows]) for side in "ab")
        return Place(at, Prefixes(RACK, rows), (a, b), Prefixes(FAMILIES[INFO].labels, fed))
