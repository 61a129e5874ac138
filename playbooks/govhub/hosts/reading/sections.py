"""The script that reads a host; what it answers is a :class:`govhub.core.sections.Reading`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

_PROBE = Path(__file__).with_name("probe.sh")


def command(mark: str, settings: Iterable[str], units: Iterable[str]) -> tuple[str, str]:
    """The shell command that reads a host, and the script for its standard input."""
    words = ["/bin/sh", "-s", "--", mark, " ".join(sorted(set(settings))), " ".join(sorted(set(units)))]
    return shlex.join(words), _PROBE.read_text(encoding="utf-8")
