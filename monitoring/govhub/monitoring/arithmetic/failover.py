"""Load of the power tree: as it is, and after the worst single loss above."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from govhub.monitoring.arithmetic.figure import Bools, Floats, Ints, summed
from govhub.monitoring.arithmetic.switching import Group, Ways, below_switches, moved
from govhub.monitoring.arithmetic.tree import lineage, rolled_up

THREE_PHASE = 3
"""In a column of phases: the feed loads all three alike."""


@dataclass(frozen=True, slots=True)
class RackFeeds:
    """Columns of equal length, one entry a rack.

    ``a`` and ``b`` are the elements that feed each side, -1 for none; ``phase_a`` and ``phase_b`` are 0, 1, 2, or
    ``THREE_PHASE``. ``dual`` is the draw in W of machines with a supply on each side, ``single`` of those on side A
    (or on the only side there is). NaN is unknown and counts for nothing here: coverage tells.
    """

    a: Ints
    b: Ints
    phase_a: Ints
    phase_b: Ints
    dual: Floats
    single: Floats


@dataclass(frozen=True, slots=True)
class TreeLoad:
    """W on each element and phase: shape ``(elements, 3)``."""

    normal: Floats
    failover: Floats
    """After the single loss elsewhere that puts most on the element as a whole."""
    peaks: Floats
    """After the single loss elsewhere that puts most on each phase: that need not be one loss for all three."""
    lost: Ints
    """Which element's loss that is; -1 when none adds to it."""
    dark: Floats
    """W that go dark when the element is lost: shape ``(elements,)``."""
    known: Ints
    """Racks below the element whose draw is known: with fewer than ``racks``, its load is a lower bound."""
    racks: Ints
    """Racks below the element, those of both sides counted once a side."""

    def carried(self, *, after_loss: bool) -> Floats:
        """W on each element over its three phases; NaN where not all racks below are known."""
        watts = (self.failover if after_loss else self.normal).sum(axis=1)
        return np.where(self.known == self.racks, watts, np.nan)


def tree_load(parents: Ints, feeds: RackFeeds, alternates: Ints | None = None) -> TreeLoad:
    """Normal load and the load after the worst single loss, for all elements together.

    Machines with two supplies share their draw between both sides and put all of it on the side that is left
    (Uptime Institute, Tier Standard: Topology, 2N; ASHRAE TC 9.9). A loss takes an element with everything below it.
    For each pair of feeds, an element ``x`` above the lost side and ``y`` above the other one: ``y`` gains the lost
    half, unless it carried that before (both sides meet in it). Gains are summed by ``(x, y)``, and ``y`` keeps the
    largest. Work grows with pairs of feeds × depth², not with racks × losses. Below transfer switches each loss is
    followed by itself (``switching``).

    Args:
        parents: each element's element above, -1 at the top.
        feeds: of the racks.
        alternates: what transfer switches change to, -1 of all else; none when left out.

    Raises:
        ValueError: the parents form a circle.
    """
    count = len(parents)
    half, alone = _shares(feeds)
    leaves = np.zeros((count, 3))
    for leaf, phase, watts in ((feeds.a, feeds.phase_a, half + alone[0]), (feeds.b, feeds.phase_b, half + alone[1])):
        _put(leaves, leaf, phase, watts)
    normal = rolled_up(leaves, parents)
    pairs, watts, dark = _losses(parents, feeds, alternates)
    lost, extra = _largest(pairs, watts, count)
    peaks = np.zeros((count, 3))
    if len(pairs):
        np.maximum.at(peaks, pairs % count, watts)
    told = ~(np.isnan(feeds.dual) | np.isnan(feeds.single))
    known, racks = (_counted(parents, feeds, wanted, alternates) for wanted in (told, np.ones_like(told)))
    return TreeLoad(normal, normal + extra, normal + peaks, lost, dark, known, racks)


def transfers(parents: Ints, feeds: RackFeeds, alternates: Ints | None = None) -> tuple[Ints, Floats]:
    """What each single loss moves: distinct ``lost × elements + gaining`` in ascending order, and W a phase of each.

    Raises:
        ValueError: the parents form a circle.
    """
    return _losses(parents, feeds, alternates)[:2]


