"""One database of a system: what carries it, its ends and its archives, for the functions of the steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from govhub.core.canonical import digest
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.protocol import UNLIMITED, Limits
from govhub.migration.movers.runner import Runner
from govhub.migration.moving.ends import Access, Ends
from govhub.migration.moving.engines.port import DatabaseMove

Make = Callable[[str, Ends, Runner], DatabaseMove]
"""An engine's move from its name on the servers, its ends, and where the engine's tools run."""
SOON = 2.0
"""Seconds until it is worth to look again at what goes on by itself."""
STOPPED = "writes-stopped"
"""Where the target's registry keeps when writes were stopped: the pause is as long for the next worker."""


def short_name(hub: str, system: str, move: str) -> str:
    """A name for the servers, where it may be 40 characters long and two moves must not be called alike."""
    return f"{system[:18]}-{digest([hub, system, move])[:10]}"


class Part:
    """Nothing is contacted before it is needed."""

    def __init__(
        self,
        move: str,
        name: str,
        reached: Access,
        archives: Path,
        runner: Runner,
        make: Make,
        limits: Limits = UNLIMITED,
    ) -> None:
        """Remember what the move needs.

        Args:
            move: As the hub's files call it; evidence stands under this name.
            name: As the servers are to call it.
            reached: How the servers are reached.
            archives: A private folder on this machine.
            runner: Where the engine's tools run.
            make: The engine.
            limits: What may be taken of the source; ``make`` knows them too.
        """
        self.limits = limits
        self.move, self._name, self.access, self.archives, self.runner = move, name, reached, archives, runner
        self._make = make
        self._data: dict[bool, DatabaseMove] = {}

    def data(self, *, rehearsal: bool) -> DatabaseMove:
        """What carries the data."""
        if rehearsal not in self._data:
            ends = self.ends(rehearsal=rehearsal)
            name = f"{self._name}-r" if rehearsal else self._name
            self._data[rehearsal] = self._make(name, ends, self.runner)
        return self._data[rehearsal]

    def ends(self, *, rehearsal: bool) -> Ends:
        """The two databases."""
        return self.access.open().of(rehearsal=rehearsal)

    def file(self, word: str, run: str) -> Path:
        """An archive of one run."""
        return self.archives / f"{run}-{self.move}-{word}{self.data(rehearsal=False).suffix}"

    def stopped_since(self) -> datetime | None:
        """When writes were stopped for a cutover that is not through."""
        data = self.data(rehearsal=False)
        if not data.begun() or data.mover.moved():
            return None
        found = data.noted(STOPPED)
        return datetime.fromisoformat(found) if found else None

    def left(self, context: Context) -> float:
        """Seconds of the pause of writes that are left; at least one."""
        since = self.stopped_since()
        spent = (datetime.now(UTC) - since).total_seconds() if since else 0.0
        return max(1.0, context.rules.write_pause_seconds - spent)

    def close(self) -> None:
        """Let go of all connections."""
        for data in self._data.values():
            data.close()
        self._data.clear()
        self.access.close()
