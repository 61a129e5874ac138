"""What `migrate assess` and `migrate plan` owe a system's record: survey, assessment and plan, with their digests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.migration.portfolio.assess import Assessment, Verdict
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.subject import Portfolio
from govhub.migration.record.stages import BY_HAND, Stage
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Record
from govhub.ops.migration.entries import add_evidence, reach
from govhub.ops.migration.measured import sizes_of
from govhub.ops.migration.records import opened

Document = dict[str, Any]
Entries = Mapping[str, list[tuple[Stage, Document]]]


def surveyed(hub: Hub, shown: list[Assessment], facts: Mapping[str, SourceFacts], since: datetime) -> Entries:
    """What an assessment enters, by system: only what was read now, and only of systems that move."""
    out: dict[str, list[tuple[Stage, Document]]] = {}
    for migration in hub.model.migrations:
        item = next((one for one in shown if one.system == migration.system), None)
        names = sorted({move.source for move in migration.moves})
        if item is None or not names or not all(_fresh(facts.get(name), since) for name in names):
            continue
        sizes = sizes_of(Portfolio(hub, facts), migration.system)
        survey = {
            "sources": {name: {"time": facts[name].time, "host_key": facts[name].host_key} for name in names},
            "sizes": {
                move.name: {"bytes": sizes[move.name], "read": facts[move.source].time}
                for move in migration.moves
                if move.name in sizes
            },
        }
        out[migration.system] = [(Stage.SURVEYED, survey)]
        if item.verdict is not Verdict.UNKNOWN:
            said = item.as_dict()
            found = {"verdict": item.verdict.value, "strategy": said["strategy"], "digest": digest(said)}
            codes = sorted({str(one["code"]) for one in said["findings"]})
            out[migration.system].append((Stage.ASSESSED, found | {"findings": codes}))
    return out


def planned(document: Document) -> Entries:
    """What a plan enters, by system: its wave and its day."""
    whole = digest({key: value for key, value in document.items() if key != "diagnostics"})
    return {
        item["system"]: [
            (Stage.PLANNED, {"wave": wave["wave"], "cutover": item.get("cutover"), "digest": whole}),
        ]
        for wave in document["waves"]
        for item in wave["systems"]
    }


def note(hub: str, entries: Entries) -> Document:
    """Enter it where a system's own runs have not come past it; a record that is broken stops nobody else."""
    done: list[str] = []
    problems: list[Document] = []
    if entries:
        with opened(hub) as record:
            for system, stages in entries.items():
                try:
                    if [stage for stage, evidence in stages if _enter(record, system, stage, evidence)]:
                        done.append(system)
                except GovhubError as error:
                    problems += [item.as_dict() for item in error.diagnostics]
    return {"systems": sorted(done), "problems": problems}


def _enter(record: Record, system: str, stage: Stage, evidence: Document) -> bool:
    standing = stand(system, record.events(system))
    now = standing.stage
    if standing.run or (now is not None and now.rank > BY_HAND[-1].rank):
        # A run has evidence of its own, and what is added now would void approvals.
        return False
    if now is None or now.rank < stage.rank:
        reach(record, system, stage, evidence)
    else:
        add_evidence(record, system, stage.value, evidence)
    return True


def _fresh(facts: SourceFacts | None, since: datetime) -> bool:
    return facts is not None and datetime.fromisoformat(facts.time) >= since.replace(microsecond=0)
