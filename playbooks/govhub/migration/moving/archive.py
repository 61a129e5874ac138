"""Archives of a database where its mover runs: a dump that was read through once; its digest is kept here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from govhub.core.files import private_folder, write_atomic
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import HERE, Command, Runner

HOW = "pg_dump in the custom format, read through by pg_restore; it was not restored into a server"


def make(runner: Runner, server: Server, path: Path) -> dict[str, Any]:
    """Dump a database into a private file, read the dump through, and note its digest; once for each ``path``.

    Raises:
        MoveFailed: it cannot be dumped or read (MOV062).
    """
    if _note(path).exists() and (_elsewhere(runner, path) or runner.matching(path.parent, path.name)):
        return look(runner, path)
    private_folder(path.parent)
    scratch = path.with_suffix(".part")
    runner.fresh(scratch)
    # Jobs would need a folder; a backup is one file that one digest speaks for.
    _run(runner, server.command("pg_dump", "-Fc", "-f", str(scratch)))
    tables = read_through(runner, server, scratch)
    found = runner.facts(scratch)
    if found is None:
        raise _failed(f"the archive {path} was removed while it was written", "")
    document = {"how": HOW, "bytes": found.bytes, "sha256": found.sha256, "tables_with_rows": tables}
    document |= {"mover": runner.where}
    runner.keep(scratch, path)
    write_atomic(_note(path), json.dumps(document))
    return document | {"archive": str(path)}


def look(runner: Runner, path: Path) -> dict[str, Any]:
    """Whether an archive is what was noted of it.

    Raises:
        MoveFailed: it is gone, was changed, or lies where another mover runs (MOV062).
    """
    try:
        document: dict[str, Any] = json.loads(_note(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _failed(f"the archive {path} cannot be read", str(error)) from error
    if _elsewhere(runner, path):
        raise _failed(f"the archive {path} lies on {document['mover']}, and movers run on {runner.where} now", "")
    found = runner.facts(path)
    if found is None:
        raise _failed(f"the archive {path} is not there any more", f"it was on {runner.where}")
    if found.sha256 != document["sha256"]:
        raise _failed(
            f"the archive {path} is not what was written", f"sha256 {found.sha256}, noted {document['sha256']}"
        )
    return document | {"archive": str(path)}


def remove_all(runner: Runner, folder: Path, pattern: str) -> None:
    """Remove archives with their notes, and what was left of those that were not finished."""
    for path in runner.matching(folder, f"{pattern}.*"):
        runner.remove(path)
    for path in folder.glob(f"{pattern}.json"):
        path.unlink()


def _elsewhere(runner: Runner, path: Path) -> bool:
    try:
        where = json.loads(_note(path).read_text(encoding="utf-8")).get("mover", HERE)
    except (OSError, ValueError):
        return False
    return bool(where != runner.where)


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
    hint = "see that there is room where the mover runs, then repeat; remove a damaged archive by hand"
    return MoveFailed.one("MOV062", summary, detail=detail, hint=hint)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")
