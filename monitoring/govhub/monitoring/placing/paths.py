"""What one W more in a rack does to every element above it, as it is and after each single loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from govhub.monitoring.arithmetic.failover import THREE_PHASE
from govhub.monitoring.arithmetic.switching import Ways

EPS = 1e-12
METERS = 4
"""Per element: the whole, and its three phases. Meter ``4 · element`` is the whole."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a rack is fed: the element and phase of each side, -1 for none."""

    a: int
    b: int
    phase_a: int
    phase_b: int


@dataclass(frozen=True, slots=True)
class Share:
    """W on each meter for one W more in the rack."""

    normal: dict[int, float]
    moved: dict[int, dict[int, float]]
    """By meter and lost element: what that loss adds."""


class Lines:
    """The ways of a power tree, and what a rack's W do to the meters on them."""

    def __init__(self, parents: Sequence[int], alternates: Sequence[int]) -> None:
        self._ways = Ways(parents, alternates)

    def share(self, way: Way, cords: int) -> Share:
        """The shares of a machine with ``cords`` supplies, by the definition: each loss that concerns it, by itself."""
        sides = [side for side in ((way.a, way.phase_a), (way.b, way.phase_b)) if side[0] >= 0]
        if cords == 1:
            sides = sides[:1]
        normal = self._carried(sides, ())
        moved: defaultdict[int, dict[int, float]] = defaultdict(dict)
        for lost in dict.fromkeys(item for leaf, _ in sides for item in self._ways.normal(leaf)):
            after = self._carried(sides, (lost,))
            for meter, watts in after.items():
                whole = meter - meter % METERS
                # What both sides hang on carries no more than before, whatever moves from phase to phase.
                if after[whole] > normal.get(whole, 0.0) + EPS and watts > normal.get(meter, 0.0) + EPS:
                    moved[meter][lost] = watts - normal.get(meter, 0.0)
        return Share(normal, dict(moved))

    def _carried(self, sides: Sequence[tuple[int, int]], lost: Collection[int]) -> dict[int, float]:
        """W on each meter of one W in the rack."""
        ways = [(self._ways.way(leaf, lost), phase) for leaf, phase in sides]
        live = sum(way is not None for way, _ in ways)
        out: defaultdict[int, float] = defaultdict(float)
        for way, phase in ways:
            for element in way or ():
                for meter, weight in _meters(element, phase):
                    out[meter] += weight / live
        return dict(out)


def _meters(element: int, phase: int) -> list[tuple[int, float]]:
    """The meters that a feed on ``phase`` turns, with the part of its W."""
    first = METERS * element
    if phase == THREE_PHASE:
        return [(first, 1.0), *((first + 1 + number, 1 / 3) for number in range(3))]
    return [(first, 1.0), (first + 1 + phase, 1.0)]
