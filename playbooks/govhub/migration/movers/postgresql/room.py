"""Room on the disk that a server's log is on; asked of the server itself, where its account may."""

from __future__ import annotations

from psycopg import Error, sql

from govhub.migration.movers.postgresql.server import Server

# `.`: the folder may be a link to another disk.
_ASK = "df --output=avail -B1 {}/pg_wal/. | tail -n 1"


def free_bytes(server: Server) -> int | None:
    """Bytes that are free where the log is written; None when the server does not say.

    Raises:
        MoveFailed: the server does not answer.
    """
    folder = str(server.value("SHOW data_directory"))
    program = sql.Literal(_ASK.format("'" + folder.replace("'", "'\\''") + "'"))
    connection = server.connection()
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE govhub_room (free text) ON COMMIT DROP")
            cursor.execute(sql.SQL("COPY pg_temp.govhub_room FROM PROGRAM {}").format(program))
            cursor.execute("SELECT free FROM pg_temp.govhub_room")
            found = cursor.fetchone()
    except Error:
        # No `df` there, no right to start it, or a server of somebody else's making: unknown.
        return None
    return int(found[0]) if found and str(found[0]).strip().isdigit() else None
