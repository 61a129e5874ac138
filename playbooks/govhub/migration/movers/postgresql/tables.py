"""The tables of a move: sizes, keys, and how they are grouped into subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

from govhub.migration.movers.postgresql.server import Server
from govhub.migration.sql import statements as sql

# Leaves of partitioned tables are what holds rows; what is not logged is not replicated.
_TABLES = """SELECT c.oid::int8, n.nspname, c.relname, pg_table_size(c.oid)::int8,
    CASE WHEN c.reltuples < 0 THEN NULL ELSE c.reltuples::int8 END, c.relreplident::text,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_key, c.relpersistence::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$|govhub_move$)'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
      AND e.deptype = 'e')
  ORDER BY 4 DESC, 2, 3"""
_TIES = """SELECT DISTINCT conrelid::int8, confrelid::int8 FROM pg_constraint WHERE contype = 'f'
    AND conrelid <> confrelid"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table that holds rows."""

    oid: int
    schema: str
    name: str
    size: int
    """Bytes on disk, without indexes."""
    rows: int | None
    """As the statistics estimate them."""
    identity: str
    """``d`` default, ``f`` full, ``i`` an index, ``n`` nothing."""
    has_key: bool
    persistence: str

    @property
    def identifier(self) -> sql.Identifier:
        """For statements."""
        return sql.Identifier(self.schema, self.name)

    @property
    def keyless(self) -> bool:
        """Changes of its rows cannot be replicated as it is."""
        return self.identity == "n" or (self.identity == "d" and not self.has_key)

    @property
    def logged(self) -> bool:
        """Whether its rows are in the log at all."""
        return self.persistence == "p"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def tables_of(server: Server) -> list[Table]:
    """All, largest first."""
    return [Table(*row) for row in server.rows(_TABLES)]


def ties_of(server: Server) -> list[tuple[int, int]]:
    """Pairs of tables with a foreign key between them."""
    return [(row[0], row[1]) for row in server.rows(_TIES)]


def grouped(tables: list[Table], ties: list[tuple[int, int]], groups: int) -> list[list[Table]]:
    """At most ``groups`` groups of about the same size.

    Tables with a foreign key between them stay together: different subscriptions are at different transactions, and a
    foreign key that is built meanwhile would find rows without their parents.
    """
    parent = {table.oid: table.oid for table in tables}

    def root(oid: int) -> int:
        while parent[oid] != oid:
            oid = parent[oid]
        return oid

    for left, right in ties:
        if left in parent and right in parent:
            parent[root(left)] = root(right)
    together: dict[int, list[Table]] = {}
    for table in tables:
        together.setdefault(root(table.oid), []).append(table)
    out: list[list[Table]] = [[] for _ in range(max(1, groups))]
    for family in sorted(together.values(), key=lambda family: -sum(item.size for item in family)):
        min(out, key=lambda group: sum(item.size for item in group)).extend(family)
    return [group for group in out if group] or [[]]
