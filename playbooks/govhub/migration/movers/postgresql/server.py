"""One PostgreSQL server of a move: queries, and the tools of PostgreSQL aimed at it."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command

Text = LiteralString | sql.SQL | sql.Composed
# Ours must work on a frozen database; names in what the catalog prints must not depend on a search path.
SETTINGS = "-c default_transaction_read_only=off -c search_path= -c statement_timeout=0 -c lock_timeout=0"


class Refused(MoveFailed):
    """The server refused a statement; ``state`` is its SQLSTATE."""

    state: str | None = None


class Server:
    """Queries over one connection, which is made when it is needed and made again when it was lost."""

    def __init__(self, endpoint: Endpoint, application: str, settings: str = SETTINGS) -> None:
        self.endpoint = endpoint
        self._settings = settings
        self.application = application
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._lock = threading.RLock()

    def at(self, database: str) -> Server:
        """The same server, another database; close it after use."""
        fields = {name: getattr(self.endpoint, name) for name in Endpoint.__slots__}
        return Server(Endpoint(**(fields | {"database": database})), self.application)

    def rows(self, statement: Text, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement, each its own transaction; the rows it returns.

        Raises:
            MoveFailed: the server does not answer (MOV001).
            Refused: the server refused the statement (MOV002).
        """
        with self._lock:
            try:
                with self.connection().cursor() as cursor:
                    cursor.execute(statement, parameters)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.Error as error:
                if self._connection is not None and not self._connection.broken:
                    raise refused(self.endpoint, error) from error
                self.close()
                raise _unreachable(self.endpoint, error) from error

    def value(self, statement: Text, parameters: Sequence[Any] | None = None) -> Any:
        """The first column of the first row; None without rows."""
        found = self.rows(statement, parameters)
        return found[0][0] if found else None

    def probe(self, query: LiteralString) -> None:
        """Write the rows of a query to a table that is gone afterwards.

        Raises:
            Refused: that cannot be written.
        """
        with self._lock, self.connection().transaction(force_rollback=True):
            self.rows("CREATE TABLE govhub_move.probe AS " + query)

    def try_writing(self) -> None:
        """Make something in the database, and take it back.

        Raises:
            Refused: it cannot be written to.
        """
        with self._lock, self.connection().transaction(force_rollback=True):
            self.rows("CREATE SCHEMA govhub_probe")

    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection, in autocommit.

        Raises:
            MoveFailed: the server does not answer (MOV001).
        """
        with self._lock:
            if self._connection is None or self._connection.closed:
                where = self.endpoint
                try:
                    self._connection = psycopg.connect(
                        host=where.host,
                        port=where.port,
                        dbname=where.database,
                        user=where.user,
                        password=where.password.reveal() if where.password else None,
                        application_name=self.application,
                        options=self._settings,
                        connect_timeout=10,
                        keepalives_idle=10,
                        tcp_user_timeout=20000,
                        autocommit=True,
                        **dict(where.options),  # type: ignore[arg-type]
                    )
                except psycopg.OperationalError as error:
                    raise _unreachable(where, error) from error
            return self._connection

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(psycopg.Error):
                    self._connection.close()
                self._connection = None

    def command(self, tool: str, *arguments: str, stdin: bytes | None = None, then: Command | None = None) -> Command:
        """A tool of PostgreSQL with this server's database as its connection; the password stays off the arguments."""
        where = self.endpoint
        environment = {
            "PGHOST": where.host,
            "PGPORT": str(where.port),
            "PGDATABASE": where.database,
            "PGUSER": where.user,
            "PGAPPNAME": self.application,
            "PGCONNECT_TIMEOUT": "10",
            # Not search_path: dumps set it themselves.
            "PGOPTIONS": "-c default_transaction_read_only=off -c statement_timeout=0",
            **{f"PG{name.upper()}": value for name, value in where.options},
        }
        secrets = {"PGPASSWORD": where.password} if where.password else {}
        return Command(
            arguments=(tool_path(tool), *arguments), environment=environment, secrets=secrets, input=stdin, then=then
        )


def tool_path(name: str) -> str:
    """The newest installed version of a tool: an old pg_dump refuses newer servers, a new one reads older ones."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: _number(path.parts[-3]))
    return str(places[-1]) if places else shutil.which(name) or name


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0


def refused(where: Endpoint, error: psycopg.Error) -> Refused:
    """The server's refusal as ours."""
    found = Refused.one(
        "MOV002",
        f"the database server at {where.host}:{where.port} refused: {error.diag.message_primary or error}",
        detail=error.diag.message_detail or "",
        address=str(where),
        hint=error.diag.message_hint or "correct what it says, then repeat",
    )
    found.state = error.sqlstate
    return found


def _unreachable(where: Endpoint, error: Exception) -> MoveFailed:
    # libpq's text names host, user and reason, never the password.
    return MoveFailed.one(
        "MOV001",
        f"the database server at {where.host}:{where.port} does not answer",
        detail=str(error).strip()[:500],
        hint="nothing is lost: bring it back and repeat; replication goes on from where it was",
    )
