"""Limits of this machine that many hosts on it share: raised while there are hosts, put back afterwards."""

from __future__ import annotations

import json
from pathlib import Path

from govhub.core.files import write_atomic

# All hosts' services are one user to the kernel; systemd watches files with about five instances a host.
NEEDED = {"fs/inotify/max_user_instances": 8192}
_NOTE = "limits.json"


def raise_limits(folder: Path, proc: Path = Path("/proc/sys")) -> None:
    """Raise what is too low, and note what it was in ``folder`` before it is changed."""
    former = json.loads((folder / _NOTE).read_text()) if (folder / _NOTE).exists() else {}
    low = {name: value for name in NEEDED if (value := int((proc / name).read_text())) < NEEDED[name]}
    if low:
        write_atomic(folder / _NOTE, json.dumps(low | former))
    for name in low:
        (proc / name).write_text(str(NEEDED[name]))


def restore_limits(folder: Path, proc: Path = Path("/proc/sys")) -> None:
    """Put back what was noted."""
    if (folder / _NOTE).exists():
        for name, value in json.loads((folder / _NOTE).read_text()).items():
            (proc / name).write_text(str(value))
