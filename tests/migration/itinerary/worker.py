"""A worker in a process of its own, which may kill itself with SIGKILL at a named point.

    worker.py HUB SYSTEM ITINERARY POINT LEASE TIME WAIT

A point is ``before:EnsureX``, ``inside:EnsureX``, ``after:EnsureX`` (around what a phase does to the system), or
``record:KIND:EnsureX`` and ``recorded:KIND:EnsureX`` (around an entry in the record), or ``-`` for none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from govhub.core.events import Event
from govhub.inventory.loader import Hub
from govhub.migration.itinerary import folders, trees
from govhub.migration.itinerary.outcome import Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.record.store import Record
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.run import RunSystems, run_systems


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """The real steps, with a death at one point."""

    def __init__(self, steps: Steps, point: str) -> None:
        self._steps, self._point = steps, point

    def ensure(self, step: Step, context: Context) -> Outcome:
        return self._around(step, context, self._steps.ensure)

    def look(self, step: Step, context: Context) -> Outcome:
        return self._around(step, context, self._steps.look)

    def _around(self, step: Step, context: Context, act: Any) -> Outcome:
        if self._point == f"before:{context.phase}":
            die()
        if self._point == f"inside:{context.phase}":
            _half_a_tree()
        if self._point == f"hang:{context.phase}":
            Path(os.environ["HANGING"]).write_text("here")
            time.sleep(600)
        outcome: Outcome = act(step, context)
        if self._point == f"after:{context.phase}":
            die()
        return outcome


def _half_a_tree() -> None:
    """Let the third file that is copied, frozen, removed or read be the last one."""
    count = 0

    def counted(function: Any) -> Any:
        def wrapper(*words: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count >= 3:
                die()
            return function(*words, **more)

        return wrapper

    trees._copy = counted(trees._copy)
    trees._digest = counted(trees._digest)
    Path.chmod = counted(Path.chmod)  # type: ignore[method-assign]
    vars(folders)["point"] = _deadly_point


def _deadly_point(link: Path, to: Path) -> None:
    # The new link is there under its scratch name, and not yet in place.
    link.with_name(f".{link.name}.next").symlink_to(to)
    die()


def deadly_record(point: str) -> None:
    """Die before or after a certain event is appended."""
    append = Record.append

    def deadly(self: Record, kind: str, chain: str, data: dict[str, Any], **more: Any) -> Event:
        name = f"{kind}:{data.get('phase', '')}"
        if point == f"record:{name}":
            die()
        event = append(self, kind, chain, data, **more)
        if point == f"recorded:{name}":
            die()
        return event

    Record.append = deadly  # type: ignore[method-assign]


def main() -> None:
    hub, system, itinerary, point, lease, moment, wait = sys.argv[1:]
    deadly_record(point)

    def steps(found: Hub, name: str) -> Steps:
        return Deadly(steps_of(found, name), point)

    request = RunSystems(
        hub=hub,
        systems=(system,),
        itinerary=itinerary,
        steps=steps,
        clock=lambda: datetime.fromisoformat(moment),
        lease=float(lease),
        wait=float(wait),
    )
    sys.stdout.write(json.dumps(run_systems(request)["systems"]) + "\n")


if __name__ == "__main__":
    main()
