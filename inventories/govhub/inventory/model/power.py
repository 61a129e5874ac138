"""The power tree: from the utility's lines down to the feeds of racks, as compact patterns."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from govhub.inventory.model.common import Assumable, Pattern, RackPattern

Kilowatts = Annotated[float, Field(gt=0, le=1_000_000)]


class PowerKind(StrEnum):
    """What an element of the power tree is."""

    UTILITY = "utility"
    GENERATOR = "generator"
    TRANSFORMER = "transformer"
    UPS = "ups"
    BUSWAY = "busway"
    PDU = "pdu"
    ATS = "ats"
    """A transfer switch that is slower than the machines' supplies: a UPS or a generator's start bridges the gap."""
    STS = "sts"
    """A static transfer switch: machines do not notice."""


class PowerElements(Assumable):
    """Equal elements of the power tree; their capacity is given as kW, kVA or A, or is unknown."""

    names: Pattern
    """Names, such as ``ups-{a,b}-{1..2}``; unique in the hub."""
    kind: PowerKind
    fed_by: Pattern | None = None
    """The elements above. Of ``n`` elements and ``m`` above them, each of those feeds the next ``n/m`` in order."""
    alternate: Pattern | None = None
    """What takes over when ``fed_by`` is lost, of transfer switches: dealt as ``fed_by`` is."""
    kw: Kilowatts | None = None
    """Capacity of one module in kW."""
    kva: Kilowatts | None = None
    """Capacity of one module in kVA; ``power_factor`` makes it kW."""
    amps: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Rated current of each of three phases, in A; ``volts`` and ``power_factor`` make it kW."""
    volts: float = Field(default=380, gt=0, le=1000)
    """Voltage between two phases, in V (GB/T 156: 220/380 V)."""
    power_factor: float = Field(default=0.95, gt=0, le=1)
    """Power factor of the load."""
    modules: int = Field(default=1, ge=1, le=64)
    """Equal modules that share the load of one element."""
    redundant: int = Field(default=0, ge=0, le=63)
    """How many of the modules may fail while the element keeps its capacity: 1 for N+1."""

    @model_validator(mode="after")
    def _switches_alone(self) -> PowerElements:
        if self.alternate and (self.kind not in (PowerKind.ATS, PowerKind.STS) or not self.fed_by):
            raise ValueError("`alternate` goes with kind ats or sts and with `fed_by`: nothing else changes its source")
        return self

    @model_validator(mode="after")
    def _one_capacity(self) -> PowerElements:
        if sum(value is not None for value in (self.kw, self.kva, self.amps)) > 1:
            raise ValueError("give one of `kw`, `kva` and `amps`: the others follow from it")
        if self.redundant >= self.modules:
            raise ValueError("`redundant` is less than `modules`: something has to carry the load")
        return self


class Side(StrEnum):
    """The two sides of a rack's supply."""

    A = "a"
    B = "b"


class PhaseRule(StrEnum):
    """Which phase a single-phase feed is on."""

    ROTATE = "rotate"
    L1 = "l1"
    L2 = "l2"
    L3 = "l3"


class Feeds(Assumable):
    """Feeds of racks on one side: which element feeds which rack, over which breaker and phase."""

    racks: RackPattern
    """``site/hall/row/rack`` patterns."""
    side: Side
    fed_by: Pattern
    """The elements that feed them; each feeds the next equal part of the racks, in order."""
    breaker_amps: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Rated current of the feed's breaker, in A; unknown when left out."""
    volts: float = Field(default=220, gt=0, le=1000)
    """Voltage of the feed, in V: to neutral with one phase, between phases with three."""
    phases: Annotated[int, Field(ge=1, le=3, json_schema_extra={"not": {"const": 2}})] = 1
    """1 or 3."""
    phase: PhaseRule = PhaseRule.ROTATE
    """The phase of single-phase feeds; ``rotate`` gives L1, L2, L3 to one rack after the other."""
    power_factor: float = Field(default=0.95, gt=0, le=1)
    derating: float = Field(default=1.0, gt=0, le=1)
    """The part of the breaker's current that may flow for long, such as 0.8."""

    @model_validator(mode="after")
    def _one_or_three(self) -> Feeds:
        if self.phases == 2:
            raise ValueError("a feed has 1 or 3 phases")
        return self
