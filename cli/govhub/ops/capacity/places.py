"""From a hub's name and a place within it to columns and the racks that are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govhub.core.errors import InvalidInput
from govhub.core.text import and_more, did_you_mean
from govhub.monitoring.columns import Columns
from govhub.ops.load import valid_hub

if TYPE_CHECKING:
    from govhub.monitoring.arithmetic.figure import Bools

SCHEMA = "govhub.capacity/1"


def columns_of(hub: str) -> Columns:
    """The columns of a valid hub.

    Raises:
        InvalidInput: the hub is not valid.
        PolicyViolation: its quotas do not fit.
    """
    return Columns(valid_hub(hub)[0])


def racks_of(columns: Columns, place: str) -> Bools:
    """The racks of a place: a site, ``site/hall``, ``site/hall/row`` or a rack; all for the empty string.

    Raises:
        InvalidInput: there is no such place.
    """
    inside = columns.inside(place)
    if not inside.any():
        sites = [site.name for site in columns.model.sites]
        known = [*sites, *columns.halls]
        raise InvalidInput.one(
            "SEL001",
            f'there is no place "{place[:80]}" with racks in this hub',
            hint=did_you_mean(place, known) or f"places are: {and_more(known, 8)}; rows and racks below them",
        )
    return inside
