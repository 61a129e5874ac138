"""Where a database server answers, without its password in any text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from govhub.core.secrets import Secret
from govhub.migration.sql.dsn import Dsn, Engine


class Machine(Protocol):
    """The host of a database server, where somebody may do what no statement can; the next start finds it there."""

    def free_bytes(self, path: str) -> int | None:
        """Bytes that are free where ``path`` is; None when the host does not say."""

    def set(self, name: str, option: str, value: str) -> None:
        """Have the server read an option whenever it starts, from a file called after ``name``.

        Raises:
            MoveFailed: it cannot be written, or the server would not read it (MOV308).
        """

    def unset(self, name: str) -> None:
        """Remove that file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A database of a server, as the controller reaches it and as the other server does."""

    host: str
    """A name, an address, or the folder of a socket."""
    port: int
    database: str
    user: str
    password: Secret | None = None
    """None: the server trusts the connection by other means, such as a certificate or the socket's owner."""
    link_host: str | None = None
    """As the other server reaches it, when that differs, such as past a tunnel."""
    link_port: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Further parameters of a connection, such as ``("sslmode", "verify-full")``."""
    machine: Machine | None = field(default=None, compare=False, repr=False)
    """None: nobody may do anything there but what the server lets an account do."""

    def link(self) -> tuple[str, int]:
        """Host and port for the other server."""
        return self.link_host or self.host, self.link_port or self.port

    def dsn(self, engine: Engine) -> Dsn:
        """As clients of databases take it."""
        return Dsn(
            engine=engine,
            host=self.host,
            port=self.port,
            database=self.database,
            user=self.user,
            options=dict(self.options),
            password=self.password or Secret(""),
        )

    def __str__(self) -> str:
        # What others know it by: the near end of a tunnel means nothing to who reads the record.
        host, port = self.link()
        return f"{self.user}@{host}:{port}/{self.database}"
