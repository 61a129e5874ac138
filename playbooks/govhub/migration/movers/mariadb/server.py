"""One MariaDB server of a move: its connection with our diagnostics, and the tools of MariaDB aimed at it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command
from govhub.migration.sql.dsn import Engine
from govhub.migration.sql.mariadb_client import Client
from govhub.migration.sql.port import SqlFailed, Trouble


class Refused(MoveFailed):
    """The server refused a statement; ``number`` is its error number."""

    number = 0


class Server:
    """Queries over one connection without a database, which is made again when it was lost."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client = Client(endpoint.dsn(Engine.MARIADB))

    @property
    def encrypted(self) -> bool:
        """Whether nobody is to talk to it without TLS."""
        return dict(self.endpoint.options).get("sslmode") not in {None, "", "disable"}

    def rows(self, statement: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Run one statement in autocommit; rows by column names.

        Raises:
            MoveFailed: the server does not answer (MOV001), or refused it (:class:`Refused`, MOV002).
        """
        where = self.endpoint
        try:
            return self._client.rows(statement, parameters)
        except SqlFailed as failed:
            if failed.trouble is Trouble.LOST:
                raise _unreachable(where, failed.text) from failed
            found = Refused.one(
                "MOV002",
                f"the database server at {where.host}:{where.port} refused: {failed.text}",
                address=str(where),
                hint="correct what it says, then repeat",
            )
            found.number = int(failed.state or 0)
            raise found from failed

    def value(self, statement: str, parameters: Sequence[Any] | None = None) -> Any:
        """The first column of the first row; None without rows."""
        found = self.rows(statement, parameters)
        return next(iter(found[0].values())) if found else None

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def command(self, tool: str, folder: Path, *arguments: str, then: Command | None = None) -> Command:
        """A tool with this server as its connection; the password lies in a private file in ``folder``."""
        where = self.endpoint
        file = folder / f"{where.host}-{where.port}.cnf"
        password = where.password.reveal() if where.password else ""
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        socket = dict(where.options).get("socket")
        # Past a socket too: where the tool runs elsewhere, there is no socket, see govhub.migration.movers.packing.
        here = "#" if socket else ""
        way = f"{here}host={where.host}\n{here}port={where.port}\n"
        way += f"protocol=socket\nsocket={socket}" if socket else "protocol=tcp"
        # Its own program for each tool would take "localhost" for a socket.
        tls = "ssl\n" if self.encrypted else ""
        text = f'[client]\n{way}\nuser={where.user}\npassword="{quoted}"\n{tls}'
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        path = shutil.which(tool) or tool
        return Command(arguments=(path, f"--defaults-file={file}", *arguments), then=then)


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
