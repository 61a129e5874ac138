"""One connection to MariaDB for those who also write; without a database of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from govhub.migration.sql.dsn import Dsn
from govhub.migration.sql.port import SqlFailed, Trouble

_LOST = {2003, 2006, 2013, 2055, 1927}


def connect(dsn: Dsn, **further: Any) -> pymysql.connections.Connection[Any]:
    """A connection in autocommit; ``further`` are arguments of the library.

    Raises:
        pymysql.Error: there is none; OSError and RuntimeError are possible too.
    """
    return pymysql.connect(
        host=dsn.host,
        port=dsn.port,
        unix_socket=dsn.options.get("socket"),
        user=dsn.user or None,
        password=dsn.password.reveal(),
        charset="utf8mb4",
        connect_timeout=10,
        autocommit=True,
        local_infile=False,
        **_tls(dsn),
        **further,
    )


class Client:
    """Made when it is needed, and made again when it was lost. What fails is :class:`SqlFailed`, with its number."""

    def __init__(self, dsn: Dsn) -> None:
        self.dsn = dsn
        self._connection: pymysql.connections.Connection[Any] | None = None
        self._lock = threading.RLock()

    def rows(self, statement: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Run one statement in autocommit; rows by column names."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = connect(self.dsn)
                with self._connection.cursor(DictCursor) as cursor:
                    cursor.execute(statement, parameters)
                    return list(cursor.fetchall())
            except (pymysql.Error, OSError, RuntimeError) as error:
                raise self._failed(error) from error

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._connection is not None and self._connection.open:
                self._connection.close()
            self._connection = None

    def _failed(self, error: Exception) -> SqlFailed:
        number, text = (*error.args, "", "")[:2]
        if not isinstance(error, pymysql.err.MySQLError) or isinstance(error, pymysql.err.InterfaceError):
            number, text = 0, str(error)
        elif number not in _LOST:
            return SqlFailed(Trouble.OTHER, str(text), state=str(number or 0), client=self)
        self.close()
        return SqlFailed(Trouble.LOST, str(text)[:500], state=str(number or 0), client=self)


def _tls(dsn: Dsn) -> dict[str, Any]:
    """The words of PostgreSQL's addresses for the same thing."""
    mode = dsn.options.get("sslmode", "")
    if mode == "disable":
        return {"ssl_disabled": True}
    given = {
        "ssl_ca": dsn.options.get("sslrootcert"),
        "ssl_cert": dsn.options.get("sslcert"),
        "ssl_key": dsn.options.get("sslkey"),
    }
    found: dict[str, Any] = {name: value for name, value in given.items() if value}
    if mode in ("verify-ca", "verify-full"):
        found["ssl_verify_cert"] = True
        found["ssl_verify_identity"] = mode == "verify-full"
    elif mode == "require":
        found.setdefault("ssl", {"verify_mode": "none", "check_hostname": False})
    return found
