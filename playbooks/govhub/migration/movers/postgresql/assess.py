"""What stands in the way of a move, read from both servers; nothing is changed."""

from __future__ import annotations

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import Table, tables_of
from govhub.migration.movers.protocol import Limits, MoveFailed

_SHOWN = 12


def assess(source: Server, target: Server, limits: Limits, *, allow_full: bool, online: bool) -> list[Diagnostic]:
    """Errors must be put right first, warnings be known."""
    found = Diagnostics()
    for check in (_of_source, _of_target):
        try:
            check(source, target, limits, found)
        except MoveFailed as failed:
            found.extend(failed.diagnostics)
    if found.errors:
        return found.sorted()
    tables = tables_of(source)
    if online:
        _online(source, limits, found)
    # Changes come back by replication, whatever way the rows went.
    _keys(tables, found, allow_full=allow_full)
    _charset(source, target, found)
    _extensions(source, target, found)
    if kept := [str(table) for table in tables if not table.logged]:
        found.warning(
            "MOV107",
            "rows of unlogged tables are copied in the pause of writes",
            detail=_some(kept),
            hint="ALTER TABLE … SET LOGGED on the source, or empty them before, where they make the pause too long",
        )
    return found.sorted()


def _of_source(source: Server, _target: Server, _limits: Limits, found: Diagnostics) -> None:
    if not source.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        found.error(
            "MOV101",
            f"the account {source.endpoint.user} of the source is no superuser",
            address=str(source.endpoint),
            hint="publications of all tables, and the way back, need one for the time of the move",
        )
    if source.value("SELECT pg_is_in_recovery()"):
        found.error("MOV102", "the source is a standby", address=str(source.endpoint), hint="name its primary")
    if source.value("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"):
        found.warning(
            "MOV103",
            "the source has prepared transactions",
            hint="at the cutover there must be none: their commit could come after the freeze",
        )


def _of_target(_source: Server, target: Server, limits: Limits, found: Diagnostics) -> None:
    server = target.at("postgres")
    try:
        if not server.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            found.error(
                "MOV101",
                f"the account {target.endpoint.user} of the target is no superuser",
                address=str(target.endpoint),
                hint="subscriptions need one for the time of the move",
            )
        if server.value("SHOW wal_level") != "logical":
            found.warning(
                "MOV108",
                "the target's wal_level is not logical: there would be no way back after the cutover",
                address=str(target.endpoint),
                hint="set wal_level = logical on the target and restart it before the move",
            )
        workers = int(server.value("SHOW max_logical_replication_workers"))
        if workers < limits.parallel + 1:
            found.warning(
                "MOV109",
                f"the target allows {workers} workers of logical replication, {limits.parallel + 1} are wanted",
                address=str(target.endpoint),
                hint="raise max_logical_replication_workers and max_worker_processes, or copy fewer tables at a time",
            )
    finally:
        server.close()


def _online(source: Server, limits: Limits, found: Diagnostics) -> None:
    where = str(source.endpoint)
    if (level := source.value("SHOW wal_level")) != "logical":
        found.error(
            "MOV104",
            f"wal_level of the source is {level}, so changes cannot follow",
            address=where,
            hint="set wal_level = logical and restart the source, or declare `method: dump` for this move",
        )
    used = source.value("SELECT count(*) FROM pg_replication_slots")
    senders = source.value("SELECT count(*) FROM pg_stat_replication")
    for name, taken in (("max_replication_slots", used), ("max_wal_senders", senders)):
        free = int(source.value("SELECT current_setting(%s)", [name])) - int(taken)
        if free < limits.parallel + 1:
            found.error(
                "MOV105",
                f"{name} of the source leaves {free}, the move takes {limits.parallel + 1}",
                address=where,
                hint=f"raise {name} and restart the source, or copy fewer tables at a time",
            )
    if limits.retained is None and source.value("SELECT current_setting('max_slot_wal_keep_size', true)") in {
        None,
        "-1",
    }:
        found.warning(
            "MOV106",
            "nothing bounds the log that the source holds back while the target does not answer",
            address=where,
            hint="give the move a limit of retained bytes, or set max_slot_wal_keep_size on the source",
        )
    if source.value(
        "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
        "WHERE d.datname = current_database() AND s.subenabled AND s.subname !~ '^govhub_'"
    ):
        found.warning(
            "MOV110",
            "the source itself receives changes from elsewhere; they are not stopped by the freeze",
            address=where,
            hint="disable those subscriptions before the cutover and make them on the target",
        )


def _keys(tables: list[Table], found: Diagnostics, *, allow_full: bool) -> None:
    keyless = [str(table) for table in tables if table.keyless and table.logged]
    if keyless and not allow_full:
        found.error(
            "MOV111",
            f"{len(keyless)} tables have no primary key, so changes of their rows cannot follow",
            detail=_some(keyless),
            hint="add a key, or declare `replica_identity: full` for this move: they write more log then",
        )


def _charset(source: Server, target: Server, found: Diagnostics) -> None:
    query = """SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database
        WHERE datname = current_database()"""
    here = source.rows(query)[0]
    server = target.at("postgres")
    try:
        there = server.rows(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s",
            [target.endpoint.database],
        )
    finally:
        server.close()
    if here[0] == "SQL_ASCII":
        found.warning(
            "MOV112",
            "the source declares no character set (SQL_ASCII): its texts may be in several",
            hint="they move byte by byte; the target must be SQL_ASCII too",
        )
    if there and there[0][0] != here[0]:
        found.error(
            "MOV113",
            f"the target's character set is {there[0][0]}, the source's is {here[0]}",
            address=str(target.endpoint),
            hint="drop the empty database on the target: the move makes it with the source's character set",
        )
    elif there and there[0][1:] != here[1:]:
        found.warning(
            "MOV114",
            f"the target sorts by {there[0][1]}, the source by {here[1]}",
            address=str(target.endpoint),
            hint="orders of texts, and unique keys over them, may come out differently",
        )


def _extensions(source: Server, target: Server, found: Diagnostics) -> None:
    server = target.at("postgres")
    try:
        there = {row[0] for row in server.rows("SELECT name FROM pg_available_extensions")}
    finally:
        server.close()
    missing = [row[0] for row in source.rows("SELECT extname FROM pg_extension ORDER BY 1") if row[0] not in there]
    if missing:
        found.error(
            "MOV115",
            f"the target's server has not the extensions {', '.join(missing)}",
            address=str(target.endpoint),
            hint="install their packages on the target's server",
        )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
