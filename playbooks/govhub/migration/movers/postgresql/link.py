"""How one server of a move connects to the other: a connection string without a password.

The password lies in a file of mode 600 in the data directory of the server that connects: in a connection string it
would stand in the catalog, in dumps of it, and in logs.
"""

from __future__ import annotations

from govhub.core.secrets import Secret
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql.server import Refused, Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.sql import statements as sql

_DENIED = "42501"


def connection_string(subscriber: Server, publisher: Endpoint, passfile: str, application: str) -> str:
    """For a subscription on ``subscriber``; writes the file with the password where one is needed."""
    host, port = publisher.link()
    # Apply workers notice a dead network within half a minute instead of after the system's two hours.
    words = {
        "host": host,
        "port": str(port),
        "dbname": publisher.database,
        "user": publisher.user,
        "application_name": application,
        "connect_timeout": "10",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        **dict(publisher.options),
    }
    if publisher.password is not None:
        words["passfile"] = _write(subscriber, publisher, publisher.password, passfile)
    return sql.make_conninfo(**words)


def _path(server: Server, name: str) -> str:
    return f"{server.value('SHOW data_directory')}/{name}"


def _write(server: Server, publisher: Endpoint, password: Secret, name: str) -> str:
    path = _path(server, name)
    host, port = publisher.link()
    fields = (host if not host.startswith("/") else "localhost", str(port), "*", publisher.user, password.reveal())
    line = ":".join(item.replace("\\", "\\\\").replace(":", "\\:") for item in fields)
    # As data of a copy: texts of statements may be kept in the server's log.
    with server.transaction():
        server.rows("CREATE TEMPORARY TABLE govhub_line (line text) ON COMMIT DROP")
        server.feed("COPY pg_temp.govhub_line FROM STDIN", [[line]])
        program = f"umask 077 && cat > {_quoted(path)}"
        # Two backslashes of a copy's text form would change the password.
        statement = sql.SQL("COPY pg_temp.govhub_line TO PROGRAM {} (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')")
        try:
            server.rows(statement.format(sql.Literal(program)))
        except Refused as refusal:
            if refusal.state != _DENIED:
                raise
            raise MoveFailed.one(
                "MOV031",
                "the account of the move may not write a file on the server that connects to the other",
                hint="use a superuser, or a connection by certificate instead of a password",
            ) from refusal
    return path


def remove(server: Server, name: str) -> None:
    """Remove the file."""
    program = f"cat > /dev/null; rm -f {_quoted(_path(server, name))}"
    server.rows(sql.SQL("COPY (SELECT 1) TO PROGRAM {}").format(sql.Literal(program)))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
