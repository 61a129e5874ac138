"""Which process this is, in words that another process can judge: numbers alone are used again."""

from __future__ import annotations

from pathlib import Path


def boot_id() -> str:
    """The identity of this boot of the machine; empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def process_started(pid: int) -> str:
    """Start time of a process in clock ticks since boot; empty when there is no such process."""
    try:
        # The command name may hold spaces and brackets; the fields after the last bracket are safe to split.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
