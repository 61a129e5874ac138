"""What a PostgreSQL database holds, from its system catalogues."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from govhub.migration.sql.catalog import Catalog, Column, Key, Sequence, Table
from govhub.migration.sql.port import Row

Query = Callable[[str], list[Row]]
PAGE = 8192
# The first OID of objects that users make; lower ones are the same on every server.
FIRST_OF_USERS = 16384
# What a move remembers stands in the database while it moves, and is no data of anybody.
_OURS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'govhub_move')"
_TABLES = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.reltuples::bigint,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) ELSE 0 END,
       coalesce(pg_relation_filenode(c.oid), 0)::text || ':' || c.oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' AND {_OURS}
 ORDER BY 2, 3"""
_COLUMNS = f"""
SELECT a.attrelid, a.attname, coalesce(b.typname, t.typname),
       format_type(coalesce(b.oid, t.oid), CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END),
       coalesce(b.typtype, t.typtype)::text, coalesce(b.typcategory, t.typcategory)::text,
       greatest(coalesce(b.oid, t.oid)::bigint, coalesce(b.typelem, t.typelem)::bigint) < {FIRST_OF_USERS},
       a.attnotnull OR t.typnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> 0 THEN (SELECT collname FROM pg_collation WHERE oid = a.attcollation) END,
       CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND {_OURS}
 ORDER BY a.attrelid, a.attnum"""
_INDEXES = f"""
SELECT i.indrelid, x.relname, i.indisprimary, i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY k(n, o)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
              WHERE k.o <= i.indnkeyatts ORDER BY k.o),
       pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT c.relispartition AND {_OURS} ORDER BY 1, 3 DESC, 2"""
_CONSTRAINTS = f"""
SELECT k.conrelid, k.conname, pg_get_constraintdef(k.oid), k.convalidated
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.conrelid <> 0 AND NOT c.relispartition AND k.contype IN ('c', 'f', 'u', 'p', 'x') AND {_OURS} ORDER BY 1, 2"""
_PARTS = f"""
SELECT c.oid, format('%I.%I', ln.nspname, l.relname), pg_relation_size(l.oid) / {PAGE},
       pg_relation_filenode(l.oid)::text, greatest(l.reltuples, 0)::bigint
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_partition_tree(c.oid) p
  JOIN pg_class l ON l.oid = p.relid JOIN pg_namespace ln ON ln.oid = l.relnamespace
 WHERE c.relkind = 'p' AND NOT c.relispartition AND p.isleaf AND l.relkind = 'r' AND {_OURS} ORDER BY 1, 2"""
_SEQUENCES = """
SELECT schemaname || '.' || sequencename,
       CASE WHEN last_value IS NULL THEN start_value ELSE last_value + increment_by END, increment_by,
       has_sequence_privilege(format('%I.%I', schemaname, sequencename), 'SELECT, USAGE'),
       coalesce((SELECT n.nspname || '.' || c.relname FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid
                   JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE d.objid = format('%I.%I', schemaname, sequencename)::regclass AND d.deptype IN ('a', 'i')
                    AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass LIMIT 1), '')
  FROM pg_sequences WHERE schemaname !~ '^pg_' ORDER BY 1"""
_DATABASE = """
SELECT pg_encoding_to_char(encoding), datcollate, pg_database_size(datname), current_setting('server_version')
  FROM pg_database WHERE datname = current_database()"""
_KINDS = {"r": "table", "p": "partitioned", "m": "materialized view", "f": "foreign"}
_CATEGORIES = {"e": "enum", "c": "composite", "r": "range", "m": "range"}


def read_catalog(query: Query) -> Catalog:
    """The catalog of the database that ``query`` asks; raises SqlFailed."""
    columns, keys, indexes = _columns(query), defaultdict(list), defaultdict(list)
    for oid, name, primary, unique, names, text in query(_INDEXES):
        indexes[oid].append(str(text))
        if unique and names:
            keys[oid].append(Key(name=name, columns=tuple(names), primary=primary))
    constraints = defaultdict(list)
    for oid, name, text, valid in query(_CONSTRAINTS):
        constraints[oid].append(f"{name} {text}{'' if valid else ' NOT VALID'}")
    parts = defaultdict(list)
    for row in query(_PARTS):
        parts[row[0]].append(row[1:])
    tables = [_table(row, columns, keys, indexes, constraints, parts) for row in query(_TABLES)]
    charset, collation, size, version = query(_DATABASE)[0]
    return Catalog(
        version=version,
        tables=tuple(tables),
        sequences=tuple(
            Sequence(name=name, next=value if allowed else None, increment=step, table=table)
            for name, value, step, allowed, table in query(_SEQUENCES)
        ),
        extensions=tuple((row[0], row[1]) for row in query("SELECT extname, extversion FROM pg_extension ORDER BY 1")),
        charset=charset,
        collation=collation,
        size=size,
        large_objects=query("SELECT count(*) FROM pg_largeobject_metadata")[0][0],
    )


def _table(row: Row, columns: Any, keys: Any, indexes: Any, constraints: Any, parts: Any) -> Table:
    oid, schema, name, kind, rows, size, incarnation = row
    own = tuple(columns[oid])
    nullable = {item.name for item in own if item.nullable}
    leaves = parts[oid]
    pages = ((f"{_quoted(schema)}.{_quoted(name)}", -(-size // PAGE)),) if kind in "rm" else ()
    return Table(
        schema=schema,
        name=name,
        kind=_KINDS[kind],
        columns=own,
        # A unique index with NULLs in it names no row.
        keys=tuple(item for item in keys[oid] if item.primary or not nullable & set(item.columns)),
        indexes=tuple(indexes[oid]),
        constraints=tuple(constraints[oid]),
        rows=sum(item[3] for item in leaves) if kind == "p" else rows if rows >= 0 else None,
        size=sum(item[1] for item in leaves) * PAGE if kind == "p" else size,
        parts=tuple((item[0], item[1]) for item in leaves) if kind == "p" else pages,
        incarnation=" ".join([incarnation, *(str(item[2]) for item in leaves)]),
    )


def _columns(query: Query) -> dict[int, list[Column]]:
    found = defaultdict(list)
    for row in query(_COLUMNS):
        oid, name, type_, full, kind, category, builtin, required, default, identity, generated, collation, mod = row
        found[oid].append(
            Column(
                name=name,
                type=type_,
                full=full,
                category="array" if category == "A" else _CATEGORIES.get(kind, "base"),
                builtin=builtin,
                nullable=not required,
                default=default,
                generated="identity" if identity else "stored" if generated else "",
                collation=collation or "",
                length=mod - 4 if type_ in ("varchar", "bpchar") and mod > 4 else None,
                scale=(mod - 4) & 0x7FF if type_ == "numeric" and mod > 4 else 0,
            )
        )
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
