"""The script that reads a source in one round trip, and the command that runs it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

SECONDS = 180.0
"""What a source is given to answer: folders and large databases take their time."""
BEGUN = 0.6
"""The part of that in which sections may begin: what has begun comes to an end, and the answer is whole."""
_PROBE = Path(__file__).with_name("probe.sh")


def command(mark: str, folders: Iterable[str], units: Iterable[str], seconds: float = SECONDS) -> tuple[str, str]:
    """The shell command that reads a source, and the script for its standard input.

    Args:
        mark: A word that no output can guess.
        folders: Absolute paths to measure.
        units: Systemd units to ask for.
        seconds: What the source is given; what it has not begun in the first part of that is left unread.
    """
    lists = ("\n".join(sorted(set(folders))), " ".join(sorted(set(units))))
    words = ["/bin/sh", "-s", "--", mark, *lists, str(max(1, int(seconds * BEGUN)))]
    return shlex.join(words), _PROBE.read_text(encoding="utf-8")
