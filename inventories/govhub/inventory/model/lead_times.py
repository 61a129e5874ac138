"""How long it takes from an order to what was ordered being in use."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable

Days = Annotated[int, Field(ge=0, le=3650)]


class LeadTimes(Assumable):
    """Days from an order to its use, by resource; what a forecast takes from the day a resource runs out.

    The defaults are ours: a hub that knows its own (the time of a tender included) writes them down.
    """

    power: Days = 270
    """Lines, transformers, UPS and busways: tender, delivery, acceptance."""
    space: Days = 90
    """Cabinets for more rack units."""
    racks: Days = 180
    """Standard racks in halls that are built."""
    cooling: Days = 180
    """Cooling units."""
    cores: Days = 90
    """Servers, or a larger quota where pools have room."""
