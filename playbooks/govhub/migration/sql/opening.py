"""Open a database by its address."""

from __future__ import annotations

from govhub.migration.sql.dsn import Dsn, Engine
from govhub.migration.sql.port import Database


def open_database(dsn: Dsn) -> Database:
    """The database behind an address; nothing is connected yet."""
    if dsn.engine is Engine.POSTGRESQL:
        from govhub.migration.sql.postgresql import PostgresDatabase

        return PostgresDatabase(dsn)
    from govhub.migration.sql.mariadb import MariaDatabase

    return MariaDatabase(dsn)
