"""How far the moves of open runs are, asked of their servers with connections of our own; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from govhub.core.errors import GovhubError
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.steps import Step, Steps
from govhub.migration.movers.protocol import Progress
from govhub.migration.moving.together import close, progress_of
from govhub.migration.record.standing import RunStanding

_READY = f"Ensure{Step.TARGET}"
_WAY_THERE = ("rehearse", "migrate")


class Sampler:
    """Keeps the steps of each system, and the last moment of each move, to take rates from; a context manager."""

    def __init__(self, hub: Hub, steps: Callable[[Hub, str], Steps]) -> None:
        self._hub, self._make = hub, steps
        self._steps: dict[str, Steps | None] = {}
        self._before: dict[str, Mapping[str, Progress]] = {}

    def sample(self, system: str, *, rehearsal: bool) -> Mapping[str, Progress]:
        """The moves of a system; empty when nobody can tell, never zero."""
        key = f"{system}/{rehearsal}"
        try:
            if system not in self._steps:
                self._steps[system] = None
                self._steps[system] = self._make(self._hub, system)
            steps = self._steps[system]
            found = progress_of(steps, rehearsal=rehearsal, before=self._before.get(key, {})) if steps else {}
        except (GovhubError, OSError):
            return {}
        self._before[key] = found
        return found

    def close(self) -> None:
        """Let go of all connections."""
        for steps in self._steps.values():
            if steps:
                close(steps)
        self._steps.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def worth_asking(run: RunStanding | None, *, switched: bool) -> bool:
    """Whether there is anything of a move on its servers yet: before that, asking would make accounts there."""
    if run is None:
        return switched
    return switched or (run.itinerary in _WAY_THERE and _READY in run.finished)
