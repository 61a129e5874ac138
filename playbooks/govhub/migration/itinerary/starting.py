"""Which itinerary may begin where a system stands."""

from __future__ import annotations

from govhub.core.errors import PolicyViolation
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import RunStanding, Standing


def may_go(itinerary: str, standing: Standing) -> None:
    """Refuse an itinerary that can neither be gone on with nor begin now; empty: whatever is open.

    Raises:
        PolicyViolation: none is open and none was named (RUN011), or it cannot begin where the system stands (RUN012).
    """
    run = standing.run
    if run and itinerary in ("", run.itinerary):
        return
    if not itinerary:
        hint = "begin one: --itinerary rehearse or migrate"
        raise PolicyViolation.one("RUN011", f"no run of {standing.system} is open", hint=hint)
    if why := refused(itinerary, standing):
        hint = "`migrate status` shows where the system stands"
        raise PolicyViolation.one("RUN012", f"{standing.system}: {why}", hint=hint, address=standing.system)


def refused(itinerary: str, standing: Standing) -> str:
    """Why an itinerary cannot begin now; empty when it can."""
    rule = _RULES.get(itinerary)
    return rule(standing, standing.run) if rule else f'there is no itinerary "{itinerary}"'


def _forward(standing: Standing, run: RunStanding | None) -> str:
    if run:
        return f"the run {run.id} is open; finish it, or `cancel` it"
    late = standing.stage is not None and standing.stage.rank >= Stage.ACCEPTED.rank
    return "it is on the cloud already" if standing.switched or late else ""


def _cancel(_: Standing, run: RunStanding | None) -> str:
    if not run or run.itinerary not in ("rehearse", "migrate"):
        return "nothing is under way that could be cancelled"
    return "it is past the point of no return; roll it back instead" if run.committed else ""


def _roll_back(standing: Standing, run: RunStanding | None) -> str:
    if standing.stage is Stage.RETIRED or (run and run.itinerary == "retire" and run.committed):
        return "the source is gone: there is nothing to go back to"
    on_the_way = run is not None and run.itinerary == "migrate" and run.committed
    return "" if standing.switched or on_the_way else "users are on the source; there is nothing to roll back"


def _retire(standing: Standing, run: RunStanding | None) -> str:
    if run:
        return f"the run {run.id} is open"
    return "" if standing.stage is Stage.ACCEPTED else "only an accepted system's source is retired"


_RULES = {"rehearse": _forward, "migrate": _forward, "cancel": _cancel, "roll-back": _roll_back, "retire": _retire}
