"""One MariaDB server of a move: queries, and the tools of MariaDB aimed at it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql

from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command

_LOST = {2003, 2006, 2013, 2055, 1927}


class Refused(MoveFailed):
    """The server refused a statement; ``number`` is its error number."""

    number = 0


class Server:
    """Queries over one connection without a database, which is made again when it was lost."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection: pymysql.connections.Connection[Any] | None = None
        self._lock = threading.RLock()

    def rows(self, statement: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Run one statement in autocommit; rows by column names.

        Raises:
            MoveFailed: the server does not answer (MOV001), or refused it (:class:`Refused`, MOV002).
        """
        where = self.endpoint
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                with self._connection.cursor(pymysql.cursors.DictCursor) as cursor:
                    cursor.execute(statement, parameters)
                    return list(cursor.fetchall())
            except pymysql.err.InterfaceError as error:
                self.close()
                raise _unreachable(where, str(error)) from error
            except pymysql.err.MySQLError as error:
                number, text = (*error.args, "", "")[:2]
                if number in _LOST:
                    self.close()
                    raise _unreachable(where, str(text)) from error
                found = Refused.one(
                    "MOV002",
                    f"the database server at {where.host}:{where.port} refused: {text}",
                    address=str(where),
                    hint="correct what it says, then repeat",
                )
                found.number = int(number or 0)
                raise found from error

    def value(self, statement: str, parameters: Sequence[Any] | None = None) -> Any:
        """The first column of the first row; None without rows."""
        found = self.rows(statement, parameters)
        return next(iter(found[0].values())) if found else None

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._connection is not None and self._connection.open:
                self._connection.close()
            self._connection = None

    def command(self, tool: str, folder: Path, *arguments: str, then: Command | None = None) -> Command:
        """A tool with this server as its connection; the password lies in a private file in ``folder``."""
        where = self.endpoint
        file = folder / f"{where.host}-{where.port}.cnf"
        password = where.password.reveal() if where.password else ""
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        socket = dict(where.options).get("socket")
        way = f"socket={socket}" if socket else f"host={where.host}\nport={where.port}"
        text = f'[client]\n{way}\nuser={where.user}\npassword="{quoted}"\n'
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        path = shutil.which(tool) or tool
        protocol = "socket" if socket else "tcp"
        return Command(arguments=(path, f"--defaults-file={file}", f"--protocol={protocol}", *arguments), then=then)

    def _connect(self) -> pymysql.connections.Connection[Any]:
        where = self.endpoint
        return pymysql.connect(
            host=where.host,
            port=where.port,
            unix_socket=dict(where.options).get("socket"),
            user=where.user,
            password=where.password.reveal() if where.password else "",
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=10,
        )


def name(text: str) -> str:
    """An identifier, quoted."""
    return "`" + text.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text, quoted; for statements that take no parameters."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _unreachable(where: Endpoint, text: str) -> MoveFailed:
    return MoveFailed.one(
        "MOV001",
        f"the database server at {where.host}:{where.port} does not answer",
        detail=text[:500],
        hint="nothing is lost: bring it back and repeat; replication goes on from where it was",
    )
