"""Closing a database to everybody but the move, and opening it as it was.

Closed means: no connection for ordinary accounts, and read-only transactions for superusers, who cannot be kept out.
Neither is undone by a restart of the server. What was set before is kept in the registry first.
"""

from __future__ import annotations

import time

from govhub.migration.movers.postgresql.registry import Registry
from govhub.migration.movers.postgresql.server import Refused, Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.sql import statements as sql

_READ_ONLY = "default_transaction_read_only"
_EXISTS = "42P04"
_OTHERS = """FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND application_name <> %s AND backend_type NOT IN
  ('walsender', 'autovacuum worker', 'logical replication worker', 'parallel worker')"""


def close(server: Server, registry: Registry, side: str) -> None:
    """Let nobody else in from now on; sessions that are there stay (see :func:`clear`)."""
    if registry.get(f"closed-{side}") is None:
        registry.keep(f"closed-{side}", {"limit": _limit(server), "read_only": _read_only(server)})
    database = sql.Identifier(server.endpoint.database)
    # Workers that apply changes write past this setting, and our own sessions set it off for themselves.
    server.rows(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(database))
    server.rows(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(database))


def clear(server: Server, timeout: float = 15) -> None:
    """End all other sessions of a closed database, and see that nobody could still commit.

    Raises:
        MoveFailed: a prepared transaction waits for its commit (MOV011), or a session does not end (MOV012).
    """
    if names := [
        row[0] for row in server.rows("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
    ]:
        raise MoveFailed.one(
            "MOV011",
            "prepared transactions of the database could still be committed",
            detail=", ".join(names[:20]),
            hint="have their coordinator commit or roll them back, then repeat",
        )
    _await_beginnings(server)
    until = time.monotonic() + timeout
    while server.rows(sql.SQL("SELECT pg_terminate_backend(pid) " + _OTHERS), [server.application]):
        if time.monotonic() > until:
            raise MoveFailed.one(
                "MOV012",
                "a session of the database does not end",
                hint="see pg_stat_activity of the server for what it waits for; then repeat",
            )
        time.sleep(0.02)


def _await_beginnings(server: Server) -> None:
    """Wait for sessions that read the settings before they were changed, and are not listed yet.

    A session holds a lock on its database until it is listed. Renaming a database to its own name waits for that lock,
    and then always fails; without this, a connection made at the very moment went on writing for hours.
    """
    database = sql.Identifier(server.endpoint.database)
    try:
        server.rows(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(database, database))
    except Refused as refusal:
        if refusal.state != _EXISTS:
            raise


def is_closed(server: Server) -> bool:
    """Whether it is closed."""
    return _limit(server) == 0 and _read_only(server) == "on"


def reopen(server: Server, registry: Registry, side: str) -> None:
    """Let others in as before :func:`close`; nothing when it was not closed."""
    before = registry.get(f"closed-{side}")
    if before is None:
        return
    database = sql.Identifier(server.endpoint.database)
    server.rows(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(database, sql.Literal(before["limit"])))
    if before["read_only"] is None:
        server.rows(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(database))
    else:
        value = sql.Literal(before["read_only"])
        server.rows(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(database, value))
    registry.drop(f"closed-{side}")


def _limit(server: Server) -> int:
    return int(server.value("SELECT datconnlimit FROM pg_database WHERE datname = current_database()"))


def _read_only(server: Server) -> str | None:
    """The database's own setting; None when it has none."""
    found = server.value(
        """SELECT split_part(item, '=', 2) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
           unnest(s.setconfig) AS item
           WHERE d.datname = current_database() AND s.setrole = 0 AND split_part(item, '=', 1) = %s""",
        [_READ_ONLY],
    )
    return str(found) if found is not None else None
