"""Rules of the capacity gate by name: what hub files may set levels of, and waive."""

from __future__ import annotations

from collections.abc import Iterable

from govhub.core.diagnostics import Diagnostic

CAPACITY_RULES = {
    "capacity-feed": "feeds of racks carry their machines, alone too",
    "capacity-element": "elements of the power tree carry what hangs on them, after a single loss too",
    "capacity-phase": "phases of busways and PDUs carry a third each",
    "capacity-cooling": "a hall's cooling takes its heat away, without the units that its grade lets stand still",
    "capacity-budget": "a hall draws no more than its standard racks are built for",
    "capacity-outlets": "racks have an outlet for every machine",
    "capacity-ports": "racks have cabled ports for every machine",
    "capacity-pool": "pools carry what is declared to run on them without their worst rack",
}

# Codes that say that something does not fit: no mistake of form, so commands end with 4 instead of 3.
FITTING = ("CAP", "FIT", "PLC010", "PLC011", "PLC012")


def only_fitting(errors: Iterable[Diagnostic], *more: str) -> bool:
    """Whether all of ``errors`` are about what does not fit (or begin with one of ``more``)."""
    return all(item.code.startswith((*FITTING, *more)) for item in errors)
