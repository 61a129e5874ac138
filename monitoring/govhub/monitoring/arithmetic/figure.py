"""A figure: numerator, denominator, unit, how much of it is known, and how old it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is used of what there is; never a bare percentage.

    ``numerator`` and ``denominator`` are sums over the same ``known`` of ``parts`` parts, so that their ratio holds for
    these whatever the others are. None is unknown. ``age`` is in seconds since the oldest measurement; None when the
    figure is declared and not measured.
    """

    unit: str
    numerator: float | None
    denominator: float | None
    known: int
    parts: int
    age: float | None = None
    at: str = ""
    """Which part this is the figure of, when it is the worst of several."""

    @property
    def ratio(self) -> float | None:
        """Numerator by denominator; None when one is unknown or there is nothing to be a part of."""
        if self.numerator is None or not self.denominator:
            return None
        return self.numerator / self.denominator

    @property
    def room(self) -> float | None:
        """What is left; negative when there is too much."""
        if self.numerator is None or self.denominator is None:
            return None
        return self.denominator - self.numerator

    @property
    def coverage(self) -> float | None:
        """The known part of the parts, 0 to 1; None when there are no parts."""
        return self.known / self.parts if self.parts else None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: the ratio and the coverage come with what they are made of."""
        out: dict[str, Any] = {
            "numerator": _round(self.numerator),
            "denominator": _round(self.denominator),
            "unit": self.unit,
            "ratio": _round(self.ratio, 4),
            "coverage": {"known": self.known, "of": self.parts, "ratio": _round(self.coverage, 4)},
            "age_seconds": _round(self.age),
        }
        return out | ({"at": self.at} if self.at else {})


def unknown(unit: str, parts: int = 1) -> Figure:
    """A figure of which nothing is known."""
    return Figure(unit=unit, numerator=None, denominator=None, known=0, parts=parts)


def amount(value: float | None, of: float | None, unit: str) -> Figure:
    """A figure of one part."""
    known = value is not None and of is not None
    return Figure(unit=unit, numerator=value, denominator=of, known=int(known), parts=1)


def total(used: Floats, limit: Floats, unit: str, *, age: float | None = None) -> Figure:
    """The sums over the parts of which both sides are known.

    Sums, not an average of ratios: a full small rack and an empty large one are not half full together.

    Args:
        used: what each part uses; NaN where unknown.
        limit: what each part has, of the same length.
        unit: of both.
        age: seconds since the oldest measurement.
    """
    known = ~(np.isnan(used) | np.isnan(limit))
    count = int(known.sum())
    if not count:
        return Figure(unit=unit, numerator=None, denominator=None, known=0, parts=len(used), age=age)
    sums = float(used[known].sum()), float(limit[known].sum())
    return Figure(unit=unit, numerator=sums[0], denominator=sums[1], known=count, parts=len(used), age=age)


def worst(used: Floats, limit: Floats, unit: str, names: Sequence[str], places: Ints | None = None) -> Figure:
    """The part with the largest ratio; the first of equals, and unknown ones are left to the coverage.

    Args:
        used: what each part uses; NaN where unknown.
        limit: what each part has.
        unit: of both.
        names: of the parts, or with ``places`` of more than these.
        places: each part's place in ``names``.
    """
    known = ~(np.isnan(used) | np.isnan(limit))
    count = int(known.sum())
    if not count:
        return unknown(unit, len(used))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(known, np.where(limit > 0, used / limit, np.where(used > 0, np.inf, 0.0)), -np.inf)
    place = int(np.argmax(ratios))
    return Figure(
        unit=unit,
        numerator=float(used[place]),
        denominator=float(limit[place]),
        known=count,
        parts=len(used),
        at=_name(names, places, place),
    )


def summed(places: Ints, values: Floats, count: int) -> Floats:
    """The sums of ``values`` by place, of ``count`` places."""
    return np.bincount(places, weights=values, minlength=count).astype(np.float64)


def largest(values: Floats, limit: Floats, unit: str, names: Sequence[str], places: Ints | None = None) -> Figure:
    """The part with the largest value, and its limit; the first of equals. Arguments as those of ``worst``."""
    known = ~(np.isnan(values) | np.isnan(limit))
    if not known.any():
        return unknown(unit, len(values))
    place = int(np.argmax(np.where(known, values, -np.inf)))
    sides = float(values[place]), float(limit[place])
    count, at = int(known.sum()), _name(names, places, place)
    return Figure(unit=unit, numerator=sides[0], denominator=sides[1], known=count, parts=len(values), at=at)


def together(figures: Iterable[Figure]) -> Figure:
    """Figures of one unit as one: sums of both sides, the oldest age.

    Raises:
        ValueError: the units differ, or there is no figure.
    """
    found = list(figures)
    units = {figure.unit for figure in found}
    if len(units) != 1:
        raise ValueError(f"figures of {len(units)} units are no figure")
    told = [figure for figure in found if figure.numerator is not None and figure.denominator is not None]
    ages = [figure.age for figure in found if figure.age is not None]
    return Figure(
        unit=units.pop(),
        numerator=sum(figure.numerator or 0.0 for figure in told) if told else None,
        denominator=sum(figure.denominator or 0.0 for figure in told) if told else None,
        known=sum(figure.known for figure in found),
        parts=sum(figure.parts for figure in found),
        age=max(ages, default=None),
    )


def _name(names: Sequence[str], places: Ints | None, place: int) -> str:
    return names[place if places is None else int(places[place])]


def _round(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
