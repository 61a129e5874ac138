"""Archives on this machine: a copy of what moves that was read through once, with its digest beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from govhub.core.files import private_folder, sync_folder, write_atomic
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Runner


def make(path: Path, how: str, write: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Have a private file written and read through, and note its digest; once for each ``path``.

    Args:
        path: The archive.
        how: How it is made, for the record.
        write: Writes it to the path that it is given, reads it through, and says what is in it.

    Raises:
        MoveFailed: it cannot be written or read (MOV062).
    """
    if path.exists() and _note(path).exists():
        return look(path)
    private_folder(path.parent)
    scratch = path.with_suffix(".part")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    inside = write(scratch)
    document = {"how": how, "bytes": scratch.stat().st_size, "sha256": _digest(scratch), **inside}
    scratch.replace(path)
    sync_folder(path.parent)
    write_atomic(_note(path), json.dumps(document))
    return document | {"archive": str(path)}


def look(path: Path) -> dict[str, Any]:
    """Whether an archive is what was noted of it.

    Raises:
        MoveFailed: it is gone or was changed (MOV062).
    """
    try:
        document: dict[str, Any] = json.loads(_note(path).read_text(encoding="utf-8"))
        found = _digest(path)
    except (OSError, ValueError) as error:
        raise failed(f"the archive {path} cannot be read", str(error)) from error
    if found != document["sha256"]:
        raise failed(f"the archive {path} is not what was written", f"sha256 {found}, noted {document['sha256']}")
    return document | {"archive": str(path)}


def remove(path: Path) -> None:
    """Remove an archive with its note."""
    for item in (path, path.with_suffix(".part"), _note(path)):
        item.unlink(missing_ok=True)


def run(runner: Runner, command: Command) -> bytes:
    """Run a command that makes or reads an archive; what it wrote.

    Raises:
        MoveFailed: it fails (MOV062).
    """
    done = runner.run(command)
    if done.code:
        errors = [line for line in done.errors.splitlines() if "rror" in line] or done.errors.splitlines()
        raise failed("the archive cannot be made", "\n".join(errors[-8:]))
    return done.output


def failed(summary: str, detail: str) -> MoveFailed:
    """An archive that is not one."""
    hint = "see that there is room on this machine, then repeat; remove a damaged archive by hand"
    return MoveFailed.one("MOV062", summary, detail=detail, hint=hint)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
