"""Stop writes, drain, verify, finish, switch, replicate the other way.

Until :meth:`Mover.finish` is through, everything can go back: writes are let in again where they were, and nothing is
lost. From there on the other side is the one that is written to, and only the same sequence in the other direction
leads back. A killed cutover is called again: the mover knows from the servers what is done, and hooks must bear being
called twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError
from govhub.migration.movers.protocol import Direction, MoveFailed, Mover


class Hooks(Protocol):
    """What others do during a cutover; each may be called again after a kill."""

    def stop_writes(self, direction: Direction) -> None:
        """Stop the application's writes; the mover closes the database as well."""

    def verify(self, direction: Direction) -> list[Diagnostic]:
        """Compare both sides, which stand still; an error sends everything back."""

    def switch(self, direction: Direction) -> None:
        """Lead the application to the other side, which takes writes from now on."""

    def resume_writes(self, direction: Direction) -> None:
        """Let the application write again where it did before."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How a cutover went."""

    direction: Direction
    done: bool = False
    returned: bool = False
    """It went back before the point of no return; the application writes where it did before."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By step."""
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def gap(self) -> float | None:
        """Seconds from the stop of writes until the other side took them; None when it does not."""
        return sum(self.seconds.values()) - self.seconds.get("reverse", 0.0) if self.done else None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "direction": self.direction.value,
            "done": self.done,
            "returned": self.returned,
            "gap_seconds": self.gap,
            "seconds": self.seconds,
            "problems": [item.as_dict() for item in self.problems],
        }


def cut_over(
    mover: Mover,
    hooks: Hooks,
    *,
    direction: Direction = Direction.FORWARD,
    pause: float = 120,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Hand over to the other side within ``pause`` seconds of stopped writes, or go back.

    Raises:
        GovhubError: the way back failed too, or something failed after the point of no return; call it again.
    """
    outcome = Outcome(direction=direction)
    begun = clock()

    def step(name: str, action: Callable[[], object]) -> None:
        started = clock()
        try:
            action()
        finally:
            outcome.seconds[name] = clock() - started

    if mover.moved() is not (direction is Direction.FORWARD):
        try:
            step("stop", lambda: _stop(mover, hooks, direction))
            step("drain", lambda: mover.drain(direction, max(0.1, pause - (clock() - begun))))
            step("verify", lambda: _verify(hooks, direction))
            if clock() - begun > pause:
                raise MoveFailed.one(
                    "MOV061",
                    f"writes have been stopped for more than {pause:g} seconds",
                    hint="everything went back; see which step takes long, or allow a longer pause",
                )
            step("finish", lambda: mover.finish(direction))
        except GovhubError as error:
            if mover.moved() is (direction is Direction.FORWARD):
                raise
            outcome.problems += error.diagnostics
            _go_back(mover, hooks, direction)
            outcome.returned = True
            return outcome
    else:
        step("finish", lambda: mover.finish(direction))
    step("switch", lambda: hooks.switch(direction))
    outcome.done = True
    step("reverse", lambda: mover.reverse(direction))
    return outcome


def roll_back(mover: Mover, hooks: Hooks, *, pause: float = 120) -> Outcome:
    """Lead everything back to the source, with the writes that the target took since the cutover."""
    return cut_over(mover, hooks, direction=Direction.BACK, pause=pause)


def _stop(mover: Mover, hooks: Hooks, direction: Direction) -> None:
    hooks.stop_writes(direction)
    mover.freeze(direction)


def _verify(hooks: Hooks, direction: Direction) -> None:
    found = hooks.verify(direction)
    if any(item.severity.value == "error" for item in found):
        raise MoveFailed(found)


def _go_back(mover: Mover, hooks: Hooks, direction: Direction) -> None:
    mover.thaw(direction)
    hooks.resume_writes(direction)
