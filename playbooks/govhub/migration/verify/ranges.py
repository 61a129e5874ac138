"""Rungs 2 and 3: how many rows; and of each column the NULLs, and the lowest and highest value or length."""

from __future__ import annotations

from typing import Any

from govhub.migration.sql.dsn import Engine
from govhub.migration.verify.kinds import Kind, kind_of
from govhub.migration.verify.pairing import ColumnPair
from govhub.migration.verify.result import Rung, Step, TableResult, Verdict
from govhub.migration.verify.spelling import quoted, spelled
from govhub.migration.verify.statements import Statements

_VALUES = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SHORTEST, Kind.DATE, Kind.LOCAL, Kind.INSTANT, Kind.TIME)


def counts_statement(side: Statements) -> str:
    """One row: the number of rows."""
    return f"SELECT count(*) FROM {side.name}"


def ranges_statement(side: Statements) -> str:
    """One row: the number of rows, and for each column its values and two ends."""
    parts = ["count(*)"]
    for pair in side.pair.columns:
        parts.append(f"count({quoted(side.engine, side.column(pair).name)})")
        parts += _ends(side, pair)
    return f"SELECT {', '.join(parts)} FROM {side.name}"


def compare_counts(result: TableResult, rows: tuple[int, int]) -> None:
    """Write down rung 2."""
    result.rows = rows
    same = rows[0] == rows[1]
    text = f"{rows[0]:,} rows on the source, {rows[1]:,} on the target"
    result.steps[Rung.COUNTS] = Step(Verdict.PASS if same else Verdict.DIFFERS, reasons=[] if same else [text])


def compare_ranges(result: TableResult, columns: tuple[ColumnPair, ...], rows: tuple[Any, Any]) -> None:
    """Write down rungs 2 and 3; values are not quoted, they may be personal."""
    compare_counts(result, (int(rows[0][0]), int(rows[1][0])))
    found = []
    for number, pair in enumerate(columns):
        (count, low, high), other = (row[1 + 3 * number : 4 + 3 * number] for row in rows)
        if rows[0][0] - count != rows[1][0] - other[0]:
            nulls = rows[0][0] - count, rows[1][0] - other[0]
            found.append(f"column {pair.name}: {nulls[0]:,} NULLs on the source, {nulls[1]:,} on the target")
        what = "value" if pair.form in _VALUES else "length"
        if _plain(low) != _plain(other[1]):
            found.append(f"column {pair.name}: the lowest {what} differs")
        if _plain(high) != _plain(other[2]):
            found.append(f"column {pair.name}: the highest {what} differs")
    result.steps[Rung.RANGES] = Step(Verdict.DIFFERS if found else Verdict.PASS, reasons=found)


def _ends(side: Statements, pair: ColumnPair) -> list[str]:
    column = side.column(pair)
    name = quoted(side.engine, column.name)
    kind = kind_of(column, side.engine)
    if pair.form in _VALUES:
        # Minus zero and zero are equal, so either may be the lowest; plus nothing they are one.
        value = f"{name}::int" if kind is Kind.BOOLEAN else name
        plus = (
            " + 0"
            if pair.form in (Kind.FLOAT, Kind.SHORTEST) or (kind is Kind.BITS and side.engine is Engine.MARIADB)
            else ""
        )
        if kind is Kind.BITS and side.engine is Engine.POSTGRESQL:
            return ["NULL", "NULL"]
        return [spelled(side.engine, column, pair.form, f"({end}({value}){plus})") for end in ("min", "max")]
    if pair.form is Kind.TEXT:
        return [f"{end}(char_length({spelled(side.engine, column, pair.form)}))" for end in ("min", "max")]
    if pair.form is Kind.BYTES and kind is Kind.BYTES:
        return [f"{end}(octet_length({name}))" for end in ("min", "max")]
    return ["NULL", "NULL"]


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
