"""The first copy of a MariaDB database, from one snapshot, whose transaction number is where replication begins.

With mydumper and myloader on the mover's host, rows go by several sessions at a time; definitions still come from
``mariadb-dump``, which knows all of MariaDB's. Without them, or with a limit of bandwidth or of load, it is one stream.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from govhub.migration.governor import Governor
from govhub.migration.governor import Limits as Limited
from govhub.migration.movers.mariadb.server import Server, name
from govhub.migration.movers.protocol import Limits, MoveFailed
from govhub.migration.movers.runner import Command, Runner

_THROTTLE = f"{__package__.rsplit('.', 1)[0]}.throttle"
_GTID = re.compile(r"^\s*GTID:\s*([0-9,-]+)\s*$", re.MULTILINE)
_NOTED = re.compile(rb"^-- SET GLOBAL gtid_slave_pos='([0-9,-]*)';", re.MULTILINE)
# Where the remark stands in a dump depends on the version; line ends of values are escaped, so it is one line.
_NOTING = "/^-- SET GLOBAL gtid_slave_pos=/w {}"
_DUMP = ("--single-transaction", "--quick", "--hex-blob", "--default-character-set=utf8mb4")
PARALLEL = ("mydumper", "myloader")


def copy(runner: Runner, source: Server, target: Server, folder: str, limits: Limits, *, logged: bool) -> str:
    """Copy into the empty database of the same name; returns the position from which replication begins.

    Args:
        runner: Where the tools run.
        source: Where the rows come from.
        target: Where they go.
        folder: A name for the scratch folder.
        limits: What may be taken from the source.
        logged: Rows have to be in the target's binary log: standbys and backups live on it.

    Raises:
        MoveFailed: the copy failed (MOV303); it can be begun again.
    """
    place = runner.folder(folder)
    free = limits.bandwidth is None and limits.active_sessions is None
    try:
        if free and not _quoted(source) and _there(runner, *PARALLEL):
            return _in_parallel(runner, source, target, place, limits.parallel, logged=logged)
        with _governed(runner, source, place / "held", limits.active_sessions):
            return _in_one_stream(runner, source, target, place, None if free else limits.bandwidth or math.inf)
    finally:
        runner.forget(folder)


@contextmanager
def _governed(runner: Runner, source: Server, held: Path, others: int | None) -> Iterator[None]:
    """Have the file ``held`` there, which the stream waits for, while more sessions of others are at work there."""
    if others is None:
        yield
        return
    watching = Server(source.endpoint)

    def changed(wait: bool) -> None:
        runner.run(Command(arguments=("touch", str(held)) if wait else ("rm", "-f", str(held))))

    governor = Governor(Limited(others=others), lambda: active_sessions(watching), changed=changed)
    try:
        governor.wait(lambda: False)
        yield
    finally:
        governor.stop()
        watching.close()


def active_sessions(server: Server) -> int:
    """Sessions at work on a server, without the move's own, and without replication's."""
    statement = (
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER NOT IN %s"
        " AND COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump')"
    )
    return int(server.value(statement, [(server.endpoint.user, "system user")]))


def _in_one_stream(runner: Runner, source: Server, target: Server, place: Path, bandwidth: float | None) -> str:
    database = source.endpoint.database
    then = target.command("mariadb", place, database)
    if bandwidth is not None:
        then = Command(arguments=(sys.executable, "-m", _THROTTLE, str(bandwidth), str(place / "held")), then=then)
    noted = place / "position"
    then = Command(arguments=("env", "LC_ALL=C", "sed", _NOTING.format(noted)), then=then)
    # As a remark: the target sets its position beside those of its other channels.
    options = [*_DUMP, "--gtid", "--master-data=2", "--routines", "--events", "--triggers"]
    _run(runner, source.command("mariadb-dump", place, *options, database, then=then), database)
    found = _NOTED.search(_read(runner, noted))
    if found is None:
        raise _failed(database, "the dump does not say at which transaction it was taken")
    return found.group(1).decode()


def _quoted(source: Server) -> bool:
    """Whether a table's name has a quote in it, which mydumper does not double."""
    query = "SELECT count(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME LIKE %s"
    return bool(source.rows(query, [source.endpoint.database, "%`%"])[0]["n"])


def _in_parallel(runner: Runner, source: Server, target: Server, place: Path, sessions: int, *, logged: bool) -> str:
    database = source.endpoint.database
    into = target.command("mariadb", place, database)
    # Functions too, which views need.
    tables = [*_DUMP, "--no-data", "--skip-triggers", "--routines"]
    _run(runner, source.command("mariadb-dump", place, *tables, database, then=into), database)
    rows, threads = place / "rows", str(max(1, sessions))
    # Not --kill-long-queries: others' statements are not ours to end, and one that is too long ends the dump instead.
    options = ["--no-schemas", "--trx-consistency-only", "--threads", threads, "--outputdir", str(rows)]
    _run(runner, source.command("mydumper", place, "--database", database, *options, *_tls(source)), database)
    load = ["--database", database, "--threads", threads, "--directory", str(rows)]
    load += [*(["--enable-binlog"] if logged else []), *_tls(target)]
    _run(runner, target.command("myloader", place, *load), database)
    # Last: triggers would fire on rows that they fired on already, and events would begin to change them.
    later = [*_DUMP, "--no-data", "--no-create-info", "--triggers", "--events"]
    _run(runner, source.command("mariadb-dump", place, *later, database, then=into), database)
    found = _GTID.search(_read(runner, rows / "metadata").decode(errors="replace"))
    if found is None:
        raise _failed(database, "the dump does not say at which transaction it was taken")
    return found.group(1)


def _read(runner: Runner, path: Path) -> bytes:
    return runner.run(Command(arguments=("cat", str(path)))).output


def _there(runner: Runner, *tools: str) -> bool:
    """Whether tools are where commands run."""
    script = 'for tool; do command -v "$tool" >/dev/null || exit 1; done'
    return runner.run(Command(arguments=("sh", "-c", script, "sh", *tools))).code == 0


def _run(runner: Runner, command: Command, database: str) -> None:
    done = runner.run(command)
    # myloader says of rows that it could not load, and of nothing else, that they are critical.
    if done.code or "CRITICAL" in done.errors:
        raise _failed(database, done.errors.strip()[-600:])


def _tls(server: Server) -> list[str]:
    """These two do not take it from their file of options."""
    return ["--ssl"] if server.encrypted else []


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
