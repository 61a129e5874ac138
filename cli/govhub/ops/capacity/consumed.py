"""What a change of the hub's files consumes of racks, power, cooling, pools and quotas, against what was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govhub.core.plan import Consumed
from govhub.engine.state import State
from govhub.inventory.loader import Hub

if TYPE_CHECKING:
    from govhub.monitoring.placing.changes import Snapshot

APPLIED = "capacity.json"
"""The document of the state that holds what the last complete run used."""
NARROWED = Consumed()
"""Of plans that are not of a whole hub."""
_VERSION = 1


def consumed(hub: Hub, before: Snapshot | None, than: str) -> Consumed:
    """The difference to ``before`` (None when nobody knows it); ``than`` names what it was."""
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.changes import between, snapshot

    return Consumed(than) if before is None else Consumed(than, tuple(between(before, snapshot(Columns(hub)))))


def since_applied(hub: Hub, state: State, *, fresh: bool) -> Consumed:
    """Against what the last complete run recorded; against nothing when the hub is ``fresh``: nothing was applied."""
    if fresh:
        return consumed(hub, _nothing(hub), "nothing")
    before = read(state)
    return consumed(hub, before, "applied" if before is not None else "unknown")


def since_revision(hub: Hub, other: Hub | None) -> Consumed:
    """Against another revision of the files; None when the hub did not exist then."""
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.changes import snapshot

    try:
        before = snapshot(Columns(other)) if other else _nothing(hub)
    except (KeyError, ValueError, IndexError):
        # The other revision need not be valid: this change may be what puts it right.
        return Consumed("unknown")
    return consumed(hub, before, "revision")


def record(hub: Hub, state: State) -> None:
    """Write down what the hub uses, at the end of a run that applied all of it."""
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.changes import snapshot

    rows = [[*key, *value] for key, value in snapshot(Columns(hub)).items()]
    state.write(APPLIED, {"version": _VERSION, "levels": rows})


def read(state: State) -> Snapshot | None:
    """What ``record`` wrote; None when there is nothing, or of another version."""
    document = state.read(APPLIED)
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        return None
    try:
        rows = document["levels"]
        return {(resource, at): (unit, used, limit) for resource, at, unit, used, limit in rows}
    except (KeyError, TypeError, ValueError):
        return None


def _nothing(hub: Hub) -> Snapshot:
    """The same levels with nothing in use."""
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.changes import snapshot

    return {key: (unit, 0.0, limit) for key, (unit, _, limit) in snapshot(Columns(hub)).items()}
