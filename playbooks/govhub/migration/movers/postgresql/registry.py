"""What has to be remembered of a move stands in the target's database, where the next controller finds it."""

from __future__ import annotations

from typing import Any

from govhub.migration.movers.postgresql.names import REGISTRY
from govhub.migration.movers.postgresql.server import Refused, Server
from govhub.migration.sql import statements as sql

_TABLE = sql.Identifier(REGISTRY, "state")
SCHEMA = sql.SQL(
    "CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {table} (key text PRIMARY KEY, value jsonb)"
).format(schema=sql.Identifier(REGISTRY), table=_TABLE)
# No such table, no such schema.
_MISSING = {"42P01", "3F000"}


class Registry:
    """Keys and values (JSON) of one move."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def make(self) -> None:
        """Make it where it is not there."""
        self._server.rows(SCHEMA)

    def get(self, key: str) -> Any:
        """The value; None when there is none, or no registry."""
        try:
            return self._server.value(sql.SQL("SELECT value FROM {} WHERE key = %s").format(_TABLE), [key])
        except Refused as refusal:
            if refusal.state in _MISSING:
                return None
            raise

    def exists(self) -> bool:
        """Whether the target's database is of this kind of move."""
        return bool(self._server.value("SELECT to_regclass(%s) IS NOT NULL", [f"{REGISTRY}.state"]))

    def set(self, key: str, value: Any) -> None:
        """Set it."""
        self._server.rows(put(), [key, sql.Jsonb(value)])

    def keep(self, key: str, value: Any) -> Any:
        """Set it unless it is there; what it is then."""
        self._server.rows(
            sql.SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT (key) DO NOTHING").format(_TABLE),
            [key, sql.Jsonb(value)],
        )
        return self.get(key)

    def drop(self, key: str) -> None:
        """Forget it."""
        self._server.rows(sql.SQL("DELETE FROM {} WHERE key = %s").format(_TABLE), [key])

    def remove(self) -> None:
        """Remove the registry itself."""
        self._server.rows(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(REGISTRY)))


def put() -> sql.Composed:
    """The statement that sets a key; parameters are key and value."""
    return sql.SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value").format(
        _TABLE
    )
