"""The port: what the rest of migration may do with a database, whatever its make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Protocol

from govhub.migration.sql.catalog import Catalog
from govhub.migration.sql.dsn import Dsn

Row = tuple[Any, ...]


class Trouble(StrEnum):
    """Why a statement failed; what can be done about it differs."""

    LOST = "lost"
    """The connection is gone."""
    TIME = "time"
    """The statement took longer than it was given."""
    DENIED = "denied"
    CHANGED = "changed"
    """The definition of the table changed while it was read."""
    OTHER = "other"


class SqlFailed(Exception):
    """A statement or a connection failed; ``text`` is one line without secrets and without data.

    ``state`` is the SQLSTATE or the error's number, ``client`` whoever the statement was of; ``detail`` and ``hint``
    are the server's own words, and may quote data.
    """

    def __init__(
        self,
        trouble: Trouble,
        text: str,
        *,
        state: str = "",
        detail: str = "",
        hint: str = "",
        client: object = None,
    ) -> None:
        self.trouble, self.text, self.state = trouble, text, state
        self.detail, self.hint, self.client = detail, hint, client
        super().__init__(f"{trouble}: {text}")


class Session(Protocol):
    """One connection in a read-only transaction that sees one snapshot."""

    def query(self, statement: str, parameters: Sequence[object] = (), seconds: float | None = None) -> list[Row]:
        """All rows of a statement that returns few.

        Args:
            statement: SQL with ``%s`` for parameters, if there are any.
            parameters: The values.
            seconds: The server ends the statement after that time.

        Raises:
            SqlFailed: it failed; the session is usable again unless the connection is lost.
        """

    def stream(self, statement: str, seconds: float | None = None) -> Iterator[Row]:
        """Rows of a statement that returns many, through a cursor on the server; raises SqlFailed."""

    def cancel(self) -> None:
        """End the statement that runs on it, from another thread; never raises."""

    def close(self) -> None:
        """Give the connection back; never raises."""


class Database(Protocol):
    """A database as one consistent snapshot that several sessions share."""

    dsn: Dsn
    snapshot: str
    """What the snapshot is: for the record."""
    shared: bool
    """Several sessions see the same snapshot; else there is only one session."""

    def begin(self, sessions: int) -> None:
        """Take the snapshot, which so many sessions will share; raises SqlFailed."""

    def catalog(self) -> Catalog:
        """What the database holds now, read on a connection of its own; raises SqlFailed."""

    def session(self) -> Session:
        """A further session on the snapshot; raises SqlFailed."""

    def active(self) -> int | None:
        """How many sessions of others run a statement; None when this account may not see that; raises SqlFailed."""

    def close(self) -> None:
        """Give everything back; never raises."""
