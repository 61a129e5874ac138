"""SHA-256 of large files, remembered for as long as a file is the one that was read."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from govhub.core.files import write_atomic
from govhub.lab.hosts.cached import place

# Twice the coarsest clock of a file system: a file that was written since then may change again under the same times.
SETTLED = 4.0


def digest_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal; read only when it is not the file that was read before.

    What tells files apart is their place on the disk, size, and times. The time of the last change of a file's inode
    cannot be set, so a file that was changed, replaced, or given its old time is read again.

    Raises:
        OSError: it cannot be read.
    """
    path = path.resolve()
    kept = place("digests") / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"
    mark = _mark(path)
    # A damaged note, or one of another version, is none.
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(kept.read_text(encoding="ascii"))
        if note["mark"] == mark and note["path"] == str(path):
            return str(note["sha256"])
    started = time.time()
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    # Also one that was written while we read stays unknown.
    if _mark(path) == mark and path.stat().st_ctime < started - SETTLED:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(kept, json.dumps({"path": str(path), "mark": mark, "sha256": digest}))
    return digest


def _mark(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
