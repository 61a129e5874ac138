"""Files that survive a crash: written beside the old one, synced, then renamed over it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def private_folder(path: Path) -> Path:
    """Make ``path`` (and its parents) with mode 700: run folders and state are nobody else's business."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    # Path.mkdir gives its mode to the last folder only; the parents would be open to others.
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    return path


def write_atomic(path: Path, data: str | bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace ``path`` by ``data`` as one step.

    Raises:
        OSError: nothing was changed; the temporary file is gone too (a full disk, say).
    """
    _write(path, data, mode, replace=True)


def write_new(path: Path, data: str | bytes, *, mode: int = PRIVATE_FILE) -> bool:
    """The same, but only if ``path`` is new; False when somebody else was first (two first runs at once).

    Raises:
        OSError: nothing was changed.
    """
    try:
        _write(path, data, mode, replace=False)
    except FileExistsError:
        return False
    return True


def _write(path: Path, data: str | bytes, mode: int, *, replace: bool) -> None:
    raw = data.encode() if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(mode)
        if replace:
            scratch.replace(path)
        else:
            path.hardlink_to(scratch)
            scratch.unlink()
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a rename or a new name in ``path`` durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
