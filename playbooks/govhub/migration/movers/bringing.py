"""Files that commands wrote elsewhere, brought to this machine piece by piece."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Done

_PIECE = 4
"""MiB at a time: what is said by a command is held in memory, and in a cluster it has to fit into the log of a pod."""


def bring(run: Callable[[Command], Done], path: Path, here: Path) -> Path:
    """Have the file ``path`` of over there in the private file ``here``.

    Raises:
        MoveFailed: it cannot be read there (MOV408).
    """
    here.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(here, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        piece = 0
        while True:
            words = ("dd", f"if={path}", "bs=1M", f"skip={piece * _PIECE}", f"count={_PIECE}", "status=none")
            done = run(Command(arguments=words))
            if done.code:
                here.unlink()
                detail, hint = done.errors.strip()[-300:], "look at the mover, then repeat"
                raise MoveFailed.one("MOV408", f"a mover's file {path.name} cannot be read", detail=detail, hint=hint)
            file.write(done.output)
            if len(done.output) < _PIECE << 20:
                return here
            piece += 1
