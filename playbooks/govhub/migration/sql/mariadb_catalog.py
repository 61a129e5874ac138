"""What a MariaDB database holds, from its information schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from govhub.migration.sql.catalog import Catalog, Column, Key, Sequence, Table
from govhub.migration.sql.port import Row

Query = Callable[[str], list[Row]]
_TABLES = """
SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, TABLE_COLLATION, AUTO_INCREMENT, CREATE_TIME
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = {db} AND TABLE_TYPE NOT IN ('VIEW', 'SYSTEM VIEW') ORDER BY 1"""
_COLUMNS = """
SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, CHARACTER_SET_NAME,
       COLLATION_NAME, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, IS_GENERATED
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {db} ORDER BY TABLE_NAME, ORDINAL_POSITION"""
_INDEXES = """
SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE FROM information_schema.STATISTICS
 WHERE TABLE_SCHEMA = {db} ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"""
_FOREIGN = """
SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION),
       k.REFERENCED_TABLE_NAME, GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION),
       r.UPDATE_RULE, r.DELETE_RULE
  FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
    ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
       AND r.TABLE_NAME = k.TABLE_NAME
 WHERE k.TABLE_SCHEMA = {db} AND k.REFERENCED_TABLE_NAME IS NOT NULL GROUP BY 1, 2, 4, 6, 7 ORDER BY 1, 2"""
_CHECKS = """
SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
 WHERE CONSTRAINT_SCHEMA = {db} ORDER BY 1, 2"""
_DATABASE = """
SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, VERSION(), @@max_allowed_packet
  FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {db}"""


def read_catalog(query: Query, database: str) -> Catalog:
    """The catalog of ``database``; raises SqlFailed."""
    name = "'" + database.replace("\\", "\\\\").replace("'", "''") + "'"

    def ask(statement: str) -> list[Row]:
        return query(statement.format(db=name))

    columns: dict[str, list[Column]] = defaultdict(list)
    for row in ask(_COLUMNS):
        columns[row[0]].append(_column(row))
    indexes = _indexes(ask(_INDEXES))
    constraints: dict[str, list[str]] = defaultdict(list)
    for table, key, own, other, theirs, update, delete in ask(_FOREIGN):
        text = f"{key} FOREIGN KEY ({own}) REFERENCES {other}({theirs}) ON UPDATE {update} ON DELETE {delete}"
        constraints[table].append(text)
    for table, key, clause in ask(_CHECKS):
        constraints[table].append(f"{key} CHECK ({clause})")
    rows = ask(_TABLES)
    tables = [_table(row, columns, indexes, constraints) for row in rows if row[1] != "SEQUENCE"]
    sequences = [Sequence(name=row[0], next=int(row[6]), table=row[0]) for row in rows if row[6] is not None]
    for row in rows:
        if row[1] == "SEQUENCE":
            quoted = row[0].replace("`", "``")
            value, step = query(f"SELECT next_not_cached_value, increment FROM `{quoted}`")[0]
            sequences.append(Sequence(name=row[0], next=int(value), increment=int(step)))
    charset, collation, version, packet = ask(_DATABASE)[0]
    return Catalog(
        version=version,
        tables=tuple(tables),
        sequences=tuple(sequences),
        charset=charset,
        collation=collation,
        size=sum(item.size for item in tables),
        settings={"max_allowed_packet": str(packet)},
    )


def _table(row: Row, columns: Any, indexes: Any, constraints: Any) -> Table:
    name, _, engine, rows, size, collation, _, created = row
    own = tuple(columns[name])
    nullable = {item.name for item in own if item.nullable}
    keys = [
        Key(name=key, columns=tuple(item[0] for item in parts), primary=key == "PRIMARY")
        for key, (unique, parts, kind) in indexes[name].items()
        if unique and kind == "BTREE" and not any(item[1] for item in parts) and not nullable & {p[0] for p in parts}
    ]
    texts = [
        f"{key}{' UNIQUE' if unique else ''} {kind} ({', '.join(f'{c}({n})' if n else c for c, n in parts)})"
        for key, (unique, parts, kind) in indexes[name].items()
    ]
    return Table(
        schema="",
        name=name,
        columns=own,
        keys=tuple(keys),
        indexes=tuple(texts),
        constraints=tuple(constraints[name]),
        engine=engine or "",
        collation=collation or "",
        rows=int(rows) if rows is not None else None,
        size=int(size or 0),
        incarnation=str(created),
    )


def _indexes(rows: list[Row]) -> dict[str, dict[str, tuple[bool, list[tuple[str, Any]], str]]]:
    found: dict[str, dict[str, tuple[bool, list[tuple[str, Any]], str]]] = defaultdict(dict)
    for table, index, repeated, column, part, kind in rows:
        found[table].setdefault(index, (not repeated, [], kind))[1].append((column, part))
    return found


def _column(row: Row) -> Column:
    _, name, type_, full, nullable, default, extra, charset, collation, length, precision, scale, fraction, made = row
    full = str(full)
    type_ = str(type_).lower()
    return Column(
        name=name,
        type=type_,
        full=full,
        nullable=nullable == "YES",
        default=default,
        generated="auto_increment" if "auto_increment" in (extra or "") else "stored" if made == "ALWAYS" else "",
        charset=charset or "",
        collation=collation or "",
        length=int(length) if length is not None else int(precision) if type_ == "bit" else None,
        scale=int(scale if scale is not None else fraction or 0),
        unsigned="unsigned" in full,
    )
