"""A worker in a process of its own, which kills itself before its n-th word to a server within one phase (0: never).

Words to database servers count, and commands on hosts over SSH.

worker.py HUB SYSTEM ITINERARY PHASE N TIME
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.outcome import Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.movers.mariadb.server import Server as Mariadb
from govhub.migration.movers.postgresql.server import Server as Postgresql
from govhub.migration.movers.runner import LocalRunner
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.run import RunSystems, run_systems

LEFT = [0]


class Deadly:
    """The real steps; words are counted in one phase only."""

    def __init__(self, steps: Steps, phase: str, number: int) -> None:
        self._steps, self._phase, self._number = steps, phase, number

    def ensure(self, step: Step, context: Context) -> Outcome:
        LEFT[0] = self._number if context.phase == self._phase else 0
        try:
            return self._steps.ensure(step, context)
        finally:
            LEFT[0] = 0

    def look(self, step: Step, context: Context) -> Outcome:
        return self._steps.look(step, context)

    def close(self) -> None:
        self._steps.close()  # type: ignore[attr-defined]


def counted(word: Callable[..., Any]) -> Callable[..., Any]:
    def said(*arguments: Any, **more: Any) -> Any:
        if LEFT[0]:
            LEFT[0] -= 1
            if not LEFT[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        return word(*arguments, **more)

    return said


def main() -> None:
    hub, system, itinerary, phase, number, moment = sys.argv[1:]
    for server, word in ((Postgresql, "rows"), (Mariadb, "rows"), (LocalRunner, "run"), (Tunnel, "run")):
        setattr(server, word, counted(getattr(server, word)))

    def steps(found: Hub, name: str) -> Steps:
        return Deadly(steps_of(found, name), phase, int(number))

    request = RunSystems(
        hub=hub,
        systems=(system,),
        itinerary=itinerary,
        steps=steps,
        clock=lambda: datetime.fromisoformat(moment),
        wait=20,
    )
    sys.stdout.write(json.dumps(run_systems(request)["systems"]) + "\n")


if __name__ == "__main__":
    main()
