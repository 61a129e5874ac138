"""What a database consists of, as text that can be compared: changes of a schema during a move show as a difference.

Live on both sides, instead of a digest taken at the beginning: then a change that somebody made on both sides is none.
Not compared: operators, casts, text search, owners and grants.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import LiteralString

from govhub.migration.movers.postgresql.server import Server

# Objects of extensions belong to the extension; ours is no part of the move.
_OURS = "n.nspname !~ '^(pg_|information_schema$|govhub_move$)'"


class Part(StrEnum):
    """What is made before rows are copied, and what may wait until they are."""

    STRUCTURE = "structure"
    LATER = "later"


def _not_of_extension(catalog: LiteralString, column: LiteralString) -> LiteralString:
    return (
        f"NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{catalog}'::regclass "
        f"AND e.objid = {column} AND e.deptype = 'e')"
    )


_STRUCTURE: tuple[LiteralString, ...] = (
    f"""SELECT 'table', format('%I.%I', n.nspname, c.relname), concat_ws(' ', c.relkind, c.relpersistence,
          pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), c.relrowsecurity,
          (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull,
             a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
             CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END),
             ', ' ORDER BY a.attnum)
           FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
           LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'f', 'c') AND {_OURS} AND {_not_of_extension("pg_class", "c.oid")}""",
    f"""SELECT 'view', format('%I.%I', n.nspname, c.relname), c.relkind::text || ' ' || pg_get_viewdef(c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('v', 'm') AND {_OURS} AND {_not_of_extension("pg_class", "c.oid")}""",
    f"""SELECT 'sequence', format('%I.%I', n.nspname, c.relname),
          concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
        FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND {_not_of_extension("pg_class", "c.oid")}""",
    f"""SELECT 'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
          CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {_OURS} AND {_not_of_extension("pg_proc", "p.oid")}""",
    f"""SELECT 'type', format('%I.%I', n.nspname, t.typname), concat_ws(' ', t.typtype,
          CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull, t.typdefault,
          (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder)
           FROM pg_enum WHERE enumtypid = t.oid),
          (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY k.conname)
           FROM pg_constraint k WHERE k.contypid = t.oid))
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype IN ('e', 'd', 'r') AND {_OURS} AND {_not_of_extension("pg_type", "t.oid")}""",
    f"SELECT 'schema', quote_ident(n.nspname), '' FROM pg_namespace n WHERE {_OURS}",
    "SELECT 'extension', quote_ident(extname), '' FROM pg_extension",
)
_LATER: tuple[LiteralString, ...] = (
    f"""SELECT 'index', format('%I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid) || i.indisvalid::text
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND {_not_of_extension("pg_class", "i.indrelid")}""",
    f"""SELECT 'constraint', format('%I.%I.%I', n.nspname, c.relname, k.conname),
          pg_get_constraintdef(k.oid) || k.convalidated::text
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND {_not_of_extension("pg_class", "c.oid")}""",
    f"""SELECT 'trigger', format('%I.%I.%I', n.nspname, c.relname, t.tgname),
          pg_get_triggerdef(t.oid) || t.tgenabled::text
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND {_OURS} AND {_not_of_extension("pg_class", "c.oid")}""",
    """SELECT 'rule', format('%I.%I.%I', schemaname, tablename, rulename), definition FROM pg_rules
        WHERE schemaname !~ '^(pg_|information_schema$|govhub_move$)'""",
    """SELECT 'policy', format('%I.%I.%I', schemaname, tablename, policyname),
          concat_ws(' ', permissive, roles, cmd, qual, with_check) FROM pg_policies""",
    "SELECT 'event trigger', quote_ident(evtname), concat_ws(' ', evtevent, evtenabled) FROM pg_event_trigger",
)

Objects = dict[tuple[str, str], str]


def objects(server: Server, part: Part) -> Objects:
    """Kind and name to definition."""
    found: Objects = {}
    for query in _STRUCTURE if part is Part.STRUCTURE else _LATER:
        for kind, name, definition in server.rows(query):
            found[kind, name] = definition
    return found


def differences(source: Server, target: Server, part: Part) -> list[str]:
    """What is not the same on both sides, one line each; empty when all of ``part`` is."""
    # At the same time: this is also asked in the pause of writes.
    with ThreadPoolExecutor(max_workers=2) as pool:
        here, there = pool.map(lambda side: objects(side, part), (source, target))
    lines = []
    for key in sorted(here.keys() | there.keys()):
        if here.get(key) != there.get(key):
            how = "differs" if key in here and key in there else "is missing on the target"
            lines.append(f"{key[0]} {key[1]} {how if key in here else 'is on the target only'}")
    return lines
