"""What stands in the way of a move of MariaDB, read from both servers; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.movers.mariadb import accounts
from govhub.migration.movers.mariadb.server import Server
from govhub.migration.movers.protocol import MoveFailed

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")


def assess(source: Server, target: Server, *, claimed: Callable[[], bool]) -> list[Diagnostic]:
    """Errors must be put right first, warnings be known; ``claimed``: whether the target is the move's already."""
    found = Diagnostics()
    try:
        _source(source, target, found)
        if not claimed():
            _target(target, found)
    except MoveFailed as failed:
        found.extend(failed.diagnostics)
    return found.sorted()


def _source(source: Server, target: Server, found: Diagnostics) -> None:
    where, database = str(source.endpoint), source.endpoint.database

    def error(summary: str, hint: str, detail: str = "") -> None:
        found.error("MOV301", summary, address=where, hint=hint, detail=detail)

    if target.endpoint.database != database:
        error("a MariaDB database keeps its name when it moves", "give the target's database the source's name")
    _logs(source, target, error)
    if not source.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", [database]):
        error(f"the source has no database {database}", "see its name")
    if [row for row in source.rows("SHOW ALL SLAVES STATUS") if not row["Connection_name"].startswith("govhub_")]:
        error("the source is itself a replica", "name its primary")
    _tables(source, database, error)
    if names := accounts.unstoppable(source):
        found.warning(
            "MOV301",
            "accounts with rights on everything are not stopped by the freeze",
            address=where,
            detail=", ".join(names[:12]),
            hint="see that no application uses them, or stop it before the cutover",
        )


def _logs(source: Server, target: Server, error: Callable[..., None]) -> None:
    for server in (source, target):
        if str(server.value("SELECT @@log_bin")) != "1":
            error(f"{server.endpoint} writes no binary log", "set log_bin and restart it")
        if server.value("SELECT @@binlog_format") == "STATEMENT":
            error(f"{server.endpoint} logs statements", "set binlog_format = ROW: statements may give other rows there")
    if source.value("SELECT @@server_id") == target.value("SELECT @@server_id"):
        error("both servers have the same server_id", "give the target another one and restart it")


def _tables(source: Server, database: str, error: Callable[..., None]) -> None:
    engines = source.rows(
        "SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE' "
        "AND ENGINE <> 'InnoDB'",
        [database],
    )
    if engines:
        names = ", ".join(row["t"] for row in engines[:12])
        error(
            f"{len(engines)} tables are not of InnoDB, so no snapshot holds them", "convert them on the source", names
        )


def _target(target: Server, found: Diagnostics) -> None:
    others = [
        row["s"]
        for row in target.rows("SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA")
        if row["s"] not in {*SYSTEM, "govhub_move"}
    ]
    if others:
        found.error(
            "MOV302",
            f"the target's server has databases already: {', '.join(others[:12])}",
            address=str(target.endpoint),
            hint="a move of MariaDB starts on a server of its own: its transaction numbers begin anew",
        )
    if target.rows("SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"):
        found.error(
            "MOV302",
            "replicas follow the target already",
            address=str(target.endpoint),
            hint="join standbys after the move: the target's transaction numbers begin anew",
        )
