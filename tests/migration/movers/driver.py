"""A controller as a process of its own, which kills itself before its n-th word to a server (0: never)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.core.secrets import Secret
from govhub.migration.cutover.sequence import cut_over
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import Direction, Limits, Stage
from govhub.migration.movers.runner import LocalRunner


class _Lead:
    """Leads the writers by a file."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan

    def stop_writes(self, direction: Direction) -> None: ...

    def verify(self, direction: Direction) -> list[Diagnostic]:
        return []

    def switch(self, direction: Direction) -> None:
        side = "target" if direction is Direction.FORWARD else "source"
        lead = Path(self._plan["lead"])
        fresh = lead.with_suffix(".new")
        fresh.write_text(self._plan["addresses"][side])
        fresh.rename(lead)

    def resume_writes(self, direction: Direction) -> None: ...


def main(plan: dict[str, Any], fatal: int) -> None:
    words, rows = 0, Server.rows

    def counted(self: Server, *arguments: Any) -> list[tuple[Any, ...]]:
        nonlocal words
        words += 1
        if words == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows(self, *arguments)

    Server.rows = counted  # type: ignore[method-assign,assignment]
    source, target = (
        Endpoint(password=Secret(os.environ["DRIVER_PASSWORD"]), **plan[side]) for side in ("source", "target")
    )
    options = Options(limits=Limits(**plan.get("limits", {})))
    mover = PostgresMover(plan["move"], source, target, LocalRunner(Path(plan["folder"])), options)
    for word in plan["do"]:
        if word == "copy":
            mover.prepare()
            mover.start()
            now = mover.advance()
            while now.stage not in {Stage.FOLLOWING, Stage.MOVED}:
                time.sleep(0.1)
                now = mover.advance(now)
        elif word == "cancel":
            mover.cancel()
        else:
            outcome = cut_over(mover, _Lead(plan), direction=Direction(word))
            assert outcome.done, outcome
    print(words)  # noqa: T201 - how many words a whole run takes


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]))
