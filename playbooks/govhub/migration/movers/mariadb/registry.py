"""What has to be remembered of a move stands on the target's server, where the next controller finds it."""

from __future__ import annotations

import json
from typing import Any

from govhub.migration.movers.mariadb.server import Refused, Server

REGISTRY = "govhub_move"
_MISSING = {1146, 1049}


class Registry:
    """Keys and values (JSON) of one move, in a database of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def make(self) -> None:
        """Make it where it is not there."""
        self._server.rows(f"CREATE DATABASE IF NOT EXISTS {REGISTRY}")
        self._server.rows(
            f"CREATE TABLE IF NOT EXISTS {REGISTRY}.state (name varchar(64) PRIMARY KEY, value longtext) ENGINE=InnoDB"
        )

    def get(self, key: str) -> Any:
        """The value; None when there is none, or no registry."""
        try:
            found = self._server.value(f"SELECT value FROM {REGISTRY}.state WHERE name = %s", [key])
        except Refused as refusal:
            if refusal.number in _MISSING:
                return None
            raise
        return json.loads(found) if found is not None else None

    def set(self, key: str, value: Any) -> None:
        """Set it."""
        self._server.rows(f"REPLACE INTO {REGISTRY}.state VALUES (%s, %s)", [key, json.dumps(value)])

    def keep(self, key: str, value: Any) -> Any:
        """Set it unless it is there; what it is then."""
        self._server.rows(f"INSERT IGNORE INTO {REGISTRY}.state VALUES (%s, %s)", [key, json.dumps(value)])
        return self.get(key)

    def drop(self, key: str) -> None:
        """Forget it."""
        self._server.rows(f"DELETE FROM {REGISTRY}.state WHERE name = %s", [key])

    def remove(self) -> None:
        """Remove the registry itself."""
        self._server.rows(f"DROP DATABASE IF EXISTS {REGISTRY}")
