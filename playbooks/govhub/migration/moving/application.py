"""The steps of an application that is a systemd unit: it stops before its data closes, and starts when it is open."""

from __future__ import annotations

from typing import Protocol

from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context, Step

_STOP = frozenset({Step.WRITES_STOPPED, Step.TARGET_WRITES_STOPPED})
_START = frozenset({Step.SWITCHED, Step.WRITES_ALLOWED, Step.TARGET_WRITES_ALLOWED})


class Unit(Protocol):
    """A systemd unit on some host; errors are :class:`govhub.core.errors.GovhubError`."""

    name: str

    def stop(self) -> None:
        """Stop it, and wait until it has."""

    def start(self) -> None:
        """Start it."""

    def state(self) -> str:
        """``active``, ``inactive``, or what else systemd says."""

    def close(self) -> None:
        """Let go of the host."""


class ApplicationSteps:
    """An application that stays on its server, and finds the database that takes writes by itself.

    See :class:`govhub.migration.itinerary.steps.Steps`. A rehearsal does not touch it.
    """

    def __init__(self, move: str, unit: Unit) -> None:
        self._move, self._unit = move, unit

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Stop or start it."""
        if context.rehearsal:
            return Done({self._move: "not touched by a rehearsal"}) if step is Step.DEPLOYMENT else Done()
        if step is Step.DEPLOYMENT:
            return Done({self._move: {"not_applicable": f"{self._unit.name} stays on its server"}})
        if step is Step.APPLICATION and (state := self._unit.state()) != "active":
            return Failed(f"{self._move}: {self._unit.name} is {state} before anything was touched")
        if step in _STOP:
            self._unit.stop()
        elif step in _START:
            self._unit.start()
        else:
            return Done()
        return Done({self._move: {"unit": self._unit.name, "state": self._unit.state()}})

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it runs, or does not."""
        if context.rehearsal or step not in _STOP | _START | {Step.SERVICE_TEST}:
            return Done()
        state = self._unit.state()
        running = state in ("active", "activating", "reloading")
        if running is (step in _STOP) or (step is Step.SERVICE_TEST and state != "active"):
            return Failed(f"{self._move}: {self._unit.name} is {state}")
        return Done({self._move: {"unit": self._unit.name, "state": state}})

    def close(self) -> None:
        """Let go of the host."""
        self._unit.close()
