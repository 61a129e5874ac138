"""The first copy of a MariaDB database, from one snapshot, whose transaction number is where replication begins.

With mydumper and myloader on the mover's host, rows go by several sessions at a time; definitions still come from
``mariadb-dump``, which knows all of MariaDB's. Without them, or with a limit of bandwidth, it is one stream.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from govhub.migration.movers.mariadb.server import Server, literal, name
from govhub.migration.movers.protocol import Limits, MoveFailed
from govhub.migration.movers.runner import Command, Runner

_THROTTLE = f"{__package__.rsplit('.', 1)[0]}.throttle"
_GTID = re.compile(r"^\s*GTID:\s*([0-9,-]+)\s*$", re.MULTILINE)
_DUMP = ("--single-transaction", "--quick", "--hex-blob", "--default-character-set=utf8mb4")
PARALLEL = ("mydumper", "myloader")


def copy(runner: Runner, source: Server, target: Server, folder: str, limits: Limits) -> None:
    """Copy into the empty database of the same name, and set where replication begins.

    Raises:
        MoveFailed: the copy failed (MOV303); it can be begun again.
    """
    place = runner.folder(folder)
    try:
        if limits.bandwidth is None and _there(runner, *PARALLEL):
            _in_parallel(runner, source, target, place, limits.parallel)
        else:
            _in_one_stream(runner, source, target, place, limits.bandwidth)
    finally:
        runner.forget(folder)


def _in_one_stream(runner: Runner, source: Server, target: Server, place: Path, bandwidth: int | None) -> None:
    database = source.endpoint.database
    then = target.command("mariadb", place, database)
    if bandwidth is not None:
        then = Command(arguments=(sys.executable, "-m", _THROTTLE, str(bandwidth)), then=then)
    options = [*_DUMP, "--gtid", "--master-data=1", "--routines", "--events", "--triggers"]
    _run(runner, source.command("mariadb-dump", place, *options, database, then=then), database)


def _in_parallel(runner: Runner, source: Server, target: Server, place: Path, sessions: int) -> None:
    database = source.endpoint.database
    into = target.command("mariadb", place, database)
    # Functions too, which views need.
    tables = [*_DUMP, "--no-data", "--skip-triggers", "--routines"]
    _run(runner, source.command("mariadb-dump", place, *tables, database, then=into), database)
    rows, threads = place / "rows", str(max(1, sessions))
    # Not --kill-long-queries: others' statements are not ours to end, and one that is too long ends the dump instead.
    options = ["--no-schemas", "--trx-consistency-only", "--threads", threads, "--outputdir", str(rows)]
    _run(runner, source.command("mydumper", place, "--database", database, *options), database)
    load = ["--database", database, "--threads", threads, "--directory", str(rows)]
    _run(runner, target.command("myloader", place, *load), database)
    # Last: triggers would fire on rows that they fired on already, and events would begin to change them.
    later = [*_DUMP, "--no-data", "--no-create-info", "--triggers", "--events"]
    _run(runner, source.command("mariadb-dump", place, *later, database, then=into), database)
    told = runner.run(Command(arguments=("cat", str(rows / "metadata")))).output.decode(errors="replace")
    found = _GTID.search(told)
    if found is None:
        raise _failed(database, "the dump does not say at which transaction it was taken")
    target.rows("SET GLOBAL gtid_slave_pos = " + literal(found.group(1)))


def _there(runner: Runner, *tools: str) -> bool:
    """Whether tools are where commands run."""
    script = 'for tool; do command -v "$tool" >/dev/null || exit 1; done'
    return runner.run(Command(arguments=("sh", "-c", script, "sh", *tools))).code == 0


def _run(runner: Runner, command: Command, database: str) -> None:
    done = runner.run(command)
    # myloader says of rows that it could not load, and of nothing else, that they are critical.
    if done.code or "CRITICAL" in done.errors:
        raise _failed(database, done.errors.strip()[-600:])


def _failed(database: str, detail: str) -> MoveFailed:
    return MoveFailed.one(
        "MOV303",
        f"the copy of the database {database} failed",
        detail=detail,
        hint="correct what it says, then start again: the copy begins from the beginning",
    )


def make_database(source: Server, target: Server) -> None:
    """An empty database with the source's character set, in place of what a broken copy left."""
    database = source.endpoint.database
    target.rows(f"DROP DATABASE IF EXISTS {name(database)}")
    charset = source.rows(
        "SELECT DEFAULT_CHARACTER_SET_NAME AS c, DEFAULT_COLLATION_NAME AS o FROM information_schema.SCHEMATA "
        "WHERE SCHEMA_NAME = %s",
        [database],
    )[0]
    target.rows(f"CREATE DATABASE {name(database)} CHARACTER SET {charset['c']} COLLATE {charset['o']}")
