"""The itineraries as data: which phases, in which order, for which systems, and what they mean for the record.

A run notes name and version of its itinerary. To change one, write the next version and, unless the old one stays
here, a :class:`Mapping` that says what became of its phases.
"""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field
from typing import Any

from govhub.migration.itinerary.steps import Step
from govhub.migration.record.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One named phase; its function stands in the registry under the same name."""

    name: str
    when: str = ""
    """The fact that must be true of a system for this phase to apply; empty: it always does."""
    reaches: Stage | None = None
    decisive: bool = False
    """Its events survive a power cut."""
    point_of_no_return: bool = False
    switched: bool | None = None
    """Where users are when it is through; None: no change."""


@dataclass(frozen=True, slots=True)
class Itinerary:
    """A named, versioned list of phases."""

    name: str
    version: int
    phases: tuple[Phase, ...]

    def of(self, facts: Lookup[str, Any]) -> tuple[Phase, ...]:
        """The phases that apply to a system."""
        return tuple(item for item in self.phases if not item.when or facts.get(item.when))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What became of an itinerary's phases in its next version."""

    name: str
    version: int
    """The old version; the new one is one more."""
    renamed: Lookup[str, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    catch_up: frozenset[str] = frozenset()
    """New phases that a run does even when it has come past their place; other new phases are passed over then."""


def pair(
    step: Step,
    *,
    when: str = "",
    reaches: Stage | None = None,
    begins: Stage | None = None,
    decisive: bool = False,
    point_of_no_return: bool = False,
    switched: bool | None = None,
) -> tuple[Phase, Phase]:
    """``EnsureX`` and ``WaitForX``; a stage is reached at the end, or (``begins``) when the first is through."""
    first = Phase(
        name=f"Ensure{step.value}",
        when=when,
        reaches=begins,
        decisive=decisive,
        point_of_no_return=point_of_no_return,
        switched=switched,
    )
    return first, Phase(name=f"WaitFor{step.value}", when=when, reaches=reaches, decisive=decisive)


_COPY = (
    *pair(Step.DATABASE_COPY, when="databases"),
    *pair(Step.FILE_COPY, when="files"),
    *pair(Step.DEPLOYMENT, when="application"),
)

MIGRATE = Itinerary(
    "migrate",
    1,
    (
        *pair(Step.APPLICATION, reaches=Stage.APPLIED),
        *pair(Step.TARGET),
        *pair(Step.BACKUP, reaches=Stage.PREPARED),
        *_COPY,
        *pair(Step.REPLICATION, when="online"),
        *pair(Step.VERIFICATION, reaches=Stage.MOVED),
        *pair(Step.CUTOVER_APPROVAL, decisive=True),
        *pair(Step.WINDOW),
        *pair(Step.WRITES_STOPPED, decisive=True),
        *pair(Step.DRAINED),
        *pair(Step.FINAL_VERIFICATION),
        *pair(Step.SWITCHED, decisive=True, point_of_no_return=True, switched=True),
        *pair(Step.REVERSE_REPLICATION, when="reverse"),
        *pair(Step.SERVICE_TEST, reaches=Stage.TESTED),
        *pair(Step.TRIAL_RUN, begins=Stage.TRIAL, decisive=True),
        *pair(Step.ACCEPTANCE, reaches=Stage.ACCEPTED, decisive=True),
    ),
)
REHEARSE = Itinerary(
    "rehearse",
    1,
    (
        *pair(Step.TARGET),
        *_COPY,
        *pair(Step.REPLICATION, when="online"),
        *pair(Step.VERIFICATION),
        *pair(Step.DRAINED),
        *pair(Step.FINAL_VERIFICATION),
        *pair(Step.SERVICE_TEST),
        *pair(Step.REHEARSAL_REMOVED),
    ),
)
CANCEL = Itinerary(
    "cancel",
    1,
    (
        *pair(Step.WRITES_ALLOWED, decisive=True),
        *pair(Step.REPLICATION_REMOVED, when="online"),
        *pair(Step.TARGET_REMOVED, reaches=Stage.PLANNED),
    ),
)
ROLL_BACK = Itinerary(
    "roll-back",
    2,
    (
        *pair(Step.TARGET_WRITES_STOPPED, decisive=True),
        *pair(Step.REVERSE_DRAINED),
        *pair(Step.REVERSE_VERIFICATION),
        *pair(Step.SWITCHED_BACK, decisive=True, point_of_no_return=True, switched=False),
        *pair(Step.WRITES_ALLOWED),
        *pair(Step.REPLICATION_REMOVED, when="online", reaches=None),
        *pair(Step.SERVICE_TEST),
        *pair(Step.RELEASED, reaches=Stage.PLANNED),
    ),
)
RETIRE = Itinerary(
    "retire",
    1,
    (
        *pair(Step.RETIREMENT_APPROVAL, decisive=True),
        *pair(Step.REPLICATION_REMOVED, when="online"),
        *pair(Step.ARCHIVE),
        *pair(Step.WIPED, decisive=True, point_of_no_return=True),
        *pair(Step.RELEASED, reaches=Stage.RETIRED, decisive=True),
    ),
)
ALL = (REHEARSE, MIGRATE, CANCEL, ROLL_BACK, RETIRE)
# Since version 2 the move's accounts go, too; they stayed on both servers until the system was retired.
MAPPINGS: tuple[Mapping, ...] = (Mapping(name="roll-back", version=1),)
NAMES = tuple(item.name for item in ALL)
