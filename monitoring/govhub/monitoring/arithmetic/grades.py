"""What a grade of GB 50174 or an Uptime tier has to survive."""

from __future__ import annotations

from enum import StrEnum


class Survives(StrEnum):
    """The single loss that the load must survive."""

    PATH = "path"
    MODULE = "module"
    NOTHING = "nothing"


def survives(tier: str) -> Survives:
    """What a site of this grade is held against.

    GB 50174-2017, 3.2 and annex A: grade A is fault tolerant (2N), so any element with all below it may be lost; B is
    redundant (N+1), so a module may be; C is what is needed (N). Uptime's Tier IV is fault tolerant and Tier III
    concurrently maintainable, so any element may be out; Tier II has redundant modules, Tier I has none.

    Raises:
        ValueError: there is no such grade.
    """
    grade = tier.rstrip("+")
    if grade in ("A", "T4", "T3"):
        return Survives.PATH
    if grade in ("B", "T2"):
        return Survives.MODULE
    if grade in ("C", "T1"):
        return Survives.NOTHING
    raise ValueError(f"there is no grade {tier}")


def units_lost(tier: str) -> int:
    """How many cooling units may stand still: one of N+1 and N+X, none of N."""
    return 0 if survives(tier) is Survives.NOTHING else 1
