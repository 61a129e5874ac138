"""The steps of an application that is a systemd unit: it stops before its data closes, and starts when it is open."""

from __future__ import annotations

from typing import Any, Protocol

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


class Leading(Protocol):
    """Settings that lead an application to a database server; each call may be repeated, after a kill too.

    Errors are :class:`govhub.core.errors.GovhubError`.
    """

    def check(self) -> dict[str, Any]:
        """Whether they can be rewritten, and where they lead now; nothing is changed."""

    def lead(self) -> dict[str, Any]:
        """Have them name the target; what they were is kept beside them."""

    def back(self) -> dict[str, Any]:
        """Have them name what they named before :meth:`lead`; nothing when they were not changed."""

    def led(self) -> bool:
        """Whether they name the target."""

    def forget(self) -> None:
        """There is no way back any more: remove what was kept."""


class ApplicationSteps:
    """An application that stays on its server, and is led to the database that takes writes, or finds it by itself.

    See :class:`govhub.migration.itinerary.steps.Steps`. A rehearsal only looks whether it could be led.
    """

    def __init__(self, move: str, unit: Unit, leading: Leading | None = None) -> None:
        self._move, self._unit, self._leading = move, unit, leading

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Stop or start it, led to where its data is."""
        if context.rehearsal:
            if step is Step.DEPLOYMENT:
                return self._done({"rehearsal": "nothing is changed"} | self._checked())
            return Done()
        if step is Step.DEPLOYMENT:
            return self._done({"not_applicable": f"{self._unit.name} stays on its server"})
        if step is Step.APPLICATION:
            if (state := self._unit.state()) != "active":
                return Failed(f"{self._move}: {self._unit.name} is {state} before anything was touched")
            return self._done(self._state() | self._checked())
        return self._act(step)

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it runs, or does not."""
        if context.rehearsal or step not in _STOP | _START | {Step.SERVICE_TEST}:
            return Done()
        state = self._unit.state()
        running = state in ("active", "activating", "reloading")
        if running is (step in _STOP) or (step is Step.SERVICE_TEST and state != "active"):
            return Failed(f"{self._move}: {self._unit.name} is {state}")
        if self._leading and step in _START and self._leading.led() is not (step is Step.SWITCHED):
            return Failed(f"{self._move}: the settings of {self._unit.name} do not lead to where its data is")
        return self._done({"unit": self._unit.name, "state": state})

    def close(self) -> None:
        """Let go of the host."""
        self._unit.close()

    def _act(self, step: Step) -> Outcome:
        if step in _STOP:
            self._unit.stop()
            return self._done(self._state())
        if step in _START:
            # Before it starts: it reads them once.
            led = self._led(back=step is Step.WRITES_ALLOWED)
            self._unit.start()
            return self._done(self._state() | led)
        if step is Step.RELEASED and self._leading:
            self._leading.forget()
        return Done()

    def _led(self, *, back: bool) -> dict[str, Any]:
        if self._leading is None:
            return {}
        return {"settings": self._leading.back() if back else self._leading.lead()}

    def _checked(self) -> dict[str, Any]:
        return {"settings": self._leading.check()} if self._leading else {}

    def _state(self) -> dict[str, Any]:
        return {"unit": self._unit.name, "state": self._unit.state()}

    def _done(self, evidence: dict[str, Any]) -> Done:
        return Done({self._move: evidence})
