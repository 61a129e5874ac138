"""Cooling units of halls, as compact patterns."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable, Pattern, RackPattern


class CoolingKind(StrEnum):
    """How heat leaves the hall."""

    CRAC = "crac"
    CRAH = "crah"
    IN_ROW = "in-row"
    REAR_DOOR = "rear-door"
    CDU = "cdu"
    FREE = "free"


class CoolingUnits(Assumable):
    """Equal cooling units; their capacity is what they take away at the hall's conditions, or is unknown."""

    names: Pattern
    """Names, such as ``h1-crah-{1..8}``; unique in the hub."""
    kind: CoolingKind
    halls: RackPattern
    """``site/hall`` patterns; each hall gets the next equal part of the units, in order."""
    kw: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Net sensible cooling capacity of one unit in kW; unknown when left out."""
