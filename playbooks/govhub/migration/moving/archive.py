"""Archives of a database on this machine: a dump that was read through once, with its digest beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from govhub.core.files import private_folder, sync_folder, write_atomic
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Runner

HOW = "pg_dump in the custom format, read through by pg_restore; it was not restored into a server"


def make(runner: Runner, server: Server, path: Path) -> dict[str, Any]:
    """Dump a database into a private file, read the dump through, and note its digest; once for each ``path``.

    Raises:
        MoveFailed: it cannot be dumped or read (MOV062).
    """
    if path.exists() and _note(path).exists():
        return look(path)
    private_folder(path.parent)
    scratch = path.with_suffix(".part")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    # Jobs would need a folder; a backup is one file that one digest speaks for.
    _run(runner, server.command("pg_dump", "-Fc", "-f", str(scratch)))
    tables = read_through(runner, server, scratch)
    document = {"how": HOW, "bytes": scratch.stat().st_size, "sha256": _digest(scratch), "tables_with_rows": tables}
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
        raise _failed(f"the archive {path} cannot be read", str(error)) from error
    if found != document["sha256"]:
        raise _failed(f"the archive {path} is not what was written", f"sha256 {found}, noted {document['sha256']}")
    return document | {"archive": str(path)}


def remove(path: Path) -> None:
    """Remove an archive with its note."""
    for item in (path, path.with_suffix(".part"), _note(path)):
        item.unlink(missing_ok=True)


def read_through(runner: Runner, server: Server, path: Path) -> int:
    """Have pg_restore read every block; how many tables have rows in it."""
    tool = server.command("pg_restore").arguments[0]
    _run(runner, Command(arguments=(tool, "-f", "/dev/null", str(path))))
    listed = _run(runner, Command(arguments=(tool, "-l", str(path))))
    return sum(" TABLE DATA " in line for line in listed.decode(errors="replace").splitlines())


def _run(runner: Runner, command: Command) -> bytes:
    done = runner.run(command)
    if done.code:
        errors = [line for line in done.errors.splitlines() if "rror" in line] or done.errors.splitlines()
        raise _failed("the database cannot be archived", "\n".join(errors[-8:]))
    return done.output


def _failed(summary: str, detail: str) -> MoveFailed:
    hint = "see that there is room on this machine, then repeat; remove a damaged archive by hand"
    return MoveFailed.one("MOV062", summary, detail=detail, hint=hint)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
