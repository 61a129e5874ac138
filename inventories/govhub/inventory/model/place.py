"""Where things stand: administrative regions, sites, halls, rows and racks as compact patterns."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable, Name, Pattern, RackPattern, Title


class Level(StrEnum):
    """The administrative levels that an e-government network covers."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Region(Assumable):
    """An administrative region; townships and villages are counted on their county."""

    name: Name
    title: Title
    level: Level
    code: Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$")] | None = None
    """Administrative division code of GB/T 2260 (six digits) or GB/T 10114 (nine or twelve)."""
    parent: Name | None = None
    """The region one level up."""
    townships: int = Field(default=0, ge=0, le=10_000)
    """How many townships, towns and sub-districts it has."""
    villages: int = Field(default=0, ge=0, le=100_000)
    """How many villages and communities it has."""


class Rack(Assumable):
    """What one rack is rated for."""

    units: int = Field(default=42, ge=1, le=60)
    """Usable height in rack units (EIA-310, 44.45 mm each)."""
    rated_kw: float = Field(default=6.0, gt=0, le=200)
    """Rated power of the cabinet, in kW."""
    max_kg: float = Field(default=1200, gt=0, le=5000)
    """Weight that rack and floor carry, in kg."""
    outlets: int | None = Field(default=None, ge=1, le=200)
    """Outlets of each side's rack PDU; unknown when left out."""
    ports: int | None = Field(default=None, ge=1, le=1000)
    """Network ports that are cabled to the rack; unknown when left out."""
    standard_racks: float = Field(default=1.0, gt=0, le=100)
    """How many standard racks it counts as in published figures; the hall's power is built for these."""


class Rows(Assumable):
    """Rows of equal racks: ``names`` times ``racks`` many."""

    names: Pattern
    """Row names, such as ``r{01..12}``."""
    racks: Pattern
    """Rack names within each row, such as ``{01..24}``."""
    rack: Rack = Rack()
    """What each of these racks is rated for."""


class RackOverride(Assumable):
    """Racks that differ from their row's pattern; only the fields that are given change."""

    racks: RackPattern
    """``row/rack`` patterns within the hall, such as ``r03/{05..08}``."""
    units: int | None = Field(default=None, ge=1, le=60)
    """Usable height in rack units."""
    rated_kw: float | None = Field(default=None, gt=0, le=200)
    """Rated power, in kW."""
    max_kg: float | None = Field(default=None, gt=0, le=5000)
    """Weight limit, in kg."""
    outlets: int | None = Field(default=None, ge=1, le=200)
    """Outlets of each side's rack PDU."""
    ports: int | None = Field(default=None, ge=1, le=1000)
    """Network ports that are cabled to the rack."""
    removed: bool = False
    """The position is empty: a pillar, a door, a cooling unit."""


class Hall(Assumable):
    """A machine hall."""

    name: Name
    title: Title | None = None
    rows: list[Rows] = Field(min_length=1)
    overrides: list[RackOverride] = []
    area_m2: float | None = Field(default=None, gt=0)
    """Floor area in square metres."""


class Site(Assumable):
    """A data center or machine room."""

    name: Name
    title: Title
    region: Name
    tier: Annotated[str, Field(pattern=r"^(T[1-4]\+?|A|B|C)$")]
    """Uptime tier (T1 to T4, with + for partly above) or the grade of GB 50174 (A, B, C)."""
    standard_rack_kw: float = Field(default=2.5, gt=0, le=50)
    """The counting unit of published rack numbers: one standard rack stands for this many kW."""
    phase: str = Field(default="", max_length=40)
    """Construction phase, as published."""
    halls: list[Hall] = Field(min_length=1)
