"""What other commands enter into a system's record: stages they have reached, and evidence they have found."""

from __future__ import annotations

from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import PolicyViolation
from govhub.core.events import Event
from govhub.core.settings import actor
from govhub.migration.record.stages import BY_HAND, Stage
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Record


def reach(record: Record, system: str, stage: Stage, evidence: dict[str, Any]) -> Event:
    """Enter that a system was surveyed, assessed, planned or applied for; the same evidence is entered once.

    Args:
        record: The hub's record.
        system: The system.
        stage: One of the first four.
        evidence: JSON-like; what the stage was reached with.

    Raises:
        PolicyViolation: runs alone reach this stage, or the system is past it (REC008).
    """
    now = stand(system, record.events(system)).stage
    if stage not in BY_HAND or (now is not None and now.rank > BY_HAND[-1].rank):
        raise PolicyViolation.one(
            "REC008",
            f'"{stage}" cannot be entered for {system}, which is at "{now}"',
            hint="from preparation on, `migrate run` alone says where a system stands",
            address=system,
        )
    found = digest(evidence)
    data = {"reaches": stage.value, "evidence": evidence, "digest": found, "actor": actor()}
    return record.append("stage-reached", system, data, key=f"stage-reached/{stage}/{found}")


def add_evidence(record: Record, system: str, what: str, document: dict[str, Any]) -> Event:
    """Enter something that was found out about a system, such as a verification; approvals given before are void.

    Args:
        record: The hub's record.
        system: The system.
        what: A word for it, such as ``verification``.
        document: JSON-like, without secrets.
    """
    found = digest(document)
    data = {"what": what, "digest": found, "document": document, "actor": actor()}
    return record.append("evidence-added", system, data, key=f"evidence-added/{what}/{found}", decisive=True)
