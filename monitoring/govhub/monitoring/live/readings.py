"""Watts of racks as meters tell them, and what speaks against believing one.

A rack is known when every feed that it is declared to have tells a plausible value of now. Everything else is unknown,
with a problem that says why: a meter that is silent, stuck, negative or a thousandfold off must never become a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from govhub.core.errors import GovhubError
from govhub.core.text import and_more
from govhub.monitoring.arithmetic.figure import Bools, Figure, Floats, Ints, summed
from govhub.monitoring.arithmetic.tree import rolled_up
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Measured
from govhub.monitoring.prometheus import Prometheus, Sample, quoted

METRIC = "govhub_meter_rack_power_watts"
UNREAD = "govhub_meter_unread"
MOST_AGE = 300.0
"""Seconds after which a value says nothing of now; Prometheus itself takes a series for gone after as many."""
AHEAD = 5.0
"""Seconds that a sample may be ahead of the clock of Prometheus: one rounds, the other does not."""
CLOCKS = 60.0
"""Seconds that two clocks may differ before that is told."""
STUCK = 900.0
"""Seconds without any change after which a meter with a load is taken for stuck, while others move."""
BREAKER = 1.5
"""Times its breaker that a feed cannot carry for long (IEC 60898-1: a breaker trips at 1.45 times within the hour)."""
RATED = 3.0
"""Times its rating that a rack cannot draw, where no breaker is known."""
FLOOR = 0.02
"""Share of the declared draw below which a value is not a load but another unit, or machines that are off."""
FLOWS = 0.3
"""Share of the declared draw that is left on one feed when the other one is lost: idle servers draw that much."""
TWICE = 0.1
"""How far two meters of one feed may differ."""
FEW = 3


@dataclass(frozen=True)
class Readings:
    """What meters say of racks, in the order of the columns."""

    racks: Floats
    """W of each rack; NaN where unknown."""
    age: Floats
    """Seconds since the oldest value of each rack; NaN where unknown."""
    problems: list[str]
    """Why what is unknown is: a code, how many, and where."""
    sides: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    """W of each rack's feed of side A and B, shape ``(2, racks)``; NaN where none or not believed."""

    @property
    def measured(self) -> Measured:
        """For ``Halls``: the oldest age stands for all."""
        known = self.age[~np.isnan(self.age)]
        return Measured(self.racks, float(known.max()) if len(known) else None)


def nothing(columns: Columns, problems: Sequence[str] = ()) -> Readings:
    """Readings of which nothing is known."""
    count = len(columns.racks.addresses)
    return Readings(np.full(count, np.nan), np.full(count, np.nan), list(problems), np.full((2, count), np.nan))


def read(client: Prometheus, columns: Columns, now: float, *, stuck_seconds: float = STUCK) -> Readings:
    """Ask Prometheus for the power of every rack of a hub.

    Never raises: a Prometheus that is away, slow or something else makes everything unknown, with the reason.

    Args:
        client: Where to ask.
        columns: The hub.
        now: Unix time of this machine.
        stuck_seconds: How long a meter may not move.
    """
    try:
        found = client.instant(_queries(columns.hub.name, stuck_seconds))
        return _believed(found, columns, now, stuck_seconds)
    except GovhubError as error:
        first = error.diagnostics[0]
        return nothing(columns, [f"{first.code} {first.summary}"])


def element_watts(readings: Readings, columns: Columns) -> tuple[Floats, Ints, Ints]:
    """Measured W of each power element, and how many of how many feeds below it are known.

    The sum over known feeds; NaN where none is. What is drawn between the meters and the element (losses) is not in it.
    """
    parents = columns.elements.parents
    count = len(parents)
    watts, known, parts = np.zeros(count), np.zeros(count), np.zeros(count)
    for leaf, side in zip((columns.feeds.a, columns.feeds.b), readings.sides, strict=True):
        fed = leaf >= 0
        told = fed & ~np.isnan(side)
        watts += summed(leaf[told], side[told], count)
        known += summed(leaf[told], np.ones(int(told.sum())), count)
        parts += summed(leaf[fed], np.ones(int(fed.sum())), count)
    rolled = [rolled_up(values, parents) for values in (watts, known, parts)]
    return np.where(rolled[1] > 0, rolled[0], np.nan), rolled[1].astype(np.int64), rolled[2].astype(np.int64)


