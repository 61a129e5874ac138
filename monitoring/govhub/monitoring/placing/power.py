"""The power tree as limits that fill up: room for whole machines on a way, exact after every single loss."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf

import numpy as np

from govhub.monitoring.arithmetic.failover import transfers
from govhub.monitoring.arithmetic.figure import Bools, Floats
from govhub.monitoring.arithmetic.grades import Survives, survives
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.paths import METERS, Lines, Share, Way

EPS = 1e-6
PHASED = ("busway", "pdu")
"""Kinds whose phases have limits of their own: a third of the element's capacity."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why no machine more goes: the meter of an element, and how much it carries of what."""

    element: int
    phase: int
    """0 for the element as a whole, else 1 to 3."""
    carried: float
    limit: float
    lost: int
    """The element whose loss brings this load; -1 for the load as it is."""


def must_survive(columns: Columns) -> Bools:
    """Elements that must carry what comes over after a loss: those of a hall whose grade asks for two paths."""
    path = np.array([survives(columns.tiers[hall]) is Survives.PATH for hall in columns.halls], dtype=bool)
    return np.asarray((columns.halls_of_elements & path[None, :]).any(axis=1), dtype=bool)


def limits(columns: Columns) -> Floats:
    """W that each meter carries, shape ``(elements, 4)``: the whole, and three phases; inf where unknown."""
    elements = columns.elements
    whole = np.where(np.isnan(elements.capacity), inf, elements.capacity)
    phased = np.isin(np.array([elements.kind_names[kind] for kind in elements.kind], dtype=object), PHASED)
    each = np.where(phased, whole / 3, inf)
    return np.column_stack([whole, each, each, each]) if len(whole) else np.zeros((0, METERS))


class Tree:
    """Loads of all elements, which grow machine by machine."""

    def __init__(self, columns: Columns) -> None:
        parents = columns.elements.parents
        self.lines = Lines(parents.tolist(), columns.elements.alternates.tolist())
        self._limit: list[float] = limits(columns).ravel().tolist()
        load = columns.tree_load.normal
        self._load: list[float] = np.column_stack([load.sum(axis=1), load]).ravel().tolist() if len(load) else []
        self._survive: list[bool] = must_survive(columns).tolist()
        self._moved: dict[int, dict[int, float]] = {}
        self._worst: dict[int, float] = {}
        self._fill(columns)

    def _fill(self, columns: Columns) -> None:
        count = len(columns.elements.parents)
        pairs, watts = transfers(columns.elements.parents, columns.feeds, columns.elements.alternates)
        table = np.column_stack([watts.sum(axis=1), watts]).tolist() if len(pairs) else []
        for pair, row in zip(pairs.tolist(), table, strict=True):
            lost, gaining = divmod(pair, count)
            for number, extra in enumerate(row):
                if extra > 0:
                    self._move(METERS * gaining + number, lost, extra)

    def _move(self, meter: int, lost: int, extra: float) -> None:
        found = self._moved.setdefault(meter, {})
        found[lost] = total = found.get(lost, 0.0) + extra
        self._worst[meter] = max(self._worst.get(meter, 0.0), total)

    def share(self, way: Way, cords: int) -> Share:
        """The shares of a machine on ``way``."""
        return self.lines.share(way, cords)

    def room(self, share: Share, watts: float) -> tuple[int, Stop | None]:
        """How many machines more the way carries, and what stops the next one; a large number when nothing does."""
        best, stop = inf, None
        for meter in (*share.normal, *(item for item in share.moved if item not in share.normal)):
            limit = self._limit[meter]
            if limit == inf:
                continue
            for each, load, lost in self._cases(meter, share):
                fit = (limit - load + EPS) / (each * watts)
                if fit < best:
                    best, stop = fit, Stop(meter // METERS, meter % METERS, load, limit, lost)
        return (max(floor(best), 0), stop) if best < inf else (1 << 40, None)

    def _cases(self, meter: int, share: Share) -> list[tuple[float, float, int]]:
        """``(W for one W more, load now, lost element)`` as it is and after each loss that concerns the meter."""
        load, each = self._load[meter], share.normal.get(meter, 0.0)
        cases = [(each, load, -1)] if each else []
        if not self._survive[meter // METERS]:
            return cases
        before = self._moved.get(meter, {})
        if each and before:
            worst = self._worst[meter]
            cases.append((each, load + worst, -2))
        for lost, part in share.moved.get(meter, {}).items():
            cases.append((each + part, load + before.get(lost, 0.0), lost))
        return cases

    def take(self, share: Share, watts: float) -> None:
        """Put ``watts`` on the way."""
        for meter, part in share.normal.items():
            self._load[meter] += part * watts
        for meter, losses in share.moved.items():
            for lost, part in losses.items():
                self._move(meter, lost, part * watts)

    def worst_loss(self, stop: Stop) -> int:
        """The element whose loss a stop is about; -1 when it is about none."""
        if stop.lost != -2:
            return stop.lost
        found = self._moved[METERS * stop.element + stop.phase]
        return min(found, key=lambda lost: (-found[lost], lost))
