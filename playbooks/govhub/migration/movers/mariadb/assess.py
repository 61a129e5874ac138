"""What stands in the way of a move of MariaDB, read from both servers; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.movers.mariadb import accounts, positions, room
from govhub.migration.movers.mariadb.registry import REGISTRY, Registry
from govhub.migration.movers.mariadb.server import Server
from govhub.migration.movers.protocol import MoveFailed

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")


def assess(source: Server, target: Server, move: str) -> list[Diagnostic]:
    """Errors must be put right first, warnings be known; ``move``: who may have taken the target already."""
    found = Diagnostics()
    try:
        _source(source, target, found)
        if Registry(target).get("move") != move:
            _target(source, target, found)
    except MoveFailed as failed:
        found.extend(failed.diagnostics)
    return found.sorted()


def others(server: Server, database: str) -> list[str]:
    """Databases of a server beside its own, the move's notes, and ``database``."""
    rows = server.rows("SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA ORDER BY 1")
    return [row["s"] for row in rows if row["s"] not in {*SYSTEM, REGISTRY, database}]


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
    if room.endless(source):
        found.warning(
            "MOV106",
            "nothing bounds the binary logs of the source: it never removes them",
            address=where,
            hint="set expire_logs_days there, or see to its disk while the move lasts",
        )
    if names := accounts.wide(source, database):
        error(
            f"accounts have rights on {database} and on others by one pattern: they cannot be shut out of it alone",
            "GRANT them their databases one by one, then REVOKE the pattern",
            ", ".join(names[:12]),
        )
    shared = [f"{item.user}@{item.host}" for item in accounts.open_ones(source, database) if item.grants]
    if shared and not accounts.may_take(source):
        error(
            "accounts serve other databases, too, and the move's account must not take their rights on this one",
            f"GRANT it its rights WITH GRANT OPTION, or give {database} accounts of its own",
            ", ".join(shared[:12]),
        )
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
    listed = "SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND "
    for rule, summary, hint in (
        (
            "TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'",
            "are not of InnoDB, so no snapshot holds them",
            "convert them",
        ),
        (
            "TABLE_TYPE = 'SYSTEM VERSIONED'",
            "keep their history, which no dump carries",
            "copy the history into tables of its own, then DROP SYSTEM VERSIONING",
        ),
    ):
        if found := source.rows(listed + rule, [database]):
            names = ", ".join(row["t"] for row in found[:12])
            error(f"{len(found)} tables {summary}", f"{hint} on the source", names)


def _target(source: Server, target: Server, found: Diagnostics) -> None:
    database = target.endpoint.database

    def error(summary: str, hint: str) -> None:
        found.error("MOV302", summary, address=str(target.endpoint), hint=hint)

    if owner := Registry(target).get("move"):
        error(f"the target belongs to the move {owner}", "wait until that one is retired or given up: one at a time")
    if [row for row in target.rows("SHOW ALL SLAVES STATUS") if not row["Connection_name"].startswith("govhub_")]:
        error("the target is itself a replica", "name its primary")
    follows = bool(target.rows("SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"))
    if not positions.apart(source, target):
        _empty(target, error, follows=follows)
        return
    if target.rows("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s LIMIT 1", [database]):
        error(f"the target's database {database} is not empty", "move to a server without it, or empty it")
    if follows and str(target.value("SELECT @@log_slave_updates")) != "1":
        error("the target's replicas would not get what moves", "set log_slave_updates there and restart it")
    common = {*others(source, database)} & {*others(target, database)}
    if common and not (source.endpoint.machine and target.endpoint.machine):
        names = ", ".join(sorted(common)[:12])
        error(
            f"both servers have databases called {names}: a server that is restarted would take the other one's over",
            "reach both servers over SSH, so that the choice of databases stands in their files",
        )


def _empty(target: Server, error: Callable[..., None], *, follows: bool) -> None:
    """Both servers count in one domain: the target has to begin anew, so it must not hold anything."""
    way = "or give it a gtid_domain_id of its own, in its files and in the running server"
    if there := [*others(target, target.endpoint.database), *_there(target)]:
        error(
            f"the target's server has databases already: {', '.join(there[:12])}",
            f"a server that counts in the source's domain has to be empty; empty it, {way}",
        )
    if follows:
        error("replicas follow the target already", f"its transaction numbers begin anew: join standbys later, {way}")
    if str(target.value("SELECT @@gtid_strict_mode")) == "1":
        error("the target is strict about an order in which it cannot keep the source's numbers", f"be lenient, {way}")


def _there(target: Server) -> list[str]:
    name = target.endpoint.database
    return [name] if target.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", [name]) else []
