"""Archives where a move's tools run: a copy of what moves that was read through once; its digest is kept here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from govhub.core.files import private_folder, write_atomic
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import HERE, Command, Runner


def make(runner: Runner, path: Path, how: str, write: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Have a private file written and read through, and note its digest; once for each ``path``.

    Args:
        runner: Where the file is to lie.
        path: The archive.
        how: How it is made, for the record.
        write: Writes it to the path that it is given, reads it through, and says what is in it.

    Raises:
        MoveFailed: it cannot be written or read (MOV062).
    """
    if _note(path).exists() and (_elsewhere(runner, path) or runner.matching(path.parent, path.name)):
        return look(runner, path)
    private_folder(path.parent)
    scratch = path.with_suffix(".part")
    runner.fresh(scratch)
    inside = write(scratch)
    found = runner.facts(scratch)
    if found is None:
        raise failed(f"the archive {path} was removed while it was written", "")
    document = {"how": how, "bytes": found.bytes, "sha256": found.sha256, **inside, "mover": runner.where}
    runner.keep(scratch, path)
    write_atomic(_note(path), json.dumps(document))
    return document | {"archive": str(path)}


def look(runner: Runner, path: Path) -> dict[str, Any]:
    """Whether an archive is what was noted of it.

    Raises:
        MoveFailed: it is gone, lies elsewhere or was changed (MOV062).
    """
    try:
        document: dict[str, Any] = json.loads(_note(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise failed(f"the archive {path} cannot be read", str(error)) from error
    if _elsewhere(runner, path):
        raise failed(f"the archive {path} lies on {document['mover']}, and movers run on {runner.where} now", "")
    found = runner.facts(path)
    if found is None:
        raise failed(f"the archive {path} is not there any more", f"it was on {runner.where}")
    if found.sha256 != document["sha256"]:
        raise failed(
            f"the archive {path} is not what was written", f"sha256 {found.sha256}, noted {document['sha256']}"
        )
    return document | {"archive": str(path)}


def remove_all(runner: Runner, folder: Path, pattern: str) -> None:
    """Remove archives with their notes, and what was left of those that were not finished."""
    for path in runner.matching(folder, f"{pattern}.*"):
        runner.remove(path)
    for path in folder.glob(f"{pattern}*.json"):
        path.unlink()


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
    hint = "see that there is room where the mover runs, then repeat; remove a damaged archive by hand"
    return MoveFailed.one("MOV062", summary, detail=detail, hint=hint)


def _elsewhere(runner: Runner, path: Path) -> bool:
    try:
        where = json.loads(_note(path).read_text(encoding="utf-8")).get("mover", HERE)
    except (OSError, ValueError):
        return False
    return bool(where != runner.where)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")
