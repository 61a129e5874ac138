"""PostgreSQL through psycopg 3: an exported snapshot that every session imports."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from govhub.core.secrets import REDACTOR
from govhub.migration.sql.catalog import Catalog
from govhub.migration.sql.dsn import Dsn
from govhub.migration.sql.port import Row, Session, SqlFailed, Trouble

BATCH = 5000
NAME = "govhub-verify"
# One text for one value, whatever the server's own settings; and no more of the server than one core a session.
SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "lc_monetary": "C",
    "search_path": "pg_catalog",
    "row_security": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    "synchronize_seqscans": "off",
}
_ACTIVE = (
    "SELECT count(*) FILTER (WHERE state = 'active' AND backend_type = 'client backend' AND application_name <> %s),"
    " count(*) FILTER (WHERE state IS NULL AND datid IS NOT NULL AND query = '<insufficient privilege>')"
    " FROM pg_stat_activity"
)


class PostgresDatabase:
    """See :class:`govhub.migration.sql.port.Database`."""

    def __init__(self, dsn: Dsn) -> None:
        self.dsn = dsn
        self.shared = True
        self._watch: Any = None
        self._watching = threading.Lock()
        self._holder: Any = None
        self.snapshot = ""

    def begin(self, sessions: int) -> None:  # noqa: ARG002  # any number may import it
        """See the port."""
        self._holder = _connect(self.dsn)
        _begin(self._holder)
        self.snapshot = str(_rows(self._holder, "SELECT pg_export_snapshot()")[0][0])

    def catalog(self) -> Catalog:
        """See the port."""
        from govhub.migration.sql.postgresql_catalog import read_catalog

        connection = _connect(self.dsn)
        try:
            return read_catalog(lambda statement: _rows(connection, statement))
        finally:
            connection.close()

    def session(self) -> Session:
        """See the port."""
        return PostgresSession(self.dsn, self.snapshot)

    def active(self) -> int | None:
        """See the port; without pg_monitor the server hides what others do."""
        with self._watching:
            if self._watch is None or self._watch.closed:
                self._watch = _connect(self.dsn)
            seen, hidden = _rows(self._watch, _ACTIVE, (NAME,))[0]
            return None if hidden else int(seen)

    def close(self) -> None:
        """See the port."""
        for connection in (self._watch, self._holder):
            if connection is not None:
                with contextlib.suppress(Exception):
                    connection.close()


class PostgresSession:
    """See :class:`govhub.migration.sql.port.Session`."""

    def __init__(self, dsn: Dsn, snapshot: str) -> None:
        self._snapshot = snapshot
        self._names = itertools.count()
        self._limit: float | None = None
        self._connection = _connect(dsn)
        try:
            _begin(self._connection, snapshot)
        except SqlFailed:
            self._connection.close()
            raise

    def query(self, statement: str, parameters: Sequence[object] = (), seconds: float | None = None) -> list[Row]:
        """See the port."""
        try:
            self._limited(seconds)
            return _rows(self._connection, statement, parameters)
        except SqlFailed as failed:
            self._again(failed)
            raise

    def stream(self, statement: str, seconds: float | None = None) -> Iterator[Row]:
        """See the port."""
        import psycopg

        try:
            self._limited(seconds)
            with self._connection.cursor(name=f"stream{next(self._names)}") as cursor:
                cursor.itersize = BATCH
                cursor.execute(statement)
                yield from cursor
        except psycopg.Error as error:
            failed = _failed(error, self._connection)
            self._again(failed)
            raise failed from error
        except SqlFailed as failed:
            self._again(failed)
            raise

    def cancel(self) -> None:
        """See the port."""
        with contextlib.suppress(Exception):
            self._connection.cancel_safe(timeout=5)

    def close(self) -> None:
        """See the port."""
        with contextlib.suppress(Exception):
            self._connection.close()

    def _limited(self, seconds: float | None) -> None:
        if seconds != self._limit:
            _rows(self._connection, f"SET statement_timeout = {max(1, int((seconds or 0) * 1000)) if seconds else 0}")
            self._limit = seconds

    def _again(self, failed: SqlFailed) -> None:
        """A failed statement spoils its transaction: begin another one on the same snapshot."""
        if failed.trouble is Trouble.LOST:
            return
        self._limit = None
        with contextlib.suppress(Exception):
            _rows(self._connection, "ROLLBACK")
            _begin(self._connection, self._snapshot)


def _connect(dsn: Dsn) -> Any:
    import psycopg

    from govhub.migration.sql.postgresql_client import connect

    try:
        connection = connect(dsn, client_encoding="UTF8", application_name=NAME, keepalives_idle=30)
    except psycopg.Error as error:
        raise SqlFailed(Trouble.LOST, f"{dsn}: {_line(error)}") from error
    # The library's row of a text that is not UTF-8 is an error, which is what it is for us.
    connection.prepare_threshold = None
    try:
        for name, value in SETTINGS.items():
            with contextlib.suppress(psycopg.errors.UndefinedObject):
                connection.execute(f"SET {name} = {value if name == 'datestyle' else _literal(value)}")
    except psycopg.Error as error:
        connection.close()
        raise _failed(error, connection) from error
    return connection


def _begin(connection: Any, snapshot: str = "") -> None:
    _rows(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if snapshot:
        _rows(connection, f"SET TRANSACTION SNAPSHOT {_literal(snapshot)}")


def _rows(connection: Any, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
    import psycopg

    try:
        cursor = connection.execute(statement, list(parameters) or None)
        return list(cursor.fetchall()) if cursor.description else []
    except (psycopg.Error, UnicodeError) as error:
        raise _failed(error, connection) from error


def _failed(error: Exception, connection: Any) -> SqlFailed:
    import psycopg

    state = getattr(error, "sqlstate", None) or ""
    # 57P0x: the server is going down or was told to end this connection.
    if (
        connection.closed
        or state.startswith(("57P0", "08"))
        or (isinstance(error, psycopg.OperationalError) and not state)
    ):
        return SqlFailed(Trouble.LOST, _line(error))
    kinds = {
        "57014": Trouble.TIME,
        "55P03": Trouble.TIME,
        "42501": Trouble.DENIED,
        "42703": Trouble.CHANGED,
        "42P01": Trouble.CHANGED,
        "42883": Trouble.CHANGED,
        "42804": Trouble.CHANGED,
        "0A000": Trouble.CHANGED,
    }
    return SqlFailed(kinds.get(state, Trouble.OTHER), _line(error))


def _line(error: Exception) -> str:
    """The first line: the others may quote data."""
    diag = getattr(error, "diag", None)
    text = (getattr(diag, "message_primary", None) or str(error)).strip()
    return REDACTOR((text.splitlines() or [type(error).__name__])[0])[:200]


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
