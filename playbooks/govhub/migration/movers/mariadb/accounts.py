"""Accounts of a database: they are locked to freeze it, and made on the target when it opens."""

from __future__ import annotations

from govhub.migration.movers.mariadb.server import Refused, Server, literal, name

NO_SUCH_THREAD = 1094
_OURS = ("root", "mariadb.sys", "mysql", "")


def accounts_of(server: Server, database: str) -> list[tuple[str, str]]:
    """Users and hosts with rights on the database, without the server's own and the move's."""
    ours = (*_OURS, server.endpoint.user)
    rows = server.rows(
        "SELECT DISTINCT User AS user, Host AS host FROM mysql.db WHERE %s LIKE Db AND User NOT IN %s ORDER BY 1, 2",
        [database, ours],
    )
    return [(row["user"], row["host"]) for row in rows]


def unstoppable(server: Server) -> list[str]:
    """Accounts with rights on everything, which a freeze does not stop."""
    rows = server.rows(
        "SELECT User AS user, Host AS host FROM mysql.user WHERE Insert_priv = 'Y' AND User NOT IN %s",
        [(*_OURS, server.endpoint.user)],
    )
    return [f"{row['user']}@{row['host']}" for row in rows]


def lock(server: Server, accounts: list[tuple[str, str]], *, locked: bool) -> None:
    """Lock or unlock them."""
    for user, host in accounts:
        word = "LOCK" if locked else "UNLOCK"
        server.rows(f"ALTER USER {_spelled(user, host)} ACCOUNT {word}")


def is_locked(server: Server, user: str, host: str) -> bool:
    """Whether an account is locked."""
    return bool(
        server.value(
            "SELECT JSON_VALUE(Priv, '$.account_locked') FROM mysql.global_priv WHERE User = %s AND Host = %s",
            [user, host],
        )
        in {"1", "true"}
    )


def end_sessions(server: Server, database: str, accounts: list[tuple[str, str]]) -> int:
    """End the sessions of these accounts, and all that are in the database; how many there were."""
    users = {user for user, _ in accounts}
    rows = server.rows(
        "SELECT ID AS id, USER AS user, DB AS db FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() "
        "AND USER NOT IN ('system user', 'event_scheduler')"
    )
    ended = [row["id"] for row in rows if row["user"] in users or row["db"] == database]
    for number in ended:
        try:
            server.rows(f"KILL {number}")
        except Refused as refusal:
            # It ended by itself.
            if refusal.number != NO_SUCH_THREAD:
                raise
    return len(ended)


def copy_accounts(source: Server, target: Server, database: str) -> None:
    """Make accounts that are not there, with digests of passwords and rights on the database; they are locked."""
    for user, host in accounts_of(source, database):
        who = _spelled(user, host)
        found = source.value(f"SHOW CREATE USER {who}")
        statement = str(found).replace("CREATE USER", "CREATE USER IF NOT EXISTS", 1).replace(" ACCOUNT LOCK", "")
        target.rows(statement)
        # Before it has rights: a session that got in now would write what is never replicated back.
        lock(target, [(user, host)], locked=True)
        for row in source.rows(f"SHOW GRANTS FOR {who}"):
            grant = str(next(iter(row.values())))
            # Rights on other databases, or on everything, are not this move's business.
            if f"ON {name(database)}." in grant or f"ON {name(database.replace('_', chr(92) + '_'))}." in grant:
                target.rows(grant)


def _spelled(user: str, host: str) -> str:
    return f"{literal(user)}@{literal(host)}"
