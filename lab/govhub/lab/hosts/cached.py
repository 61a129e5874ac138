"""Folders that are made once and kept in the cache."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from govhub.core.settings import cache

_SCRATCH = ".building-"


def place(name: str) -> Path:
    """Where a folder of the lab's hosts is kept."""
    return cache() / "hosts" / name


def made_once(target: Path, make: Callable[[Path], None]) -> None:
    """Make ``target`` unless it is there; two at once wait for each other.

    Args:
        target: The folder.
        make: Fills a folder beside it, which takes its name when that is through, so that a half one is never used.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            return
        # The lock is ours, so whoever began these was killed. Nothing is mounted there: that is done out of our sight.
        for stale in target.parent.glob(f"{_SCRATCH}*"):
            shutil.rmtree(stale, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=_SCRATCH))
        try:
            scratch.chmod(0o755)
            make(scratch)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
