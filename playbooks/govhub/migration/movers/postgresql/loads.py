"""How the rows of a table are read from one server and written to another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import Table
from govhub.migration.sql import statements as sql

# Types whose binary form is the same in all versions and on all machines; others are read as text.
_PLAIN = """('bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar', 'bytea',
  'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'inet', 'cidr')"""
_COLUMNS = f"""SELECT a.attrelid::int8, array_agg(a.attname::text ORDER BY a.attnum),
    bool_and(t.typnamespace = 'pg_catalog'::regnamespace AND t.typname IN {_PLAIN})
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' GROUP BY 1"""


@dataclass(frozen=True, slots=True)
class Load:
    """A table, and how its rows go from one server to another."""

    table: Table
    columns: tuple[str, ...]
    binary: bool

    def statement(self, way: str, options: str = "") -> sql.Composed:
        """``COPY``, ``way`` being TO STDOUT or FROM STDIN."""
        names = sql.SQL(", ").join(sql.Identifier(name) for name in self.columns)
        listed = sql.SQL(" ({})").format(names) if self.columns else sql.SQL("")
        form = "binary" if self.binary else "text"
        words = sql.SQL(f" {way} (FORMAT {form}{options})")
        return sql.Composed([sql.SQL("COPY "), self.table.identifier, listed, words])


def loads_of(source: Server, target: Server, tables: Iterable[Table]) -> list[Load]:
    """One for each table of the source, in their order."""
    tables = list(tables)
    found = {row[0]: row for row in source.rows(_COLUMNS, [[table.oid for table in tables]])}
    same = source.value("SHOW integer_datetimes") == target.value("SHOW integer_datetimes")
    out = []
    for table in tables:
        _, columns, plain = found.get(table.oid, (0, (), False))
        out.append(Load(table, tuple(columns), bool(plain) and same))
    return out
