"""MariaDB through PyMySQL: sessions whose consistent snapshots were taken at one position of the binary log."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from govhub.core.secrets import REDACTOR
from govhub.migration.sql.catalog import Catalog
from govhub.migration.sql.dsn import Dsn
from govhub.migration.sql.port import Row, Session, SqlFailed, Trouble

TRIES = 5
SETTINGS = (
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
    # Neither padded CHARs nor ANSI quotes: statements and texts mean the same on every server.
    "SET SESSION sql_mode = '', time_zone = '+00:00', tx_isolation = 'REPEATABLE-READ', lock_wait_timeout = 10",
    "SET SESSION wait_timeout = 28800, net_write_timeout = 600, sql_big_selects = 1",
    "SET SESSION idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0",
)
_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_POSITION = "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')"
# Sessions of others that run a statement; those that only wait for their client do not count.
# The counter is there for every account, and our own sessions are always in the list.
_ACTIVE = (
    "SELECT (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_RUNNING')"
    " - (SELECT COUNT(*) FROM information_schema.PROCESSLIST"
    " WHERE COMMAND IN ('Query', 'Execute') AND ID IN ({ours}, CONNECTION_ID()))"
)
_KINDS = {
    1317: Trouble.TIME,
    1969: Trouble.TIME,
    1205: Trouble.TIME,
    1142: Trouble.DENIED,
    1143: Trouble.DENIED,
    1044: Trouble.DENIED,
    1412: Trouble.CHANGED,
    1054: Trouble.CHANGED,
    1146: Trouble.CHANGED,
    1927: Trouble.LOST,
    2006: Trouble.LOST,
    2013: Trouble.LOST,
    2014: Trouble.LOST,
    1053: Trouble.LOST,
}


class MariaDatabase:
    """See :class:`govhub.migration.sql.port.Database`."""

    def __init__(self, dsn: Dsn) -> None:
        self.dsn = dsn
        self.snapshot, self.shared = "", False
        self._watch: Any = None
        self._watching = threading.Lock()
        self._ready: list[MariaSession] = []
        self._ids: list[int] = []

    def begin(self, sessions: int) -> None:
        """See the port; all sessions are opened at once, since later ones would see a later snapshot."""
        self.snapshot, self.shared = self._take(max(1, sessions))
        self._ids = [item.id for item in self._ready]

    def catalog(self) -> Catalog:
        """See the port."""
        from govhub.migration.sql.mariadb_catalog import read_catalog

        connection = _connect(self.dsn)
        try:
            return read_catalog(lambda statement: _rows(connection, statement), self.dsn.database)
        finally:
            connection.close()

    def session(self) -> Session:
        """See the port."""
        if not self._ready:
            raise SqlFailed(Trouble.OTHER, "no further session on this snapshot")
        return self._ready.pop()

    def active(self) -> int | None:
        """See the port."""
        with self._watching:
            if self._watch is None or not self._watch.open:
                self._watch = _connect(self.dsn)
            ours = ", ".join(map(str, self._ids)) or "0"
            return max(0, int(_rows(self._watch, _ACTIVE.format(ours=ours))[0][0]))

    def close(self) -> None:
        """See the port."""
        for session in self._ready:
            session.close()
        if self._watch is not None:
            with contextlib.suppress(Exception):
                self._watch.close()

    def _take(self, count: int) -> tuple[str, bool]:
        """Snapshots at one position of the binary log; without a log nothing tells, so there is one session."""
        for _ in range(TRIES if count > 1 else 1):
            self._ready = [MariaSession(self.dsn) for _ in range(count)]
            positions = {item.begin() for item in self._ready}
            if len(positions) == 1 and (count == 1 or "" not in positions):
                return next(iter(positions)) or "one session", count > 1
            if "" in positions:
                break
            for item in self._ready:
                item.close()
        for item in self._ready[1:]:
            item.close()
        self._ready = [MariaSession(self.dsn)] if not self._ready or self._ready[0].closed else self._ready[:1]
        return self._ready[0].begin() or "one session", False


class MariaSession:
    """See :class:`govhub.migration.sql.port.Session`."""

    def __init__(self, dsn: Dsn) -> None:
        self._dsn = dsn
        self._connection = _connect(dsn)
        self.id = int(_rows(self._connection, "SELECT CONNECTION_ID()")[0][0])

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return not self._connection.open

    def begin(self) -> str:
        """Take the snapshot; returns the position of the binary log it stands at, empty without such a log."""
        _rows(self._connection, "ROLLBACK")
        _rows(self._connection, _BEGIN)
        found = {str(name): str(value) for name, value in _rows(self._connection, _POSITION)}
        file = found.get("Binlog_snapshot_file", "")
        return f"{file}:{found.get('Binlog_snapshot_position')}" if file else ""

    def query(self, statement: str, parameters: Sequence[object] = (), seconds: float | None = None) -> list[Row]:
        """See the port; a failed statement leaves the transaction and its snapshot as they are."""
        return _rows(self._connection, _limited(statement, seconds), parameters)

    def stream(self, statement: str, seconds: float | None = None) -> Iterator[Row]:
        """See the port."""
        import pymysql
        from pymysql.cursors import SSCursor

        try:
            with self._connection.cursor(SSCursor) as cursor:
                cursor.execute(_limited(statement, seconds))
                yield from cursor
        except (pymysql.Error, OSError, UnicodeError) as error:
            raise _failed(error, self._connection) from error

    def cancel(self) -> None:
        """See the port."""
        with contextlib.suppress(Exception):
            other = _connect(self._dsn)
            with contextlib.closing(other):
                _rows(other, f"KILL QUERY {self.id}")

    def close(self) -> None:
        """See the port."""
        with contextlib.suppress(Exception):
            self._connection.close()


def _limited(statement: str, seconds: float | None) -> str:
    return f"SET STATEMENT max_statement_time = {max(seconds, 0.001):.3f} FOR {statement}" if seconds else statement


def _connect(dsn: Dsn) -> Any:
    import pymysql

    from govhub.migration.sql.mariadb_client import connect

    try:
        connection = connect(dsn, database=dsn.database)
    except (pymysql.Error, OSError, RuntimeError) as error:
        raise SqlFailed(Trouble.LOST, f"{dsn}: {_line(error)}") from error
    try:
        for statement in SETTINGS:
            _rows(connection, statement)
    except SqlFailed:
        connection.close()
        raise
    return connection


def _rows(connection: Any, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
    import pymysql

    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, list(parameters) or None)
            return list(cursor.fetchall())
    except (pymysql.Error, OSError, UnicodeError) as error:
        raise _failed(error, connection) from error


def _failed(error: Exception, connection: Any) -> SqlFailed:
    import pymysql

    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    lost = isinstance(error, OSError | pymysql.err.InterfaceError) or not connection.open
    return SqlFailed(Trouble.LOST if lost else _KINDS.get(number, Trouble.OTHER), _line(error))


def _line(error: Exception) -> str:
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return REDACTOR((text.strip().splitlines() or [type(error).__name__])[0])[:200]