def _losses(parents: Ints, feeds: RackFeeds, alternates: Ints | None) -> tuple[Ints, Floats, Floats]:
    """``transfers``, and W that go dark with each element."""
    switched = np.zeros(len(feeds.a), dtype=bool)
    if alternates is not None and (alternates >= 0).any():
        below = below_switches(parents, alternates)
        for leaf in (feeds.a, feeds.b):
            switched |= (leaf >= 0) & below[leaf]
    plain = feeds
    if switched.any():
        a, b = (np.where(switched, -1, leaf) for leaf in (feeds.a, feeds.b))
        plain = replace(feeds, a=a, b=b)
    above, (half, alone) = lineage(parents), _shares(plain)
    gains = [
        _gains(above, (plain.a, plain.b), plain.phase_b, half),
        _gains(above, (plain.b, plain.a), plain.phase_a, half),
    ]
    dark = _dark(above, plain, alone, half, len(parents))
    if alternates is not None and switched.any():
        gains.append(_switched(Ways(parents.tolist(), alternates.tolist()), feeds, switched, dark))
    keys = np.concatenate([keys for keys, _ in gains])
    watts = np.concatenate([watts for _, watts in gains])
    pairs, place = np.unique(keys, return_inverse=True)
    sums = [np.bincount(place, weights=watts[:, number], minlength=len(pairs)) for number in range(3)]
    return pairs, np.stack(sums, axis=1), dark


def _switched(ways: Ways, feeds: RackFeeds, racks: Bools, dark: Floats) -> tuple[Ints, Floats]:
    """Gains of racks below transfer switches, as ``_gains``; what goes dark is added to ``dark``."""
    count = len(dark)
    at = np.flatnonzero(racks)
    pairs, place = np.unique(np.stack([feeds.a[at], feeds.b[at]], axis=1), axis=0, return_inverse=True)
    place = place.ravel()
    sums = [
        _phases(np.nan_to_num(watts[at]), phase[at], place, len(pairs))
        for watts in (feeds.dual, feeds.single)
        for phase in (feeds.phase_a, feeds.phase_b)
    ]
    keys, rows = [], []
    for number, (a, b) in enumerate(pairs.tolist()):
        each = [table[number] for table in sums]
        gains, gone = moved(ways, Group(a, b, (each[0], each[1]), (each[2], each[3])))
        for (lost, gaining), watts in gains.items():
            keys.append(lost * count + gaining)
            rows.append(watts)
        for lost, watts_dark in gone.items():
            dark[lost] += watts_dark
    return np.array(keys, dtype=np.int64), np.array(rows, dtype=np.float64).reshape(-1, 3)


def _phases(watts: Floats, phase: Ints, place: Ints, count: int) -> Floats:
    """W on each phase of each place: shape ``(count, 3)``."""
    out = np.zeros((count, 3))
    for number in range(3):
        part = watts * np.where(phase == number, 1.0, np.where(phase == THREE_PHASE, 1 / 3, 0.0))
        out[:, number] = np.bincount(place, weights=part, minlength=count)
    return out


def feed_load(feeds: RackFeeds) -> tuple[Floats, Floats]:
    """W on each rack's own feed of side A and B after the other one is lost; NaN where none or unknown.

    With both supplies alive each feed carries half: two feeds of 2N at 50 % of their breakers are full.
    """
    half, alone = _shares(feeds)
    both = (feeds.a >= 0) & (feeds.b >= 0)
    after = np.where(both, 2 * half, half)
    told = ~(np.isnan(feeds.dual) | np.isnan(feeds.single))
    a = np.where((feeds.a >= 0) & told, after + alone[0], np.nan)
    return a, np.where((feeds.b >= 0) & told, after + alone[1], np.nan)


def _shares(feeds: RackFeeds) -> tuple[Floats, tuple[Floats, Floats]]:
    """Half of what both sides share, and what hangs on each side alone."""
    dual, single = np.nan_to_num(feeds.dual), np.nan_to_num(feeds.single)
    has_a, has_b = feeds.a >= 0, feeds.b >= 0
    half = np.where(has_a & has_b, dual / 2, 0.0)
    on_a = np.where(has_a, single + np.where(has_b, 0.0, dual), 0.0)
    on_b = np.where(has_b & ~has_a, single + dual, 0.0)
    return half, (on_a, on_b)


