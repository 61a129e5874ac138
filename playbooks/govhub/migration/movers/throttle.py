"""``python -m …throttle BYTES_PER_SECOND``: passes its input on, no faster. It imports nothing of govhub's others."""

from __future__ import annotations

import os
import sys
import time

CHUNK = 1 << 16


def main(limit: float) -> None:
    """Copy standard input to standard output; a pause is paid for at once, so bursts are one chunk long."""
    due = time.monotonic()
    while chunk := os.read(0, min(CHUNK, max(1, int(limit)))):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        due = max(due, time.monotonic() - 0.1) + len(chunk) / limit
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(float(sys.argv[1]))
