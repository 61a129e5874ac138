"""Canonical texts: SQL by which each engine spells a value so that equal meaning gives equal text.

The texts, without the NULLs, which stay NULL:

- integer, boolean: decimal digits; true is 1.
- decimal: digits without zeros at the end of the fraction.
- float: 17 significant digits of the double in scientific notation; the shortest text would not do, since the engines
  break ties in different ways. Between two MariaDB servers the shortest text.
- text, enum: the characters as they are; two normal forms of one letter differ.
- bytes, uuid beside bytes: lower-case hexadecimal digits. uuid: lower case with dashes.
- date, time, time stamps: ISO, no zeros at the end of the fraction of a second; with a zone: in UTC.
- bits: zeros and ones.
"""

from __future__ import annotations

from govhub.migration.sql.catalog import Column
from govhub.migration.sql.dsn import Engine
from govhub.migration.verify.kinds import Kind, kind_of

# Texts in which any character may come; the others hold neither a bar nor a colon before which a length could stand.
FREE = (Kind.TEXT, Kind.ENUM, Kind.OTHER, Kind.JSON)
_EXACT = "9.9999999999999999EEEE"
_GEOMETRY = ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon")


def quoted(engine: Engine, name: str) -> str:
    """An identifier in SQL."""
    mark = '"' if engine is Engine.POSTGRESQL else "`"
    return mark + name.replace(mark, mark * 2) + mark


def spelled(engine: Engine, column: Column, form: Kind, inner: str = "") -> str:
    """SQL of the canonical text of ``column`` in ``form``; of the expression ``inner`` instead, if given."""
    value = inner or quoted(engine, column.name)
    kind = kind_of(column, engine)
    return (_postgresql if engine is Engine.POSTGRESQL else _mariadb)(value, column, kind, form)


def _postgresql(c: str, _column: Column, kind: Kind, form: Kind) -> str:  # noqa: PLR0911  # a table in code
    text = f"({c})::text"
    if form is Kind.INTEGER and kind is Kind.BOOLEAN:
        return f"({c})::int::text"
    if form is Kind.INTEGER and kind is Kind.BITS:
        return f"ltrim({text}, '0') || CASE WHEN strpos({text}, '1') > 0 THEN '' ELSE '0' END"
    if form is Kind.DECIMAL and kind is Kind.DECIMAL:
        return f"CASE WHEN strpos({text}, '.') > 0 THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"
    if form is Kind.FLOAT:
        special = f"({c})::float8 IN ('NaN', 'Infinity', '-Infinity')"
        return f"CASE WHEN {special} THEN {text} ELSE ltrim(to_char(({c})::float8, '{_EXACT}')) END"
    if form is Kind.BYTES:
        return f"encode({c}, 'hex')" if kind is Kind.BYTES else f"replace({text}, '-', '')"
    if form is Kind.INSTANT:
        return f"({c} AT TIME ZONE 'UTC')::text"
    if form is Kind.UUID and kind is Kind.TEXT:
        return f"lower({text})"
    return text


def _mariadb(c: str, column: Column, kind: Kind, form: Kind) -> str:  # noqa: C901, PLR0911  # a table in code
    text = f"CAST({c} AS CHAR)"
    if form is Kind.INTEGER or (form is Kind.DECIMAL and kind is Kind.INTEGER):
        # Plus nothing: without the zeros in front that ZEROFILL shows.
        return f"CAST({c} + 0 AS CHAR)"
    if form is Kind.DECIMAL:
        return _without_zeros(f"CAST({c} + 0 AS CHAR)") if column.scale else f"CAST({c} + 0 AS CHAR)"
    if form is Kind.FLOAT:
        # Times one as a double: a single float's own text is cut to six digits. Of NULL SFORMAT would write zero.
        return f"IF({c} IS NULL, NULL, SFORMAT('{{:.16e}}', {c} * 1e0))"
    if form is Kind.SHORTEST:
        return f"CAST({c} * 1e0 AS CHAR)"
    if form is Kind.BYTES:
        return f"LOWER(HEX({c}))" if kind is Kind.BYTES else f"REPLACE({text}, '-', '')"
    if form in (Kind.LOCAL, Kind.INSTANT, Kind.TIME) and column.scale:
        return _without_zeros(text)
    if form is Kind.UUID and kind is Kind.TEXT:
        return f"LOWER(CONVERT({c} USING utf8mb4))"
    if form is Kind.BITS:
        return f"LPAD(BIN({c} + 0), {column.length or 1}, '0')"
    if form in (Kind.TEXT, Kind.ENUM, Kind.JSON):
        return f"CONVERT({c} USING utf8mb4)"
    if form is Kind.OTHER and column.type in _GEOMETRY:
        return f"CONCAT(ST_SRID({c}), ':', LOWER(HEX(ST_AsWKB({c}))))"
    return text


def _without_zeros(text: str) -> str:
    return f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