def _counted(parents: Ints, feeds: RackFeeds, wanted: Bools, alternates: Ints | None) -> Ints:
    """How many of the wanted racks each element feeds, or would feed after a transfer."""
    leaves = np.zeros(len(parents))
    for leaf in (feeds.a, feeds.b):
        leaves += np.bincount(leaf[(leaf >= 0) & wanted], minlength=len(parents))
    out = rolled_up(leaves, parents)
    if alternates is not None and (alternates >= 0).any():
        more = np.zeros(len(parents))
        np.add.at(more, alternates[alternates >= 0], out[alternates >= 0])
        out += rolled_up(more, parents)
    return out.astype(np.int64)


def _put(into: Floats, leaf: Ints, phase: Ints, watts: Floats) -> None:
    fed = leaf >= 0
    for number in range(3):
        part = np.where(phase == number, watts, np.where(phase == THREE_PHASE, watts / 3, 0.0))
        into[:, number] += summed(leaf[fed], part[fed], len(into))


def _gains(above: Ints, sides: tuple[Ints, Ints], phase: Ints, half: Floats) -> tuple[Ints, Floats]:
    """``lost × elements + gaining`` and W a phase of every such pair, when the first side is lost."""
    count = len(above)
    mine, other = sides
    moving = (mine >= 0) & (other >= 0) & (half > 0)
    pairs, place = np.unique(mine[moving] * count + other[moving], return_inverse=True)
    watts = np.zeros((len(pairs), 3))
    for number in range(3):
        part = half[moving] * np.where(phase[moving] == number, 1.0, np.where(phase[moving] == THREE_PHASE, 1 / 3, 0.0))
        watts[:, number] = np.bincount(place, weights=part, minlength=len(pairs))
    lost, gaining = above[pairs // count] if count else above, above[pairs % count] if count else above
    keys, loads = [], []
    for x in lost.T:
        shared = (x[:, None] == gaining).any(axis=1)
        for y in gaining.T:
            # What both sides hang on gains nothing, and its loss leaves no other side.
            met = (y[:, None] == lost).any(axis=1)
            real = (x >= 0) & (y >= 0) & ~shared & ~met
            keys.append(x[real] * count + y[real])
            loads.append(watts[real])
    empty = np.zeros(0, dtype=np.int64), np.zeros((0, 3))
    return (np.concatenate(keys), np.concatenate(loads)) if keys else empty


def _largest(pairs: Ints, sums: Floats, count: int) -> tuple[Ints, Floats]:
    """For each element the loss that adds most to it, and what it adds."""
    lost, extra = np.full(count, -1, dtype=np.int64), np.zeros((count, 3))
    if not len(pairs):
        return lost, extra
    # Ascending by what is added; among equals the first element by number is written last and stays.
    order = np.lexsort((-(pairs // count), sums.sum(axis=1)))
    gaining = (pairs % count)[order]
    extra[gaining] = sums[order]
    lost[gaining] = (pairs // count)[order]
    return lost, extra


def _dark(above: Ints, feeds: RackFeeds, alone: tuple[Floats, Floats], half: Floats, count: int) -> Floats:
    """W without any supply when an element is lost: what hangs on one side, and what meets in the element."""
    dark = np.zeros(count)
    for leaf, watts in ((feeds.a, alone[0]), (feeds.b, alone[1])):
        fed = (leaf >= 0) & (watts > 0)
        for column in above[leaf[fed]].T:
            real = column >= 0
            dark += np.bincount(column[real], weights=watts[fed][real], minlength=count)
    both = half > 0
    mine, other = above[feeds.a[both]], above[feeds.b[both]]
    for column in mine.T:
        met = (column >= 0) & (column[:, None] == other).any(axis=1)
        dark += np.bincount(column[met], weights=2 * half[both][met], minlength=count)
    return dark
