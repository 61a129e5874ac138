"""What every mover can do.

A controller may be killed at any moment, and the next one makes the same calls again: every call looks at the servers
for how far things are, does what is missing, and does nothing when nothing is. Nothing is kept on the controller; all
names on the servers follow from the name of the move.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError


class Direction(StrEnum):
    """Which way data flows: to the cloud, or back to where it came from."""

    FORWARD = "forward"
    BACK = "back"

    @property
    def other(self) -> Direction:
        """The opposite one."""
        return Direction.BACK if self is Direction.FORWARD else Direction.FORWARD


class Stage(StrEnum):
    """How far a move is, as the servers show it."""

    ABSENT = "absent"
    PREPARED = "prepared"
    COPYING = "copying"
    BUILDING = "building"
    """All rows are there; indexes and constraints that waited are not."""
    FOLLOWING = "following"
    """Everything is there, and changes follow."""
    BROKEN = "broken"
    """It does not go on by itself; the problems say why and what to do."""
    MOVED = "moved"
    """Cut over: the target is the one that is written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a move may take from a source that people work with; None is no limit."""

    parallel: int = 2
    """Tables, or shards of files, that are copied at the same time."""
    bandwidth: int | None = None
    """Bytes per second between the servers."""
    active_sessions: int | None = None
    """While more sessions than these are at work on the source, no further table is begun."""
    pressure: float | None = None
    """While work on the source's host waits for its disk more than this percent of the time, no further piece of a file
    tree is begun."""
    retained: int | None = None
    """Bytes of log that the source may hold back for the move; beyond them the move gives up, not the source's disk."""


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the receiving side is behind; None is unknown."""

    bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a move. What could not be read is None, never zero."""

    at: datetime
    stage: Stage | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    parts_done: int | None = None
    """Tables, or shards of files."""
    parts_total: int | None = None
    rows_done: int | None = None
    rows_total: int | None = None
    """As the source's statistics estimate it."""
    rate: float | None = None
    """Bytes per second since the moment before; since the beginning when there is none."""
    eta: float | None = None
    """Seconds until everything is copied, at this rate."""
    lag: Lag = Lag()
    retained: int | None = None
    """Bytes of log that the source holds back for the move."""
    problems: tuple[Diagnostic, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; unknown values are null."""
        return {
            "at": self.at.isoformat(),
            "stage": self.stage,
            "bytes": {"done": self.bytes_done, "total": self.bytes_total},
            "parts": {"done": self.parts_done, "total": self.parts_total},
            "rows": {"done": self.rows_done, "total": self.rows_total},
            "rate": self.rate,
            "eta_seconds": self.eta,
            "lag": {"bytes": self.lag.bytes, "seconds": self.lag.seconds},
            "retained_bytes": self.retained,
            "problems": [item.as_dict() for item in self.problems],
        }


class MoveFailed(GovhubError):
    """A call of a mover did not do what it should; the servers are in a state from which it can be called again."""


class Mover(Protocol):
    """One move of one engine. All calls may be repeated; errors are :class:`MoveFailed` with a code ``MOV…``."""

    def assess(self) -> list[Diagnostic]:
        """What stands in the way of the move; nothing is changed."""

    def prepare(self) -> None:
        """Make the target ready to receive: accounts, schema. The target is closed to others from here on."""

    def start(self) -> None:
        """Have the copy run, from the beginning when it broke in a way that leaves no other choice."""

    def advance(self, before: Progress | None = None) -> Progress:
        """One turn of the controller's loop: begin what may begin now, protect the source, say how far it is."""

    def progress(self, before: Progress | None = None) -> Progress:
        """How far it is; changes nothing. ``before`` is an earlier moment, to take the rate from."""

    def caught_up(self) -> bool:
        """Whether a cutover could begin: everything is there, and changes follow closely."""

    def freeze(self, direction: Direction = Direction.FORWARD) -> None:
        """Let nobody write to the side that ``direction`` comes from."""

    def thaw(self, direction: Direction = Direction.FORWARD) -> None:
        """Take back :meth:`freeze`, as long as :meth:`finish` was not begun; replication goes on."""

    def drain(self, direction: Direction = Direction.FORWARD, timeout: float = 60) -> None:
        """Wait until the other side has everything that was written before the freeze."""

    def finish(self, direction: Direction = Direction.FORWARD) -> None:
        """Make the other side the one that is written to, and have it remember its changes from its first one."""

    def reverse(self, direction: Direction = Direction.FORWARD) -> None:
        """After a cutover in ``direction``: replicate the other way, so that there is a way back."""

    def lag(self, direction: Direction = Direction.FORWARD) -> Lag:
        """How far replication in ``direction`` is behind; unknown when there is none."""

    def moved(self) -> bool:
        """Whether the target is the one that is written to."""

    def stop(self, direction: Direction = Direction.FORWARD) -> None:
        """End replication in ``direction`` and remove what it left on both servers."""

    def cancel(self) -> None:
        """Give up before the cutover: the source is exactly as it was, the target is empty."""

    def retire(self) -> None:
        """After acceptance: no way back any more; nothing of the move is left on the servers but the data."""
