"""One run in a process of its own, for tests that kill it or start two at once.

``kill_worker.py FOLDER [up|destroy] [NAME …]`` confirms the names, prints a line per event, and one with the end:
``{"exit": …, "status": …, "error": …}``. ``WORKER_HOLD=EVENT=FILE`` has it wait for a file at an event.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.events import Event
from govhub.ops.destroy import destroy
from govhub.ops.requests import RunRequest
from govhub.ops.up import up

HOLD_SECONDS = 60.0


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _listen(event: Event) -> None:
    _say({"event": event.kind, **event.data})
    kind, _, path = os.environ.get("WORKER_HOLD", "").partition("=")
    if kind == event.kind:
        deadline = time.monotonic() + HOLD_SECONDS
        while not Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.05)


def main(folder: str, operation: str = "up", *confirm: str) -> int:
    """Run, and exit as the command line would."""
    request = RunRequest(hub=folder, wait=0, confirm=confirm, listener=_listen)
    try:
        result = (destroy if operation == "destroy" else up)(request)
    except GovhubError as error:
        _say({"exit": int(error.exit), "status": "error", "error": str(error)})
        return int(error.exit)
    problems = [item.summary for item in result.problems]
    _say({"exit": int(result.exit), "status": result.status, "run": result.run, "error": "; ".join(problems)})
    return int(result.exit)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
