"""The figures of a cloud-first policy, each with numerator, denominator, coverage and what it counts.

Migration rate (上云率): of the systems that are to be on the cloud, those that are.
  denominator  systems of which it is known whether they are on the cloud, without those that stay by decision or by law
               (``retain``, classified, level 4 and above) and those that end (``retire``)
  numerator    those of them that run on the cloud: cut over and not rolled back, as the record of migrations says
  unknown      systems of which neither a source nor a record tells where they run; they are in neither number

Integration rate (融合率): of the systems that are to be on the cloud, those that share data through the platform.
  denominator  systems that declare any flow, without those that stay or end
  numerator    those of them with a flow to or from a platform service of the hub
  unknown      systems without any declared flow: nobody said whom they talk with

A rate over nothing is not zero: it is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from govhub.inventory.model.migration import Migration, Strategy
from govhub.inventory.model.root import HubFile
from govhub.inventory.model.tenancy import System
from govhub.migration.portfolio.strategy import HIGHEST_LEVEL


class Standing(StrEnum):
    """Where a system runs, as far as anybody knows."""

    CLOUD = "cloud"
    SOURCE = "source"
    STAYS = "stays"
    ENDS = "ends"
    UNKNOWN = "unknown"


DEFINITIONS = {
    "migration_rate": "systems that run on the cloud / systems known to run there or on a source; retained, retired, "
    "classified and level 4 systems are left out, and systems of unknown standing are in neither number",
    "integration_rate": "systems with a flow to or from a platform service / systems that declare any flow; retained, "
    "retired, classified and level 4 systems are left out, and systems without flows are in neither number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A part of a whole, with how much of the whole is known."""

    numerator: int
    denominator: int
    unknown: int
    """Systems that would be in the denominator if more were known."""
    excluded: int
    """Systems that stay or end."""

    @property
    def value(self) -> float | None:
        """The rate; None over nothing."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def coverage(self) -> float | None:
        """The part of the systems that it is about, of which it is known; None when it is about none."""
        whole = self.denominator + self.unknown
        return self.denominator / whole if whole else None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "rate": None if self.value is None else round(self.value, 4),
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unknown": self.unknown,
            "excluded": self.excluded,
            "coverage": None if self.coverage is None else round(self.coverage, 4),
        }


def standing(system: System, migration: Migration | None, on_cloud: bool | None) -> Standing:
    """Where a system runs.

    Args:
        system: The system.
        migration: Its entry, if it has one.
        on_cloud: What the record of migrations says: cut over, not (yet, or any more), or nothing.
    """
    if system.classified or system.protection_level > HIGHEST_LEVEL:
        return Standing.STAYS
    if migration and migration.staying:
        return Standing.STAYS if migration.staying is Strategy.RETAIN else Standing.ENDS
    if on_cloud is not None:
        return Standing.CLOUD if on_cloud else Standing.SOURCE
    return Standing.SOURCE if migration and migration.moves else Standing.UNKNOWN


def migration_rate(model: HubFile, systems: Iterable[System], on_cloud: Mapping[str, bool]) -> Rate:
    """The migration rate of some systems; the definition stands above."""
    migrations = {item.system: item for item in model.migrations}
    found = [standing(item, migrations.get(item.name), on_cloud.get(item.name)) for item in systems]
    cloud, source = found.count(Standing.CLOUD), found.count(Standing.SOURCE)
    return Rate(
        numerator=cloud,
        denominator=cloud + source,
        unknown=found.count(Standing.UNKNOWN),
        excluded=found.count(Standing.STAYS) + found.count(Standing.ENDS),
    )


def integration_rate(model: HubFile, systems: Iterable[System]) -> Rate:
    """The integration rate of some systems; the definition stands above."""
    migrations = {item.system: item for item in model.migrations}
    systems = list(systems)
    left_out = (Standing.STAYS, Standing.ENDS)
    counted = [item for item in systems if standing(item, migrations.get(item.name), None) not in left_out]
    known = [item for item in counted if item.flows]
    shared = [item for item in known if any(flow.peer.startswith("service/") for flow in item.flows)]
    return Rate(
        numerator=len(shared),
        denominator=len(known),
        unknown=len(counted) - len(known),
        excluded=len(systems) - len(counted),
    )


def figures(model: HubFile, on_cloud: Mapping[str, bool]) -> dict[str, Any]:
    """Both rates over all and by department, with their definitions."""
    departments = {
        tenant.name: [item for item in model.systems if item.tenant == tenant.name] for tenant in model.tenants
    }
    return {
        "definitions": DEFINITIONS,
        "all": _both(model, model.systems, on_cloud),
        "departments": {name: _both(model, systems, on_cloud) for name, systems in departments.items() if systems},
    }


def _both(model: HubFile, systems: Iterable[System], on_cloud: Mapping[str, bool]) -> dict[str, Any]:
    systems = list(systems)
    return {
        "systems": len(systems),
        "migration_rate": migration_rate(model, systems, on_cloud).as_dict(),
        "integration_rate": integration_rate(model, systems).as_dict(),
    }
