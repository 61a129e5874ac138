"""Transfer switches: the way that power takes as it is, and after a loss."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.figure import Bools, Floats, Ints
from govhub.monitoring.arithmetic.tree import lineage

EPS = 1e-6
"""W that are nothing."""


class Ways:
    """The power tree as ways from an element to the top.

    A transfer switch changes to its alternate when what is above it has no power, and back when it has (IEC 60947-6-1,
    IEC 62310-1): after a single loss its load is on the alternate's way.

    Args:
        parents: each element's element above, -1 at the top; no circles.
        alternates: what takes over, -1 of all that is no transfer switch; they lead back to no switch.
    """

    def __init__(self, parents: Sequence[int], alternates: Sequence[int]) -> None:
        self._parents, self._alternates = parents, alternates
        self._known: dict[int, tuple[int, ...] | None] = {}

    def way(self, element: int, lost: Collection[int] = ()) -> tuple[int, ...] | None:
        """The element and all that carry its load; None when nothing feeds it any more; empty for -1."""
        found: list[int] = []
        at = element
        while at >= 0:
            if at in lost:
                return None
            found.append(at)
            above, other = self._parents[at], self._alternates[at]
            at = other if lost and other >= 0 and above >= 0 and self.way(above, lost) is None else above
        return tuple(found)

    def normal(self, element: int) -> tuple[int, ...]:
        """The way without a loss; kept."""
        found = self._known.get(element)
        if found is None:
            found = self._known[element] = self.way(element) or ()
        return found


def below_switches(parents: Ints, alternates: Ints) -> Bools:
    """Elements on whose normal way a transfer switch stands."""
    above = lineage(parents)
    out = np.zeros(len(parents), dtype=bool)
    for column in above.T:
        out |= (column >= 0) & (alternates[np.maximum(column, 0)] >= 0)
    return out


@dataclass(frozen=True, slots=True)
class Group:
    """Racks on one pair of feeds: W on each side's phases, if that side carries all of it."""

    a: int
    b: int
    dual: tuple[Floats, Floats]
    single: tuple[Floats, Floats]


def moved(ways: Ways, group: Group) -> tuple[dict[tuple[int, int], Floats], dict[int, float]]:
    """What each loss adds to each element, by ``(lost, gaining)``, and W that goes dark with each loss.

    The definition, loss by loss: machines with two supplies draw equal parts from the sides that live; those with one
    hang on side A, or on the only side there is.
    """
    before = _carried(ways, group, ())
    gains: dict[tuple[int, int], Floats] = {}
    dark: dict[int, float] = {}
    for lost in dict.fromkeys((*ways.normal(group.a), *ways.normal(group.b))):
        after = _carried(ways, group, (lost,))
        for element, watts in after.items():
            extra = watts - before.get(element, 0.0)
            # What both sides hang on carries no more than before, but for rounding.
            if extra.sum() > EPS:
                gains[lost, element] = np.maximum(extra, 0.0)
        if gone := _dark(ways, group, lost):
            dark[lost] = gone
    return gains, dark


def _carried(ways: Ways, group: Group, lost: Collection[int]) -> dict[int, Floats]:
    found = [ways.way(leaf, lost) if leaf >= 0 else None for leaf in (group.a, group.b)]
    live = sum(way is not None for way in found)
    first = 0 if group.a >= 0 else 1
    out: dict[int, Floats] = {}
    for side, way in enumerate(found):
        if way is not None:
            watts = group.dual[side] / live + (group.single[side] if side == first else 0.0)
            for element in way:
                out[element] = out.get(element, np.zeros(3)) + watts
    return out


def _dark(ways: Ways, group: Group, lost: int) -> float:
    leaves = [leaf for leaf in (group.a, group.b) if leaf >= 0]
    gone = [ways.way(leaf, (lost,)) is None for leaf in leaves]
    first = 0 if group.a >= 0 else 1
    out = float(group.single[first].sum()) if gone and gone[0] else 0.0
    return out + (float(group.dual[first].sum()) if gone and all(gone) else 0.0)
