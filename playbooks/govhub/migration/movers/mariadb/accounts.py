"""Accounts of a database: they are shut out to freeze it, and made on the target when it opens.

An account that is there for this database alone is locked. One that other databases are used with, too, loses its
rights on this one: whoever works there goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from govhub.migration.movers.mariadb.server import Refused, Server, literal, name

NO_SUCH_THREAD = 1094
_NO_SUCH_GRANT = 1141
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


def wide(server: Server, database: str) -> list[str]:
    """Accounts whose rights are on a pattern of names that other databases have, too: they cannot lose one alone."""
    rows = server.rows(
        "SELECT DISTINCT d.User AS user, d.Host AS host, d.Db AS pattern FROM mysql.db d "
        "JOIN information_schema.SCHEMATA s ON s.SCHEMA_NAME LIKE d.Db AND s.SCHEMA_NAME <> %s "
        "WHERE %s LIKE d.Db AND d.User NOT IN %s ORDER BY 1, 2",
        [database, database, (*_OURS, server.endpoint.user)],
    )
    return [f"{row['user']}@{row['host']} ({row['pattern']})" for row in rows if row["pattern"] != database]


def may_take(server: Server) -> bool:
    """Whether the move's own account may take rights from others, and give them back."""
    return bool(
        server.rows(
            "SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE IS_GRANTABLE = 'YES' "
            """AND GRANTEE = CONCAT("'", REPLACE(CURRENT_USER(), '@', "'@'"), "'") LIMIT 1"""
        )
    )


class Held(NamedTuple):
    """An account that is shut out: locked, or without the rights that stand here."""

    user: str
    host: str
    grants: tuple[str, ...] = ()

    @staticmethod
    def read(noted: Iterable[Any] | None) -> list[Held]:
        """Of the registry's JSON; older ones note no rights, and were locked."""
        return [Held(user, host, tuple(grants[0]) if grants else ()) for user, host, *grants in noted or []]


def open_ones(server: Server, database: str) -> list[Held]:
    """Accounts with rights on the database that are open, as they are to be shut out."""
    found = [who for who in accounts_of(server, database) if not is_locked(server, *who)]
    return [Held(*who, _taken(server, database, *who)) for who in found]


def shut(server: Server, database: str, held: Iterable[Held]) -> None:
    """Shut accounts out of the database, and end their sessions in it; again does no harm."""
    found = list(held)
    for item in found:
        if item.grants:
            _revoke(server, database, item)
        else:
            lock(server, item.user, item.host, locked=True)
    # A transaction of theirs that has written already would be committed later, whatever the rights are by then.
    _end_sessions(server, database, found, writing=True)
    while _end_sessions(server, database, found):
        continue


def reopen(server: Server, held: Iterable[Held]) -> None:
    """Let them in as before."""
    for item in held:
        for grant in item.grants:
            server.rows(grant)
        if not item.grants:
            lock(server, item.user, item.host, locked=False)


def lock(server: Server, user: str, host: str, *, locked: bool) -> None:
    """Lock or unlock an account."""
    server.rows(f"ALTER USER {_spelled(user, host)} ACCOUNT {'LOCK' if locked else 'UNLOCK'}")


def is_locked(server: Server, user: str, host: str) -> bool:
    """Whether an account is locked."""
    return bool(
        server.value(
            "SELECT JSON_VALUE(Priv, '$.account_locked') FROM mysql.global_priv WHERE User = %s AND Host = %s",
            [user, host],
        )
        in {"1", "true"}
    )


