"""Room on the disk that a server's log is on; asked of the server itself, where its account may."""

from __future__ import annotations

from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.sql import statements as sql

UNREACHABLE = "MOV001"
# `.`: the folder may be a link to another disk.
_ASK = "df --output=avail -B1 {}/pg_wal/. | tail -n 1"


def free_bytes(server: Server) -> int | None:
    """Bytes that are free where the log is written; None when the server does not say.

    Raises:
        MoveFailed: the server does not answer.
    """
    folder = str(server.value("SHOW data_directory"))
    program = sql.Literal(_ASK.format("'" + folder.replace("'", "'\\''") + "'"))
    try:
        with server.transaction(back=True):
            server.rows("CREATE TEMPORARY TABLE govhub_room (free text)")
            server.rows(sql.SQL("COPY pg_temp.govhub_room FROM PROGRAM {}").format(program))
            found = str(server.value("SELECT free FROM pg_temp.govhub_room")).strip()
    except MoveFailed as failed:
        if any(item.code == UNREACHABLE for item in failed.diagnostics):
            raise
        # No `df` there, no right to start it, or a server of somebody else's making: unknown.
        return None
    return int(found) if found.isdigit() else None
