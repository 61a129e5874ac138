"""Which systems run on the cloud, as the record says: what the figures of a cloud-first policy count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.migration.record.stages import Stage
from govhub.migration.record.standing import stand
from govhub.ops.migration.measured import has_record
from govhub.ops.migration.records import opened


@dataclass(slots=True)
class Placed:
    """Systems by where the record has them; one that never began to move is in none."""

    accepted: list[str] = field(default_factory=list)
    on_trial: list[str] = field(default_factory=list)
    """Cut over, and not accepted yet."""
    on_source: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Their record is broken, so it says nothing."""

    @property
    def on_cloud(self) -> dict[str, bool]:
        """As the figures take it."""
        return dict.fromkeys([*self.accepted, *self.on_trial], True) | dict.fromkeys(self.on_source, False)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "from": "record",
            "accepted": self.accepted,
            "on_trial": self.on_trial,
            "on_source": self.on_source,
            "broken": self.broken,
        }


def placed(hub: Hub) -> Placed:
    """What the record knows.

    Raises:
        GovhubError: it does not answer (REC002).
    """
    out = Placed()
    if not has_record(hub):
        return out
    with opened(hub.name) as record:
        for name in record.chains():
            try:
                standing = stand(name, record.events(name))
            except GovhubError:
                out.broken.append(name)
                continue
            if standing.switched:
                accepted = standing.stage is not None and standing.stage.rank >= Stage.ACCEPTED.rank
                (out.accepted if accepted else out.on_trial).append(name)
            elif standing.runs:
                out.on_source.append(name)
    return out
