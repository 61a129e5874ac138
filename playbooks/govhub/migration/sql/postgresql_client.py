"""One connection to PostgreSQL for those who also write: statements, transactions, copies, slots with a snapshot."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import psycopg

from govhub.migration.sql.dsn import Dsn
from govhub.migration.sql.port import Row, SqlFailed, Trouble
from govhub.migration.sql.statements import SQL, Composable, Identifier, Text

CHUNK = 1 << 17
"""Bytes of a copy that are passed on at once: each step costs more than its bytes."""


def connect(dsn: Dsn, **further: Any) -> psycopg.Connection[Row]:
    """A connection in autocommit; ``further`` are parameters of libpq.

    Raises:
        psycopg.Error: there is none.
    """
    options: dict[str, Any] = {name: value for name, value in dsn.options.items() if name != "socket"}
    return psycopg.connect(
        host=dsn.options.get("socket") or dsn.host,
        port=dsn.port,
        dbname=dsn.database,
        user=dsn.user or None,
        password=dsn.password.reveal() or None,
        autocommit=True,
        **{"connect_timeout": 10, **options, **further},
    )


class Client:
    """Made when it is needed, and made again when it was lost. What fails is :class:`SqlFailed`, with its SQLSTATE."""

    def __init__(self, dsn: Dsn, application: str, settings: str) -> None:
        """Remember where; ``settings`` are options of the server's command line, such as ``-c work_mem=1GB``."""
        self.dsn, self._application, self._settings = dsn, application, settings
        self._connection: psycopg.Connection[Row] | None = None
        self._lock = threading.RLock()

    def rows(self, statement: Text, parameters: Sequence[Any] | None = None) -> list[Row]:
        """Run one statement; a transaction of its own outside of :meth:`transaction`."""
        with self._lock, self.failing(), self._open().cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def transaction(self, *, back: bool = False) -> Iterator[None]:
        """Statements within are one transaction; ``back`` takes all of it back at its end, as any error does."""
        with self._lock, self.failing(), self._open().transaction(force_rollback=back):
            yield

    def feed(self, statement: Text, lines: Iterable[Sequence[Any]]) -> None:
        """Rows for a ``COPY … FROM STDIN``."""
        with self._lock, self.failing(), self._open().cursor().copy(statement) as copy:
            for line in lines:
                copy.write_row(line)

    @contextlib.contextmanager
    def slot_with_snapshot(self, name: str) -> Iterator[str]:
        """Make a logical slot; within, others may read at the snapshot of that name, at which the slot begins."""
        holder = Client(self.dsn, self._application, self._settings)
        try:
            with self.failing():
                # In the words of old versions, which new ones understand too.
                text = SQL("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT").format(Identifier(name))
                made = holder._open(replication="database").execute(text).fetchone()
            yield str(made[2]) if made else ""
        finally:
            holder.close()

    def text(self, statement: Composable) -> str:
        """A statement as this server is to read it."""
        with self.failing():
            return statement.as_string(self._open())

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(psycopg.Error):
                    self._connection.close()
                self._connection = None

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Errors of the library within are ours."""
        try:
            yield
        except psycopg.Error as error:
            lost = self._connection is None or self._connection.broken
            if lost:
                self.close()
            raise self._failed(error, lost=lost) from error

    def _failed(self, error: psycopg.Error, *, lost: bool) -> SqlFailed:
        diag = error.diag
        return SqlFailed(
            Trouble.LOST if lost else Trouble.OTHER,
            diag.message_primary or str(error).strip()[:500],
            state=error.sqlstate or "",
            detail=diag.message_detail or "",
            hint=diag.message_hint or "",
            client=self,
        )

    def _open(self, **further: Any) -> psycopg.Connection[Row]:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = None
                self._connection = connect(
                    self.dsn,
                    application_name=self._application,
                    options=self._settings,
                    keepalives_idle=10,
                    tcp_user_timeout=20000,
                    **further,
                )
            return self._connection


def pump(source: tuple[Client, Text], target: tuple[Client, Text], passing: Callable[[int], None]) -> None:
    """Pass what a ``COPY … TO STDOUT`` gives on to a ``COPY … FROM STDIN``.

    Args:
        source: Where to read, and the statement.
        target: Where to write, and the statement; in a transaction, since half a copy ends without an error there.
        passing: Called with a number of bytes before they go; its errors end both statements.

    Raises:
        SqlFailed: one of them failed; its ``client`` says which.
    """
    (reader, read), (writer, write) = source, target
    kept, size = [], 0
    with writer.failing(), writer._open().cursor().copy(write) as writing:  # noqa: SLF001 - of this module
        # Errors of the one side end the other side's statement too, so each has to be told from the other.
        with reader.failing(), reader._open().cursor().copy(read) as reading:  # noqa: SLF001 - of this module
            for block in reading:
                kept.append(bytes(block))
                size += len(block)
                if size >= CHUNK:
                    passing(size)
                    with writer.failing():
                        writing.write(b"".join(kept))
                    kept, size = [], 0
        passing(size)
        writing.write(b"".join(kept))
