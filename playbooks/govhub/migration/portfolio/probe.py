"""The script that reads a source in one round trip, and the command that runs it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

SECONDS = 180.0
"""What a source is given to answer: folders and large databases take their time."""
_PROBE = Path(__file__).with_name("probe.sh")


def command(mark: str, folders: Iterable[str], units: Iterable[str]) -> tuple[str, str]:
    """The shell command that reads a source, and the script for its standard input.

    Args:
        mark: A word that no output can guess.
        folders: Absolute paths to measure.
        units: Systemd units to ask for.
    """
    words = ["/bin/sh", "-s", "--", mark, "\n".join(sorted(set(folders))), " ".join(sorted(set(units)))]
    return shlex.join(words), _PROBE.read_text(encoding="utf-8")