def admit(source: Server, target: Server, database: str, held: Iterable[Held]) -> list[Held]:
    """Make the source's accounts on the target, with digests of passwords; they are shut out until it opens.

    ``held``: those that the freeze shut out on the source. What was locked there before stays locked.

    Returns:
        Those to be let in when the target opens.
    """
    opened = {(item.user, item.host): item.grants for item in held}
    out: list[Held] = []
    for who in sorted({*accounts_of(source, database), *opened}):
        rights = opened.get(who) or rights_of(source, database, *who)
        if not _exists(target, *who):
            found = source.value(f"SHOW CREATE USER {_spelled(*who)}")
            statement = str(found).replace("CREATE USER", "CREATE USER IF NOT EXISTS", 1).replace(" ACCOUNT LOCK", "")
            # Locked before it has rights: a session that got in now would write what is never replicated back.
            target.rows(f"{statement} ACCOUNT LOCK")
        elsewhere = _elsewhere(target, database, *who)
        if not elsewhere:
            lock(target, *who, locked=True)
            for grant in rights:
                target.rows(grant)
        if who in opened:
            out.append(Held(*who, rights if elsewhere else ()))
    return out


def rights_of(server: Server, database: str, user: str, host: str) -> tuple[str, ...]:
    """The statements that give an account its rights on the database; those on others are not this move's business."""
    grants = [str(next(iter(row.values()))) for row in server.rows(f"SHOW GRANTS FOR {_spelled(user, host)}")]
    places = (f"ON {name(database)}.", f"ON {name(database.replace('_', chr(92) + '_'))}.")
    return tuple(grant for grant in grants if any(place in grant for place in places))


def _taken(server: Server, database: str, user: str, host: str) -> tuple[str, ...]:
    """The rights that an account loses instead of being locked; none when it is there for this database alone."""
    return rights_of(server, database, user, host) if _elsewhere(server, database, user, host) else ()


def _elsewhere(server: Server, database: str, user: str, host: str) -> bool:
    """Whether an account has rights on other databases, too."""
    return bool(
        server.rows(
            "SELECT 1 FROM mysql.db WHERE User = %s AND Host = %s AND NOT %s LIKE Db UNION "
            "SELECT 1 FROM mysql.tables_priv WHERE User = %s AND Host = %s AND NOT %s LIKE Db LIMIT 1",
            [user, host, database, user, host, database],
        )
    )


def _exists(server: Server, user: str, host: str) -> bool:
    return bool(server.rows("SELECT 1 FROM mysql.global_priv WHERE User = %s AND Host = %s", [user, host]))


def _revoke(server: Server, database: str, held: Held) -> None:
    places = {database, database.replace("_", r"\_")}
    for place in places:
        for rights in ("ALL PRIVILEGES", "GRANT OPTION"):
            try:
                server.rows(f"REVOKE {rights} ON {name(place)}.* FROM {_spelled(held.user, held.host)}")
            except Refused as refusal:
                # There is none of this spelling, or it was taken by somebody who was killed.
                if refusal.number != _NO_SUCH_GRANT:
                    raise


def _end_sessions(server: Server, database: str, held: list[Held], *, writing: bool = False) -> int:
    """End all sessions in the database, and those of locked accounts anywhere; how many there were.

    With ``writing`` also those of the others that have written in a transaction.
    """
    locked = {item.user for item in held if not item.grants}
    others = {item.user for item in held if item.grants}
    rows = server.rows(
        "SELECT p.ID AS id, p.USER AS user, p.DB AS db, COALESCE(t.trx_rows_modified, 0) AS changed "
        "FROM information_schema.PROCESSLIST p "
        "LEFT JOIN information_schema.INNODB_TRX t ON t.trx_mysql_thread_id = p.ID "
        "WHERE p.ID <> CONNECTION_ID() AND p.USER NOT IN ('system user', 'event_scheduler')"
    )
    ended = [
        row["id"]
        for row in rows
        if row["user"] in locked or row["db"] == database or (writing and row["user"] in others and row["changed"])
    ]
    for number in ended:
        try:
            server.rows(f"KILL {number}")
        except Refused as refusal:
            # It ended by itself.
            if refusal.number != NO_SUCH_THREAD:
                raise
    return len(ended)


def _spelled(user: str, host: str) -> str:
    return f"{literal(user)}@{literal(host)}"
