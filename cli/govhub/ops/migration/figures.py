"""Figures of migrations for monitoring: from the record, and from the servers of moves that are under way.

What is not known is absent, never zero: a source that does not answer has no lag, and a system whose record is broken
has no stage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.steps import Steps
from govhub.migration.movers.protocol import Progress
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import Standing, stand
from govhub.migration.record.store import Clock, now
from govhub.ops.load import valid_hub
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.records import opened
from govhub.ops.migration.sampling import Sampler, worth_asking


@dataclass(slots=True, kw_only=True)
class RunFigures:
    """The open run of a system."""

    system: str
    itinerary: str
    phase: str
    state: str
    phase_begun: datetime | None
    failures: int
    """Attempts at phases of this run that failed."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """A hub's migrations at one moment."""

    hub: str
    at: datetime
    stages: dict[str, int] = field(default_factory=dict)
    """Systems by stage; `not-begun` beside the ten."""
    broken: int = 0
    """Systems whose record is broken; they are at no stage."""
    switched: int = 0
    runs: list[RunFigures] = field(default_factory=list)
    last_event: dict[str, datetime] = field(default_factory=dict)
    moves: dict[tuple[str, str], Progress] = field(default_factory=dict)
    """By system and move, where the servers told."""


def figures_of(
    hub_name: str, *, ask: bool = True, make: Callable[[Hub, str], Steps] = steps_of, clock: Clock = now
) -> Figures:
    """What there is to know now.

    Args:
        hub_name: The hub.
        ask: Ask the servers of moves that are under way; else only the record.
        make: What moves a system.
        clock: The record's.

    Raises:
        InvalidInput: the hub is not valid.
        GovhubError: the record does not answer (REC002).
    """
    hub, _ = valid_hub(hub_name)
    with opened(hub.name, clock=clock) as record, Sampler(hub, make) as sampler:
        out = Figures(hub=hub.name, at=record.clock())
        recorded = record.chains()
        declared = {item.system for item in hub.model.migrations}
        stages: Counter[str] = Counter()
        for name in sorted(declared | set(recorded)):
            try:
                events = record.events(name)
            except GovhubError:
                out.broken += 1
                continue
            standing = stand(name, events)
            stages[standing.stage.value if standing.stage else "not-begun"] += 1
            out.switched += standing.switched
            if events:
                out.last_event[name] = datetime.fromisoformat(events[-1].time)
            _add_run(out, standing)
            run = standing.run
            if (
                ask
                and name in declared
                and standing.stage is not Stage.RETIRED
                and worth_asking(run, switched=standing.switched)
            ):
                found = sampler.sample(name, rehearsal=bool(run and run.itinerary == "rehearse"))
                out.moves |= {(name, move): progress for move, progress in found.items()}
        out.stages = {name: stages[name] for name in ("not-begun", *(stage.value for stage in Stage))}
    return out


def _add_run(out: Figures, standing: Standing) -> None:
    run = standing.run
    if run is None:
        return
    phase = next((name for name in reversed(run.begun) if name not in run.finished), "")
    begun: Any = run.begun.get(phase)
    out.runs.append(
        RunFigures(
            system=standing.system,
            itinerary=run.itinerary,
            phase=phase,
            state="failed" if run.failed else "waiting" if run.waiting else "running",
            phase_begun=datetime.fromisoformat(begun) if begun else None,
            failures=sum(run.attempts.values()),
        )
    )
