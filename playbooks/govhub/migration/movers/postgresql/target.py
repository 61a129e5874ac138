"""The target's database: made for the move, emptied again when the move is given up."""

from __future__ import annotations

from govhub.migration.movers.postgresql.registry import Registry
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.sql import statements as sql


def make_database(source: Server, target: Server) -> bool:
    """Make it with the source's character set where it is not there; whether it was made.

    Raises:
        MoveFailed: it cannot be made, or is of another character set (MOV113).
    """
    encoding, collate, ctype = source.rows(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
    )[0]
    server = target.at("postgres")
    try:
        name = target.endpoint.database
        there = server.value("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s", [name])
        if there is None:
            server.rows(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
                    sql.Identifier(name), sql.Literal(encoding), sql.Literal(collate), sql.Literal(ctype)
                )
            )
            return True
        if there != encoding:
            raise MoveFailed.one(
                "MOV113",
                f"the target's character set is {there}, the source's is {encoding}",
                address=str(target.endpoint),
                hint="drop the empty database on the target: the move makes it with the source's character set",
            )
        return False
    finally:
        server.close()


def claim(target: Server, registry: Registry, move: str, *, made: bool) -> None:
    """Take the database for this move.

    Raises:
        MoveFailed: it holds something already (MOV023), or another move took it (MOV024).
    """
    if not registry.exists():
        there = target.value(
            """SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
               AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')"""
        )
        if there:
            raise MoveFailed.one(
                "MOV023",
                f"the target's database {target.endpoint.database} is not empty: {there} tables, views or sequences",
                address=str(target.endpoint),
                hint="name another database for the move, or empty this one",
            )
        registry.make()
    if (owner := registry.keep("move", {"name": move, "made": made})["name"]) != move:
        raise MoveFailed.one(
            "MOV024",
            f"the target's database belongs to the move {owner}",
            address=str(target.endpoint),
            hint="name another database for this move, or cancel that one",
        )


def empty(target: Server) -> None:
    """Take out everything that the move put in; the registry stays."""
    schemas = target.rows(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|govhub_move$)' ORDER BY 1"
    )
    for (name,) in schemas:
        target.rows(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
    target.rows("CREATE SCHEMA public")
    target.rows("ALTER SCHEMA public OWNER TO pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC")
    for (name,) in target.rows("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"):
        target.rows(sql.SQL("DROP EXTENSION IF EXISTS {} CASCADE").format(sql.Identifier(name)))
    target.rows("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")


def drop_database(target: Server) -> None:
    """Drop the database that the move itself made."""
    target.close()
    server = target.at("postgres")
    try:
        server.rows(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target.endpoint.database)))
    finally:
        server.close()


def drop_later(target: Server) -> None:
    """Foreign keys alone: with them, rows could only be copied in the order of the ties between tables."""
    for table, name in target.rows(
        """SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k
           JOIN pg_namespace n ON n.oid = k.connamespace
           WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname !~ '^(pg_|information_schema$|govhub_move$)'"""
    ):
        statement = "ALTER TABLE {} DROP CONSTRAINT {}"
        # As the catalog quotes it.
        target.rows(sql.SQL(statement).format(sql.SQL(table), sql.Identifier(name)))
