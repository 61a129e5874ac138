"""What is forecast: where its history comes from, in which unit, what limits it, and which lead time is its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What one series of a resource is of."""

    RACK = "rack"
    HALL = "hall"
    TENANT = "tenant"


LABELS = {Part.RACK: ("site", "hall", "row", "rack"), Part.HALL: ("site", "hall"), Part.TENANT: ("tenant",)}
"""Labels that make the address of a part, in the order of the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource; ``lead`` names its field in ``lead_times`` of the hub."""

    name: str
    unit: str
    part: Part
    metric: str
    """The series that is kept, with its fixed labels (without braces) in ``only``."""
    lead: str
    only: str = ""

    def selector(self, site: str = "", hall: str = "") -> str:
        """The series of a hall, or all of them."""
        labels = [f"{name}={_quoted(value)}" for name, value in (("site", site), ("hall", hall)) if value]
        return f"{self.metric}{{{','.join([*([self.only] if self.only else []), *labels])}}}"


RESOURCES = {
    item.name: item
    for item in (
        Resource(name="power", unit="W", part=Part.RACK, metric="rack:govhub_power_watts:sum", lead="power"),
        Resource(name="allocated", unit="W", part=Part.RACK, metric="govhub_rack_allocated_watts", lead="power"),
        Resource(name="space", unit="U", part=Part.RACK, metric="govhub_rack_units_used", lead="space"),
        Resource(
            name="racks",
            unit="standard racks",
            part=Part.HALL,
            metric="govhub_hall_standard_racks",
            only='state="used"',
            lead="racks",
        ),
        Resource(name="cooling", unit="W", part=Part.HALL, metric="govhub_hall_cooling_load_watts", lead="cooling"),
        Resource(name="cores", unit="cores", part=Part.TENANT, metric="govhub_tenant_requests_cores", lead="cores"),
    )
}


def _quoted(text: str) -> str:
    """A text as a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
