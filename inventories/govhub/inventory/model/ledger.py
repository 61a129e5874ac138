"""The ledger of standard racks: planned, built, energised, sold, loaded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable, Name

STAGES = ("planned", "built", "energised", "sold", "loaded")
Racks = Annotated[float, Field(ge=0, le=10_000_000)]


class LedgerEntry(Assumable):
    """Standard racks of a site at one time, each stage counted from the beginning; what is not known is left out."""

    name: Name
    site: Name
    month: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    """The month whose end the numbers are of; one that has not ended is the plan."""
    planned: Racks | None = None
    """Approved in the plan."""
    built: Racks | None = None
    """Handed over by the builders."""
    energised: Racks | None = None
    """Powered and accepted."""
    sold: Racks | None = None
    """Promised to somebody."""
    loaded: Racks | None = None
    """With machines that draw power."""