def element_figures(readings: Readings, columns: Columns) -> list[Figure]:
    """What is measured of each power element, of its capacity; a sum over some of its feeds is no figure."""
    age = readings.measured.age
    return [
        Figure(
            unit="W",
            numerator=watts if known == parts and known else None,
            denominator=None if np.isnan(capacity) else capacity,
            known=known,
            parts=parts,
            age=age,
        )
        for watts, known, parts, capacity in zip(
            *(values.tolist() for values in (*element_watts(readings, columns), columns.elements.capacity)), strict=True
        )
    ]


def _queries(hub: str, stuck: float) -> dict[str, str]:
    power = f"{METRIC}{{hub={quoted(hub)}}}"
    window = f"{max(int(stuck), 1)}s"
    old = f"(({power} != 0) and ({power} offset {window}))"
    return {
        "watts": power,
        "stamps": f"timestamp({power})",
        "stuck": f"{old} and (changes({power}[{window}]) == 0)",
        "loaded": f"count({old})",
        "unread": f"count by (unit, status) ({UNREAD}{{hub={quoted(hub)}}})",
        "time": "vector(time())",
    }


class _Feeds:
    """Values of feeds by side and rack, while they are looked at."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        count = len(columns.racks.addresses)
        self.watts = np.full((2, count), np.nan)
        self.age = np.full((2, count), np.nan)
        declared = np.stack([columns.feeds.a >= 0, columns.feeds.b >= 0])
        # Of a rack without declared feeds nobody knows how many meters it should have: it takes both.
        self.expected: Bools = declared | ~declared.any(axis=0)
        self.problems: list[str] = []

    def at(self, sample: Sample) -> tuple[int, int] | None:
        """Side and rack of a sample; None for one of no rack of this hub."""
        get = sample.labels.get
        rack = self.columns.place.get(f"{get('site')}/{get('hall')}/{get('row')}/{get('rack')}")
        side = {"a": 0, "b": 1}.get(get("side", ""))
        return None if rack is None or side is None else (side, rack)

    def reject(self, wrong: Bools, code: str, what: str) -> None:
        """Make feeds unknown and say so; ``wrong`` has the shape of ``watts``."""
        if wrong.any():
            self.told(code, f"{what}: {self.named(wrong)}")
            self.watts[wrong] = np.nan

    def told(self, code: str, what: str) -> None:
        """Keep a problem."""
        self.problems.append(f"{code} {what}")

    def named(self, wrong: Bools) -> str:
        """How many feeds, and the first of them."""
        names = self.columns.racks.addresses
        found = [f"{names[rack]} {'AB'[side]}" for rack, side in np.argwhere(wrong.T)]
        return f"{len(found):,} of {int(self.expected.sum()):,} feeds ({and_more(found, FEW)})"


def _believed(found: dict[str, list[Sample]], columns: Columns, now: float, stuck: float) -> Readings:
    feeds = _Feeds(columns)
    _clock(found["time"], now, feeds)
    strangers, twice = _placed(found["watts"], feeds)
    silent = feeds.expected & np.isnan(feeds.watts) & ~twice
    _unread(found["unread"], feeds)
    feeds.reject(silent, "MTR011", "silent or never metered")
    _stamped(found["stamps"], feeds)
    with np.errstate(invalid="ignore"):
        feeds.reject(feeds.watts < 0, "MTR012", "negative")
    feeds.reject(np.isinf(feeds.watts), "MTR012", "infinite")
    _not_moving(found["stuck"], found["loaded"], feeds, stuck)
    _units(feeds)
    if strangers:
        feeds.told("MTR018", f"of racks that this hub does not have: {strangers:,} feeds")
    return _summed(feeds)


def _clock(samples: list[Sample], now: float, feeds: _Feeds) -> None:
    if samples and abs(ahead := samples[0].value - now) > CLOCKS:
        word = "ahead of" if ahead > 0 else "behind"
        feeds.told("MTR010", f"the clock of Prometheus is {abs(ahead):,.0f} s {word} that of this machine")


def _placed(samples: list[Sample], feeds: _Feeds) -> tuple[int, Bools]:
    """Put values to their feeds; returns how many are of no rack of the hub, and which feeds are told twice."""
    strangers = 0
    twice = np.zeros(feeds.watts.shape, dtype=bool)
    for sample in samples:
        place = feeds.at(sample)
        if place is None:
            strangers += 1
            continue
        before = feeds.watts[place]
        if not np.isnan(before) and abs(before - sample.value) > TWICE * max(abs(before), abs(sample.value), 1.0):
            twice[place] = True
        feeds.watts[place] = sample.value
    feeds.reject(twice, "MTR017", "told twice, with different values")
    feeds.expected |= ~np.isnan(feeds.watts) | twice
    return strangers, twice


def _unread(samples: list[Sample], feeds: _Feeds) -> None:
    for sample in samples:
        unit, status = sample.labels.get("unit", ""), sample.labels.get("status", "")
        kind, _, scale = unit.partition(";")
        why = f"state {status}" if status != "1" else f"type {kind}, scale and precision {scale.replace(';', ' and ')}"
        feeds.told("MTR016", f"sensors that are not read ({why} in RFC 3433): {sample.value:,.0f}")


def _stamped(samples: list[Sample], feeds: _Feeds) -> None:
    """Ages by the clock of Prometheus; what is old or of the future says nothing of now."""
    for sample in samples:
        if place := feeds.at(sample):
            age = sample.at - sample.value
            feeds.age[place] = np.fmax(feeds.age[place], age) if age >= -AHEAD else age
    known = ~np.isnan(feeds.watts)
    with np.errstate(invalid="ignore"):
        feeds.reject(known & (feeds.age < -AHEAD), "MTR014", "of the future: a clock on the way is off")
        feeds.reject(known & ~(feeds.age <= MOST_AGE), "MTR011", f"older than {MOST_AGE:g} s, or of no known age")


def _not_moving(stuck: list[Sample], loaded: list[Sample], feeds: _Feeds, seconds: float) -> None:
    still = np.zeros(feeds.watts.shape, dtype=bool)
    for sample in stuck:
        if place := feeds.at(sample):
            still[place] = not np.isnan(feeds.watts[place])
    moving = (loaded[0].value if loaded else 0.0) - len(stuck)
    if moving >= len(stuck):
        feeds.reject(still, "MTR013", f"stuck for {seconds:g} s while others move")
    elif still.any():
        # When most stand still it may be their resolution: nobody can say that they are wrong.
        what = f"without any change for {seconds:g} s, as most: {feeds.named(still)}; they may be stuck"
        feeds.told("MTR013", what)


def _units(feeds: _Feeds) -> None:
    """Values a thousandfold too high or too low for what the rack is built for and holds."""
    columns = feeds.columns
    breakers = np.stack(columns.breakers)
    limit = np.where(np.isnan(breakers), RATED * columns.racks.rated, BREAKER * breakers)
    with np.errstate(invalid="ignore"):
        feeds.reject(feeds.watts > limit, "MTR015", "more than the feed can carry: another unit than W?")
        declared, whole = columns.loads.watts, (~feeds.expected | ~np.isnan(feeds.watts)).all(axis=0)
        total = np.nansum(feeds.watts, axis=0)
        off = whole & (declared > 0) & (total < FLOOR * declared)
        low, high = feeds.watts.min(axis=0), feeds.watts.max(axis=0)
        lame = (columns.loads.dual > 0) & (low < FLOOR * high) & (total < FLOWS * declared)
    what = "next to nothing where machines are declared: off, or another unit than W"
    feeds.reject(feeds.expected & ~np.isnan(feeds.watts) & (off | lame), "MTR015", what)


def _summed(feeds: _Feeds) -> Readings:
    """Racks of which every expected feed is known."""
    known = ~np.isnan(feeds.watts)
    whole = (known | ~feeds.expected).all(axis=0) & known.any(axis=0)
    ages = np.where(known, np.maximum(feeds.age, 0.0), -np.inf).max(axis=0)
    return Readings(
        racks=np.where(whole, np.nansum(feeds.watts, axis=0), np.nan),
        age=np.where(whole, ages, np.nan),
        problems=feeds.problems,
        sides=feeds.watts,
    )
