"""One PostgreSQL server of a move: its connection with our diagnostics, and the tools of PostgreSQL aimed at it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, LiteralString

from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command
from govhub.migration.sql import postgresql_client
from govhub.migration.sql.dsn import Engine
from govhub.migration.sql.port import SqlFailed, Trouble
from govhub.migration.sql.postgresql_client import Client
from govhub.migration.sql.statements import Composable, Text

# Ours must work on a frozen database; names in what the catalog prints must not depend on a search path.
SETTINGS = "-c default_transaction_read_only=off -c search_path= -c statement_timeout=0 -c lock_timeout=0"


class Refused(MoveFailed):
    """The server refused a statement; ``state`` is its SQLSTATE."""

    state: str | None = None


class Server:
    """Queries over one connection, which is made when it is needed and made again when it was lost.

    All of them raise :class:`MoveFailed` when the server does not answer (MOV001), and :class:`Refused` when it
    refuses (MOV002).
    """

    def __init__(self, endpoint: Endpoint, application: str, settings: str = SETTINGS) -> None:
        self.endpoint, self.application, self._settings = endpoint, application, settings
        self._client = Client(endpoint.dsn(Engine.POSTGRESQL), application, settings)

    def at(self, database: str) -> Server:
        """The same server, another database; close it after use."""
        fields = {name: getattr(self.endpoint, name) for name in Endpoint.__slots__}
        return Server(Endpoint(**(fields | {"database": database})), self.application)

    def clone(self, settings: str | None = None, application: str | None = None) -> Server:
        """The same database over a connection of its own; close it after use."""
        return Server(self.endpoint, application or self.application, settings or self._settings)

    def rows(self, statement: Text, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement, outside of :meth:`transaction` each its own; the rows it returns."""
        with self._told():
            return self._client.rows(statement, parameters)

    def value(self, statement: Text, parameters: Sequence[Any] | None = None) -> Any:
        """The first column of the first row; None without rows."""
        found = self.rows(statement, parameters)
        return found[0][0] if found else None

    def probe(self, query: LiteralString) -> None:
        """Write the rows of a query to a table that is gone afterwards."""
        with self.transaction(back=True):
            self.rows("CREATE TABLE govhub_move.probe AS " + query)

    def try_writing(self) -> None:
        """Make something in the database, and take it back."""
        with self.transaction(back=True):
            self.rows("CREATE SCHEMA govhub_probe")

    @contextlib.contextmanager
    def transaction(self, *, back: bool = False) -> Iterator[None]:
        """Statements within are one transaction; ``back`` takes all of it back at its end, as any error does."""
        with self._told(), self._client.transaction(back=back):
            yield

    def feed(self, statement: Text, lines: Iterable[Sequence[Any]]) -> None:
        """Rows for a ``COPY … FROM STDIN``."""
        with self._told():
            self._client.feed(statement, lines)

    @contextlib.contextmanager
    def slot_with_snapshot(self, name: str) -> Iterator[str]:
        """Make a logical slot; within, others may read at the snapshot of that name, at which the slot begins."""
        with self._told(), self._client.slot_with_snapshot(name) as snapshot:
            yield snapshot

    def text(self, statement: Composable) -> str:
        """A statement as this server is to read it."""
        with self._told():
            return self._client.text(statement)

    def copy_into(self, target: Server, read: Text, write: Text, passing: Callable[[int], None]) -> None:
        """Pass what ``read`` (``COPY … TO STDOUT``) gives on to ``write`` there (``COPY … FROM STDIN``).

        In a transaction of the target's: half a copy ends without an error there. ``passing`` is called with a number
        of bytes before they go; its errors end both statements.
        """
        with self._told(), target._told():
            postgresql_client.pump((self._client, read), (target._client, write), passing)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

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

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SqlFailed as failed:
            if failed.client is not self._client:
                raise
            raise self._failure(failed) from failed

    def _failure(self, failed: SqlFailed) -> MoveFailed:
        where = self.endpoint
        if failed.trouble is Trouble.LOST:
            return MoveFailed.one(
                "MOV001",
                f"the database server at {where.host}:{where.port} does not answer",
                # libpq's text names host, user and reason, never the password.
                detail=failed.text,
                hint="nothing is lost: bring it back and repeat; replication goes on from where it was",
            )
        found = Refused.one(
            "MOV002",
            f"the database server at {where.host}:{where.port} refused: {failed.text}",
            detail=failed.detail,
            address=str(where),
            hint=failed.hint or "correct what it says, then repeat",
        )
        found.state = failed.state or None
        return found


def tool_path(name: str) -> str:
    """The newest installed version of a tool: an old pg_dump refuses newer servers, a new one reads older ones."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: _number(path.parts[-3]))
    return str(places[-1]) if places else shutil.which(name) or name


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0
