"""What logical replication does not carry: sequences, large objects, unlogged tables, materialized views."""

from __future__ import annotations

from typing import Any

from govhub.migration.movers.postgresql.loads import loads_of
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import tables_of
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.sql import statements as sql

CHUNK = 1 << 20
_SEQUENCES = """SELECT schemaname, sequencename, last_value, increment_by, min_value, max_value, start_value
  FROM pg_sequences WHERE schemaname <> 'govhub_move'"""


def copy_sequences(source: Server, target: Server, margin: int) -> None:
    """Set every sequence of ``target`` past that of ``source`` by ``margin`` values, within its bounds."""
    there = {(row[0], row[1]) for row in target.rows(_SEQUENCES)}
    for schema, name, last, step, low, high, start in source.rows(_SEQUENCES):
        if (schema, name) not in there:
            raise MoveFailed.one(
                "MOV022", f"the sequence {schema}.{name} is not there", hint="the schema changed during the move"
            )
        regclass = sql.Literal(target.text(sql.Identifier(schema, name)))
        # Never used: the next value is the first one, and a margin would only waste it.
        value = start if last is None else min(max(last + step * margin, low), high)
        target.rows(sql.SQL("SELECT setval({}, {}, {})").format(regclass, value, sql.Literal(last is not None)))


_LARGE = """SELECT m.oid::int8, r.rolname, m.lomacl::text,
    md5(coalesce((SELECT string_agg(l.pageno || md5(l.data), ',' ORDER BY l.pageno) FROM pg_largeobject l
      WHERE l.loid = m.oid), ''))
  FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = m.lomowner"""


def copy_large_objects(source: Server, target: Server) -> int:
    """Make the large objects of ``target`` those of ``source``: only what differs is carried; how many did."""
    if not source.value("SELECT EXISTS (SELECT FROM pg_largeobject_metadata)") and not target.value(
        "SELECT EXISTS (SELECT FROM pg_largeobject_metadata)"
    ):
        return 0
    here, there = ({row[0]: tuple(row[1:]) for row in side.rows(_LARGE)} for side in (source, target))
    differing = [oid for oid, found in here.items() if there.get(oid) != found]
    for oid in there.keys() - here.keys():
        target.rows("SELECT lo_unlink(%s)", [oid])
    for oid in differing:
        _copy_large_object(source, target, oid, here[oid][0], present=oid in there)
    return len(differing)


def _copy_large_object(source: Server, target: Server, oid: int, owner: str, *, present: bool) -> None:
    with target.transaction():
        if present:
            target.rows("SELECT lo_unlink(%s)", [oid])
        target.rows("SELECT lo_create(%s)", [oid])
        offset = 0
        while chunk := source.value("SELECT lo_get(%s, %s, %s)", [oid, offset, CHUNK]):
            target.rows("SELECT lo_put(%s, %s, %s)", [oid, offset, chunk])
            offset += len(chunk)
        target.rows(sql.SQL("ALTER LARGE OBJECT {} OWNER TO {}").format(sql.Literal(oid), sql.Identifier(owner)))
        for grantee, privilege in _grants(source, oid):
            who = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
            words = sql.SQL(privilege)
            target.rows(sql.SQL("GRANT {} ON LARGE OBJECT {} TO {}").format(words, sql.Literal(oid), who))


def _grants(source: Server, oid: int) -> list[tuple[Any, ...]]:
    return source.rows(
        """SELECT coalesce(g.rolname, ''), a.privilege_type FROM pg_largeobject_metadata m, aclexplode(m.lomacl) a
           LEFT JOIN pg_roles g ON g.oid = a.grantee WHERE m.oid = %s ORDER BY g.rolname = (
             SELECT rolname FROM pg_roles WHERE oid = m.lomowner) DESC""",
        [oid],
    )


def copy_unlogged(source: Server, target: Server) -> None:
    """Make the rows of unlogged tables of ``target`` those of ``source``, which nobody writes to meanwhile."""
    for load in loads_of(source, target, [item for item in tables_of(source) if not item.logged]):
        with target.transaction():
            # Neither triggers nor foreign keys: the rows are right as they are on the source.
            target.rows("SET LOCAL session_replication_role = replica")
            target.rows(sql.SQL("DELETE FROM ONLY {}").format(load.table.identifier))
            source.copy_into(target, load.statement("TO STDOUT"), load.statement("FROM STDIN"), lambda _: None)


def refresh_views(source: Server, target: Server) -> None:
    """Fill the materialized views that are filled on the source, those that others read first."""
    query = """SELECT n.nspname, c.relname, c.relispopulated FROM pg_class c JOIN pg_namespace n
        ON n.oid = c.relnamespace WHERE c.relkind = 'm' ORDER BY c.oid"""
    filled = {(row[0], row[1]) for row in source.rows(query) if row[2]}
    for schema, name, _ in target.rows(query):
        if (schema, name) in filled:
            target.rows(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name)))
