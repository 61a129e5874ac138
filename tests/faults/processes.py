"""Whether processes live: one that has ended but was not collected yet does not."""

from __future__ import annotations

import time
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether the process runs; zombies do not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in ("Z", "X")


def gone(numbers: list[int], seconds: float = 5.0) -> bool:
    """Whether all have ended within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(map(alive, numbers)):
            return True
        time.sleep(0.05)
    return False
