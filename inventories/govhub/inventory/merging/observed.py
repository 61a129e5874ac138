"""What another system says of a hub: one form for all of them, item by item, before patterns are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from govhub.inventory.merging.naming import short
from govhub.inventory.model.common import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """A site: its name for people, and the region it says it is in."""

    title: str
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RackFacts:
    """A rack; None is what the other system does not say."""

    units: int | None = None
    rated_kw: float | None = None
    max_kg: float | None = None
    outlets: int | None = None
    """Outlets of each side."""
    ports: int | None = None
    standard_racks: float | None = None

    @property
    def known(self) -> dict[str, Any]:
        """What is said, by key of the model."""
        found = {name: getattr(self, name) for name in RACK_KEYS}
        return {name: short(value) for name, value in found.items() if value is not None}


RACK_KEYS = ("units", "rated_kw", "max_kg", "outlets", "ports", "standard_racks")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFacts:
    """A type of device; ``watts`` is the draw of one side of redundant supplies."""

    kind: str = "other"
    units: int = 1
    watts: float | None = None
    kg: float | None = None
    cords: int | None = None
    ports: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""
    """Why a figure is an assumption; empty when none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """A device in its rack."""

    rack: str
    type: str
    role: str = "none"
    """The place in the network, as ``devices`` name it."""
    unit: int | None = None
    serial: str = ""
    model: str = ""
    host: Mapping[str, Any] | None = None
    """What a new ``hosts`` entry needs beside its place, when the other system says it; else it counts as a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFacts:
    """One side of a rack's supply."""

    element: str
    breaker_amps: float | None = None
    volts: float = 220
    phases: int = 1
    derating: float = 1.0


Link = tuple[str, str, float, str]
"""Lower end, upper end, Gbit/s, media (empty when unknown)."""


@dataclass(slots=True)
class Observed:
    """Everything that is said, by the names that the hub's files use."""

    source: str
    """What says it, for reasons and messages."""
    sites: dict[Name, SiteFacts] = field(default_factory=dict)
    racks: dict[str, RackFacts] = field(default_factory=dict)
    """By address."""
    types: dict[str, TypeFacts] = field(default_factory=dict)
    machines: dict[str, MachineFacts] = field(default_factory=dict)
    elements: dict[str, str] = field(default_factory=dict)
    """Elements that feed racks, with their kind."""
    feeds: dict[tuple[str, str], FeedFacts] = field(default_factory=dict)
    """By rack and side."""
    links: dict[Link, int] = field(default_factory=dict)
    """How many there are of each."""
    circuits: dict[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that the import does to the hub."""

    op: str
    """``add`` or ``change``."""
    what: str
    """What kind of thing it is: a section of the hub's files."""
    name: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "op": self.op,
            "what": self.what,
            "name": self.name,
            "before": dict(self.before),
            "after": dict(self.after),
        }
