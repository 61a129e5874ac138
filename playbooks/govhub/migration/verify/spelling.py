"""Canonical texts: SQL by which each engine spells a value so that equal meaning gives equal text.

The texts, without the NULLs, which stay NULL:

- integer, boolean: decimal digits; true is 1.
- decimal: digits without zeros at the end of the fraction.
- float: sign, the shortest digits that name the double, ``e``, the exponent of the last one; minus zero is not zero.
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
        return _postgresql_float(f"({c})::float8::text")
    if form is Kind.BYTES:
        return f"encode({c}, 'hex')" if kind is Kind.BYTES else f"replace({text}, '-', '')"
    if form is Kind.INSTANT:
        return f"({c} AT TIME ZONE 'UTC')::text"
    if form is Kind.UUID and kind is Kind.TEXT:
        return f"lower({text})"
    return text


def _postgresql_float(t: str) -> str:
    mantissa = f"split_part({t}, 'e', 1)"
    digits = f"ltrim(replace(replace({mantissa}, '.', ''), '-', ''), '0')"
    fraction = f"CASE WHEN strpos({mantissa}, '.') > 0 THEN length({mantissa}) - strpos({mantissa}, '.') ELSE 0 END"
    exponent = f"coalesce(nullif(split_part({t}, 'e', 2), ''), '0')::int"
    power = f"{exponent} - ({fraction}) + length({digits}) - length(rtrim({digits}, '0'))"
    return (
        f"CASE WHEN {t} IN ('NaN', 'Infinity', '-Infinity') THEN {t}"
        f" ELSE CASE WHEN left({t}, 1) = '-' THEN '-' ELSE '' END || rtrim({digits}, '0') || 'e'"
        f" || CASE WHEN {digits} = '' THEN 0 ELSE {power} END END"
    )


def _mariadb(c: str, column: Column, kind: Kind, form: Kind) -> str:  # noqa: PLR0911  # a table in code
    text = f"CAST({c} AS CHAR)"
    if form is Kind.INTEGER or (form is Kind.DECIMAL and kind is Kind.INTEGER):
        # Plus nothing: without the zeros in front that ZEROFILL shows.
        return f"CAST({c} + 0 AS CHAR)"
    if form is Kind.DECIMAL:
        return _without_zeros(f"CAST({c} + 0 AS CHAR)") if column.scale else f"CAST({c} + 0 AS CHAR)"
    if form is Kind.FLOAT:
        # Times one as a double: single floats would be cut to six digits, and a sum would lose the sign of zero.
        return _mariadb_float(f"CAST({c} * 1e0 AS CHAR)")
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


def _mariadb_float(t: str) -> str:
    mantissa = f"SUBSTRING_INDEX({t}, 'e', 1)"
    digits = f"TRIM(LEADING '0' FROM REPLACE(REPLACE({mantissa}, '.', ''), '-', ''))"
    stripped = f"TRIM(TRAILING '0' FROM {digits})"
    fraction = f"IF(LOCATE('.', {mantissa}), CHAR_LENGTH({mantissa}) - LOCATE('.', {mantissa}), 0)"
    exponent = f"IF(LOCATE('e', {t}), CAST(SUBSTRING_INDEX({t}, 'e', -1) AS SIGNED), 0)"
    power = f"{exponent} - {fraction} + CAST(CHAR_LENGTH({digits}) - CHAR_LENGTH({stripped}) AS SIGNED)"
    return f"CONCAT(IF(LEFT({t}, 1) = '-', '-', ''), {stripped}, 'e', IF({digits} = '', 0, {power}))"
