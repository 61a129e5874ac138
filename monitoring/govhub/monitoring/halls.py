"""Figures of places, and what binds each hall first."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np

from govhub.monitoring.arithmetic.cooling import after_losses
from govhub.monitoring.arithmetic.electrical import unbalance
from govhub.monitoring.arithmetic.failover import feed_load
from govhub.monitoring.arithmetic.figure import Bools, Figure, Floats, largest, total, unknown, worst
from govhub.monitoring.arithmetic.grades import Survives, survives, units_lost
from govhub.monitoring.arithmetic.space import binding, largest_gap, servers_that_fit
from govhub.monitoring.arithmetic.stranded import by_cause, stranded_watts
from govhub.monitoring.columns import Columns


@dataclass(frozen=True, slots=True)
class Server:
    """The machine that room is counted in."""

    units: int = 2
    watts: float = 800.0
    kg: float = 30.0
    outlets: int = 1


@dataclass(frozen=True, slots=True)
class Binding:
    """What runs out first: the resource, and how many servers fit before it does."""

    resource: str
    servers: int
    fits: dict[str, int | None]
    """The same for each resource alone; None where it is unknown."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What meters say: W of each rack, NaN where none answered, and the age of the oldest in seconds."""

    watts: Floats
    age: float | None


class Halls:
    """Figures over any selection of racks."""

    def __init__(self, columns: Columns, server: Server | None = None, measured: Measured | None = None) -> None:
        self.columns = columns
        self.measured = measured or Measured(np.full(len(columns.racks.addresses), np.nan), None)
        self.server = server or Server()
        racks, loads = columns.racks, columns.loads
        self.gap = np.where(loads.positioned, largest_gap(loads.occupied, racks.units), np.nan)
        self.feed_a, self.feed_b = feed_load(columns.feeds)
        server_needs = {
            "power": self.server.watts,
            "breaker": self.server.watts,
            "space": float(self.server.units),
            "weight": self.server.kg,
            "outlets": float(self.server.outlets),
        }
        left = {
            "power": racks.rated - loads.watts,
            "breaker": _least(columns.breakers[0] - self.feed_a, columns.breakers[1] - self.feed_b),
            "space": racks.units - loads.units,
            "weight": racks.max_kg - loads.kg,
            "outlets": racks.outlets - loads.outlets,
        }
        self.fits = servers_that_fit(left, server_needs, self.gap)
        self.cause, self.servers = binding(self.fits)
        self.stranded = stranded_watts(left["power"], self.servers, self.server.watts)

    def figures(self, inside: Bools) -> dict[str, Figure]:
        """The figures of the racks that ``inside`` selects."""
        racks, loads = self.columns.racks, self.columns.loads
        at = np.flatnonzero(inside)
        names = racks.addresses
        used, watts, standard = (loads.machines[at] > 0) * racks.standard[at], loads.watts[at], racks.standard[at]
        breaker_a, breaker_b = (side[at] for side in self.columns.breakers)
        height, rated, budget = racks.units[at].astype(np.float64), racks.rated[at], racks.budget[at]
        return {
            "racks": total(used, standard, "standard racks"),
            "space": total(loads.units[at], height, "U"),
            "space.gap": largest(self.gap[at], height, "U", names, at),
            "weight": total(loads.kg[at], racks.max_kg[at], "kg"),
            "outlets": total(loads.outlets[at], racks.outlets[at], "outlets"),
            "power.rated": total(watts, rated, "W"),
            "power.allocated": total(watts, budget, "W"),
            "power.measured": total(self.measured.watts[at], budget, "W", age=self.measured.age),
            "feed.a": worst(self.feed_a[at], breaker_a, "W", names, at),
            "feed.b": worst(self.feed_b[at], breaker_b, "W", names, at),
            "stranded": total(self.stranded[at], rated - watts, "W"),
        }

    def hall(self, name: str) -> dict[str, Figure]:
        """Figures of a hall as a whole: its power tree after a loss, kind by kind, and its cooling."""
        columns = self.columns
        elements, load = columns.elements, columns.tree_load
        feeding = columns.halls_of_elements[:, columns.halls.index(name)]
        path = survives(columns.tiers[name]) is Survives.PATH
        carried = load.carried(after_loss=path)
        phases = np.where(np.isnan(carried), np.nan, (load.peaks if path else load.normal).max(axis=1, initial=0.0))
        out: dict[str, Figure] = {}
        for number, kind in enumerate(elements.kind_names):
            mine = np.flatnonzero(feeding & (elements.kind == number))
            if len(mine):
                out[f"failover.{kind}"] = worst(carried[mine], elements.capacity[mine], "W", elements.names, mine)
                if kind in ("busway", "pdu"):
                    deviation, mean = unbalance(np.where(np.isnan(carried[mine, None]), np.nan, load.normal[mine]))
                    out[f"balance.{kind}"] = worst(deviation, mean, "W", elements.names, mine)
                    # Three equal phases carry a third each: one may be full long before the element is.
                    out[f"phase.{kind}"] = worst(phases[mine], elements.capacity[mine] / 3, "W", elements.names, mine)
        if not feeding.any():
            out["failover"] = unknown("W")
        out["cooling"] = self.cooling(name)
        return out

    def cooling(self, name: str) -> Figure:
        """Heat of a hall against the cooling that is left when its grade's units stand still."""
        columns = self.columns
        units = columns.cooling.get(name)
        if units is None:
            return unknown("W")
        heat = float(columns.loads.watts[columns.racks.hall == columns.halls.index(name)].sum())
        return after_losses(heat, units, units_lost(columns.tiers[name]))

    def binds(self, name: str) -> Binding | None:
        """What runs out first in a hall; None when no resource is known.

        Racks count one by one; power elements and cooling have room for the hall as a whole, each hall for itself.
        """
        columns = self.columns
        place = columns.halls.index(name)
        inside = columns.racks.hall == place
        budget = float((columns.racks.budget - columns.loads.watts)[inside].sum())
        fits: dict[str, int | None] = {"budget": max(floor(budget / self.server.watts), 0)}
        for resource, servers in self.fits.items():
            known = servers[inside]
            fits[resource] = None if np.isnan(known).any() else int(known.sum())
        for kind, room in self._tree_room(place).items():
            fits[kind] = None if np.isnan(room) else max(floor(room / self.server.watts + 1e-9), 0)
        cooling = self.cooling(name)
        whole = cooling.known == cooling.parts and cooling.room is not None
        fits["cooling"] = max(floor((cooling.room or 0.0) / self.server.watts), 0) if whole else None
        # One rack may be full by weight and the next one by power: together they hold less than either says.
        racks, causes = self.servers[inside], self.cause[inside]
        counted = [name for name in self.fits if fits[name] is not None]
        if counted and not np.isnan(racks).any():
            common = list(self.fits)[int(np.bincount(causes[causes >= 0], minlength=len(self.fits)).argmax())]
            fits[common] = int(racks.sum())
        told = {resource: servers for resource, servers in fits.items() if servers is not None}
        if not told:
            return None
        first = min(told, key=lambda resource: told[resource])
        return Binding(first, told[first], fits)

    def stranded_by_cause(self, inside: Bools) -> dict[str, float]:
        """Stranded W of the racks that ``inside`` selects, by what binds them."""
        return by_cause(self.stranded[inside], self.cause[inside], list(self.fits))

    def _tree_room(self, hall: int) -> dict[str, float]:
        """W that each kind of element still carries for a hall, on its weaker side; NaN where one is unknown."""
        columns = self.columns
        elements, load = columns.elements, columns.tree_load
        carried = load.carried(after_loss=survives(columns.tiers[columns.halls[hall]]) is Survives.PATH)
        room = np.maximum(elements.capacity - carried, 0.0)
        out: dict[str, float] = {}
        for leaf in (columns.feeds.a, columns.feeds.b):
            at = {int(item) for item in np.unique(leaf[(columns.racks.hall == hall) & (leaf >= 0)])}
            members = np.array(sorted({item for start in at for item in columns.tree.above(start)}), dtype=np.int64)
            for number in np.unique(elements.kind[members]):
                kind = elements.kind_names[number]
                watts = float(room[members][elements.kind[members] == number].sum())
                out[kind] = watts if kind not in out else float(np.minimum(out[kind], watts))
        return out


def _least(one: Floats, other: Floats) -> Floats:
    """The smaller of both; a side that has no feed does not count, one whose breaker is unknown makes it unknown."""
    return np.fmin(one, other)
