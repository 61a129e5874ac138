"""A worker in a process of its own, which kills itself before its n-th word to a server within one phase (0: never).

worker.py HUB SYSTEM ITINERARY PHASE N TIME

PHASE may be ``*``: words of all phases are counted together. With HANG in the environment it makes that file and
stands still instead; with COUNT it writes how many words each phase took.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.migration.itinerary.outcome import Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.movers.mariadb.server import Server as Mariadb
from govhub.migration.movers.postgresql.server import Server as Postgresql
from govhub.migration.movers.runner import LocalRunner
from govhub.migration.verify.side import Side
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.run import RunSystems, run_systems

EVERY = "*"


class Words:
    """Counts what is said to servers, and ends the process in time."""

    def __init__(self, phase: str, number: int) -> None:
        self.phase, self.number = phase, number
        self.now = ""
        self.said: Counter[str] = Counter()

    def begin(self, phase: str) -> None:
        self.now = phase

    def say(self) -> None:
        self.said[self.now] += 1
        said = sum(self.said.values()) if self.phase == EVERY else self.said[self.now] * (self.now == self.phase)
        if said and said == self.number:
            self._end()

    def _end(self) -> None:
        if hanging := os.environ.get("HANG"):
            Path(hanging).touch()
            time.sleep(600)
        os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: type, name: str) -> None:
        """Count the calls of a method."""
        method: Callable[..., Any] = getattr(owner, name)

        def counted(this: Any, *arguments: Any, **more: Any) -> Any:
            self.say()
            return method(this, *arguments, **more)

        setattr(owner, name, counted)


class Deadly:
    """The real steps; words are counted by phase."""

    def __init__(self, steps: Steps, words: Words) -> None:
        self._steps, self._words = steps, words

    def ensure(self, step: Step, context: Context) -> Outcome:
        return self._counted(self._steps.ensure, step, context)

    def look(self, step: Step, context: Context) -> Outcome:
        return self._counted(self._steps.look, step, context)

    def _counted(self, act: Callable[[Step, Context], Outcome], step: Step, context: Context) -> Outcome:
        self._words.begin(context.phase)
        try:
            return act(step, context)
        finally:
            self._words.begin("")

    def close(self) -> None:
        self._steps.close()  # type: ignore[attr-defined]


def main() -> None:
    hub, system, itinerary, phase, number, moment = sys.argv[1:]
    words = Words(phase, int(number))
    # Statements of the movers, statements of the verification, tools such as pg_dump, and commands on hosts.
    for owner, name in ((Postgresql, "rows"), (Mariadb, "rows"), (Side, "ask"), (LocalRunner, "run"), (Tunnel, "run")):
        words.around(owner, name)

    def steps(found: Hub, name: str) -> Steps:
        return Deadly(steps_of(found, name), words)

    request = RunSystems(
        hub=hub,
        systems=(system,),
        itinerary=itinerary,
        steps=steps,
        clock=lambda: datetime.fromisoformat(moment),
        wait=float(os.environ.get("WAIT", "20")),
        lease=float(os.environ.get("LEASE", "30")),
    )
    found = run_systems(request)["systems"]
    if counted := os.environ.get("COUNT"):
        with Path(counted).open("a", encoding="utf-8") as out:
            out.write(json.dumps(words.said) + "\n")
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
