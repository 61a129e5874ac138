"""All parts of a system as one: who goes first, what they come to, and the pause that must not get too long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from govhub.core.errors import GovhubError
from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.movers.protocol import Progress

# Whoever stopped last begins first: an application finds its data where it is to write.
BACKWARDS = frozenset({Step.SWITCHED, Step.WRITES_ALLOWED, Step.TARGET_WRITES_ALLOWED, Step.SWITCHED_BACK})
# Until the switch everything can go back, and does when one of these fails.
PAUSED = frozenset({Step.WRITES_STOPPED, Step.DRAINED, Step.FINAL_VERIFICATION})
# The same on the way back: until users are on the source again, they can go on writing on the target.
PAUSED_BACK = frozenset({Step.TARGET_WRITES_STOPPED, Step.REVERSE_DRAINED, Step.REVERSE_VERIFICATION})
# What has to be so before writes are stopped: changes follow closely, and the clocks are right.
BEFORE_PAUSE = (Step.CLOCKS, Step.REPLICATION)
_LONGER = "raise write_pause_seconds, or see which step took long; the next `migrate run` waits for the window again"


class Together:
    """See :class:`govhub.migration.itinerary.steps.Steps`."""

    def __init__(self, parts: Sequence[Steps], stopped_since: Callable[[], datetime | None]) -> None:
        """Join parts.

        Args:
            parts: In the order in which they stop: what writes before what is written to.
            stopped_since: When writes were stopped; None when they are not, or the switch is through.
        """
        self.parts, self._stopped_since = tuple(parts), stopped_since

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Do the step for every part; a failure in the pause of writes lets them in again where they were."""
        if step in PAUSED_BACK and context.itinerary == "roll-back":
            outcome = _tried(lambda: self._all(step, context, "ensure"))
            return self._back(context, outcome, Step.TARGET_WRITES_ALLOWED)
        if step not in PAUSED or context.itinerary != "migrate":
            return self._all(step, context, "ensure")
        if step is Step.WRITES_STOPPED and self._stopped_since() is None:
            # Nobody is to be kept from writing for a cutover that cannot come through.
            for needed in BEFORE_PAUSE:
                ready = _tried(lambda needed=needed: self._all(needed, context, "look"))  # type: ignore[misc]
                if not isinstance(ready, Done):
                    return ready
        outcome = _tried(lambda: self._too_long(context) or self._all(step, context, "ensure"))
        if not isinstance(outcome, Failed):
            outcome = _tried(lambda: self._too_long(context) or outcome)
        return self._back(context, outcome, Step.WRITES_ALLOWED)

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it is so for every part."""
        return self._all(step, context, "look")

    def progress(self, *, rehearsal: bool, before: Mapping[str, Progress]) -> dict[str, Progress]:
        """How far the moves of all parts are."""
        out: dict[str, Progress] = {}
        for part in self.parts:
            out |= progress_of(part, rehearsal=rehearsal, before=before)
        return out

    def close(self) -> None:
        """Let go of all connections."""
        for part in self.parts:
            close(part)

    def _all(self, step: Step, context: Context, word: str) -> Outcome:
        waiting: list[NotYet] = []
        evidence: dict[str, Any] = {}
        for part in reversed(self.parts) if step in BACKWARDS else self.parts:
            match getattr(part, word)(step, context):
                case Failed() as failed:
                    return failed
                case NotYet() as later:
                    # Others go on meanwhile.
                    waiting.append(later)
                case Done(found):
                    evidence |= found
        if waiting:
            reasons = "; ".join(item.reason for item in waiting)
            return NotYet(reasons, min(item.look_again_in for item in waiting))
        return Done(evidence)

    def _too_long(self, context: Context) -> Failed | None:
        since = self._stopped_since()
        limit = context.rules.write_pause_seconds
        if since is None or (datetime.now(UTC) - since).total_seconds() <= limit:
            return None
        return Failed(f"[MOV061] writes have been stopped for more than {limit:g} seconds: {_LONGER}")

    def _back(self, context: Context, outcome: Outcome, how: Step) -> Outcome:
        """Let writes in again where they were, unless it went well."""
        if not isinstance(outcome, Failed):
            return outcome
        failed, opened = outcome, _tried(lambda: self._all(how, context, "ensure"))
        if isinstance(opened, Done):
            return Failed(f"{failed.problem}; writes are let in again where they were")
        reason = opened.problem if isinstance(opened, Failed) else opened.reason
        way = "`cancel` does it" if how is Step.WRITES_ALLOWED else "the next `migrate run` goes on with the way back"
        return Failed(f"{failed.problem}; and writes could not be let in again: {reason}; {way}")


def _tried(act: Callable[[], Outcome]) -> Outcome:
    try:
        return act()
    except GovhubError as error:
        return Failed.of(error.diagnostics)


def progress_of(steps: Steps, *, rehearsal: bool, before: Mapping[str, Progress]) -> dict[str, Progress]:
    """How far the moves are whose steps can tell; nothing is changed.

    Args:
        steps: Of a system, or of a part of it.
        rehearsal: The copy of a rehearsal is meant.
        before: Earlier moments by move, to take rates from.

    Raises:
        GovhubError: a server is not reached.
    """
    tell = getattr(steps, "progress", None)
    return tell(rehearsal=rehearsal, before=before) if tell else {}


def close(steps: Steps) -> None:
    """Let go of what steps hold, if they hold anything."""
    release = getattr(steps, "close", None)
    if release is not None:
        with suppress(GovhubError):
            release()
