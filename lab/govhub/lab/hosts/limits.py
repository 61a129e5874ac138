"""Settings of this machine's kernel that all hosts on it share: set while there are hosts, put back afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from govhub.core.files import write_atomic

# All hosts' services are one user to the kernel; systemd watches files with about five instances a host.
NEEDED = {"fs/inotify/max_user_instances": 8192}
# A kubelet insists on these, and in a container it cannot set them itself.
OF_NODES = {"vm/overcommit_memory": 1, "kernel/panic": 10, "kernel/panic_on_oops": 1}
_NOTE = "limits.json"


def raise_limits(folder: Path, proc: Path = Path("/proc/sys")) -> None:
    """Raise what is too low, and note in ``folder`` what it was."""
    _set(folder, {name: value for name, value in NEEDED.items() if int((proc / name).read_text()) < value}, proc)


def prepare_nodes(folder: Path, proc: Path = Path("/proc/sys")) -> None:
    """Set what kubelets insist on, and note in ``folder`` what it was."""
    _set(folder, {name: value for name, value in OF_NODES.items() if int((proc / name).read_text()) != value}, proc)


def restore_limits(folder: Path, proc: Path = Path("/proc/sys")) -> None:
    """Put back what was noted."""
    for name, value in _noted(folder).items():
        (proc / name).write_text(str(value))


def _set(folder: Path, values: Mapping[str, int], proc: Path) -> None:
    former = {name: int((proc / name).read_text()) for name in values}
    if former:
        # Before it is changed, and never over what was noted first.
        write_atomic(folder / _NOTE, json.dumps(former | _noted(folder)))
    for name, value in values.items():
        (proc / name).write_text(str(value))


def _noted(folder: Path) -> dict[str, int]:
    path = folder / _NOTE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
