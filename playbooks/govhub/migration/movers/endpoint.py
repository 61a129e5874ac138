"""Where a database server answers, without its password in any text."""

from __future__ import annotations

from dataclasses import dataclass

from govhub.core.secrets import Secret
from govhub.migration.sql.dsn import Dsn, Engine


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
