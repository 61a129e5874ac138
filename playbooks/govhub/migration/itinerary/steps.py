"""What is done to systems: the names of the steps, and the one protocol behind which movers and switches are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from govhub.inventory.model.migration import Migration, MigrationRules
from govhub.migration.itinerary.outcome import Outcome


class Step(StrEnum):
    """Something that is to be true of a system; Ensure phases make it so, WaitFor phases look whether it is."""

    APPLICATION = "Application"
    TARGET = "Target"
    BACKUP = "Backup"
    DATABASE_COPY = "DatabaseCopy"
    FILE_COPY = "FileCopy"
    DEPLOYMENT = "Deployment"
    REPLICATION = "Replication"
    VERIFICATION = "Verification"
    WRITES_STOPPED = "WritesStopped"
    DRAINED = "Drained"
    FINAL_VERIFICATION = "FinalVerification"
    SWITCHED = "Switched"
    REVERSE_REPLICATION = "ReverseReplication"
    SERVICE_TEST = "ServiceTest"
    REHEARSAL_REMOVED = "RehearsalRemoved"
    WRITES_ALLOWED = "WritesAllowed"
    REPLICATION_REMOVED = "ReplicationRemoved"
    TARGET_REMOVED = "TargetRemoved"
    TARGET_WRITES_STOPPED = "TargetWritesStopped"
    REVERSE_DRAINED = "ReverseDrained"
    REVERSE_VERIFICATION = "ReverseVerification"
    SWITCHED_BACK = "SwitchedBack"
    ARCHIVE = "Archive"
    WIPED = "Wiped"
    RELEASED = "Released"
    # In no itinerary: what is looked at before and while a run waits, and a roll-back that cannot go on.
    CLOCKS = "Clocks"
    SOURCE_ROOM = "SourceRoom"
    TARGET_WRITES_ALLOWED = "TargetWritesAllowed"
    WAY_BACK = "WayBack"
    CONTINUED_VERIFICATION = "ContinuedVerification"
    # The engine's own: people and time decide these, and no mover is asked.
    CUTOVER_APPROVAL = "CutoverApproval"
    WINDOW = "Window"
    TRIAL_RUN = "TrialRun"
    ACCEPTANCE = "Acceptance"
    RETIREMENT_APPROVAL = "RetirementApproval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a phase is told."""

    hub: str
    system: str
    tenant: str
    run: str
    itinerary: str
    phase: str
    key: str
    """Names this phase of this run: whatever must not be done twice is done under it."""
    plan_hash: str
    facts: Mapping[str, Any]
    """What the predicates see: ``databases``, ``files``, ``application``, ``online``, ``reverse``."""
    migration: Migration
    rules: MigrationRules
    timezone: str
    now: datetime
    actor: str

    @property
    def rehearsal(self) -> bool:
        """Whether this is done to a copy: nothing of it may touch what users see."""
        return self.itinerary == "rehearse"

    @property
    def trial_days(self) -> float:
        """Days of trial run for this system."""
        own = self.migration.trial_days
        return self.rules.trial_days if own is None else own


class Steps(Protocol):
    """Movers, verification and switching for one kind of system.

    A worker may be killed inside of ``ensure`` and will call it again with the same key, so it leaves nothing half
    done that it would not find; ``look`` changes nothing.
    """

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Make it so, or begin to: Done with what was done, NotYet while it goes on elsewhere."""

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it is so: Done with the evidence."""
