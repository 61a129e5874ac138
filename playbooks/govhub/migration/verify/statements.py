"""The statements of the ladder, for one side of a pair of tables.

A row's digest has 64 bits. Between two PostgreSQL servers it is the server's own hash of the row's binary form, with a
seed drawn for each run: the binary form is exact (scale of numerics, sign of zero, NULL apart from empty) and several
times cheaper than text. It is hashed as one string of bytes, key included: the hash of a record adds up those of its
columns, so that values which changed places between two rows would not show in a sum. Otherwise the digest is the first
half of the MD5 of the canonical texts, each free one with its length in front.

Digests of a chunk are added up: a sum does not depend on the order, and unlike an exclusive or it counts repeated rows.
A chunk that differs has the same sum with a probability of 2**-64, about 5e-20.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from govhub.migration.sql.catalog import Column, Table
from govhub.migration.sql.dsn import Engine
from govhub.migration.verify.kinds import Kind
from govhub.migration.verify.pairing import ColumnPair, TablePair
from govhub.migration.verify.spelling import FREE, quoted, spelled

# Above any sum of digests: how many rows had none is what stands above it.
MARKER_BITS = 110
SEGMENT_PAGES = 8192
SEGMENT_ROWS = 400_000
WORD = 1 << 64
# Types whose binary form is exact, the same on every server, and made without looking anything up.
_BINARY = {
    *("int2", "int4", "int8", "oid", "bool", "numeric", "text", "varchar", "bpchar", "bytea", "date", "timestamp"),
    *("timestamptz", "time", "timetz", "interval", "uuid", "json", "jsonb", "bit", "varbit", "inet", "cidr", "macaddr"),
    *("money", "name"),
}


@dataclass(frozen=True)
class Buckets:
    """How rows fall into chunks: ranges of ``size`` integer keys, or ``size`` values of the digest's last bits."""

    by_key: bool
    size: int

    def bounds(self, bucket: int) -> tuple[int, int]:
        """The first and last key of a chunk; division cuts towards zero, so the one around zero is twice as wide."""
        if bucket == 0:
            return 1 - self.size, self.size - 1
        low = bucket * self.size
        return (low, low + self.size - 1) if bucket > 0 else (low - self.size + 1, low)


@dataclass(frozen=True, kw_only=True)
class Statements:
    """Writes SQL for one side (0 source, 1 target) of ``pair``."""

    pair: TablePair
    index: int
    engine: Engine
    encoding: str = "UTF8"
    seed: int | None = None
    """Of the server's own hash; None digests canonical texts."""

    @property
    def table(self) -> Table:
        """This side's table."""
        return self.pair.side(self.index)

    @property
    def name(self) -> str:
        """The table's name in SQL."""
        parts = (self.table.schema, self.table.name) if self.table.schema else (self.table.name,)
        return ".".join(quoted(self.engine, part) for part in parts)

    def column(self, pair: ColumnPair) -> Column:
        """This side's column."""
        return pair.side(self.index)

    def text(self, pair: ColumnPair, *, whole: bool = True) -> str:
        """The canonical text of a column; the digest instead of a long one unless ``whole``."""
        column = self.column(pair)
        found = spelled(self.engine, column, pair.form)
        if pair.same_type and self.engine is Engine.POSTGRESQL:
            # The engine's own text is exact, and it is what a dump holds: 1.0 is not 1.00.
            found = f"({quoted(self.engine, column.name)})::text"
        if whole or not pair.long:
            return found
        if pair.form is Kind.BYTES and column.type != "uuid":
            return f"md5({quoted(self.engine, column.name)})"
        return self._md5(found)

    @property
    def row_text(self) -> str:
        """One text for the whole row, from which its columns can be told apart."""
        parts = [self._part(pair) for pair in self.pair.hashed]
        if self.engine is Engine.POSTGRESQL:
            return " || '|' || ".join(parts) or "''"
        bar = ", '|', "
        return f"CONCAT({bar.join(parts)})"

    @property
    def digest(self) -> str:
        """64 bits of a row: signed in PostgreSQL, unsigned in MariaDB."""
        if self.engine is Engine.MARIADB:
            return f"CAST(CONV(LEFT(MD5({self.row_text}), 16), 16, 10) AS UNSIGNED)"
        if self.seed is None:
            return f"('x' || left({self._md5(self.row_text)}, 16))::bit(64)::bigint"
        values = ", ".join(self._binary(pair) for pair in self.pair.hashed)
        return f"hash_record_extended(ROW(record_send(ROW({values}))), {self.seed})"

    @property
    def key_texts(self) -> list[str]:
        """The canonical texts of the key's columns."""
        return [self.text(pair) for pair in self.pair.key]

    def chunks(self, buckets: Buckets, where: str = "", source: str = "") -> str:
        """By chunk: number, rows, sum of digests; ``source`` reads a part of the table instead."""
        condition = f" WHERE {where}" if where else ""
        place = source or self.name
        total = f"sum({self._marked('h' if not buckets.by_key else self.digest)})"
        if buckets.by_key:
            return f"SELECT {self._by_key(buckets)}, count(*), {total} FROM {place}{condition} GROUP BY 1"
        inner = f"SELECT {self.digest} AS h FROM {place}{condition}"
        # Without OFFSET the planner would work out the digest once for the group and once for the sum.
        inner += " OFFSET 0" if self.engine is Engine.POSTGRESQL else ""
        return f"SELECT {self._by_digest(buckets)}, count(*), {total} FROM ({inner}) s GROUP BY 1"

    def rows(self, where: str, buckets: Buckets, wanted: Iterable[int] = ()) -> str:
        """Key texts and digest of each row in the chunks; for a table without key: digest and how often."""
        inner = f"SELECT {', '.join([*self._named_keys(), f'{self.digest} AS h'])} FROM {self.name}"
        inner += f" WHERE {where}" if where else ""
        if not buckets.by_key:
            inner += " OFFSET 0" if self.engine is Engine.POSTGRESQL else ""
            numbers = ", ".join(map(str, wanted))
            inner = f"SELECT * FROM ({inner}) s WHERE {self._by_digest(buckets)} IN ({numbers})"
        if self.pair.key:
            return inner
        return f"SELECT h, count(*) FROM ({inner}) r GROUP BY h"

    def values(self, keys: Sequence[Sequence[str | None]]) -> tuple[str, list[object]]:
        """Key texts and column texts of the rows with these keys, and the parameters."""
        key = self.pair.key
        columns = [*self.key_texts, *(self.text(pair, whole=False) for pair in self.pair.hashed)]
        if len(key) == 1 and key[0].form is Kind.INTEGER and all(item.form is Kind.INTEGER for item in key):
            numbers = ", ".join(str(int(item[0] or 0)) for item in keys)
            name = quoted(self.engine, self.column(key[0]).name)
            return f"SELECT {', '.join(columns)} FROM {self.name} WHERE {name} IN ({numbers})", []
        marks = ", ".join(f"({', '.join('%s' for _ in key)})" for _ in keys)
        escaped = ", ".join(columns).replace("%", "%%")
        left = ", ".join(self.key_texts).replace("%", "%%")
        name = self.name.replace("%", "%%")
        return f"SELECT {escaped} FROM {name} WHERE ({left}) IN ({marks})", [part for item in keys for part in item]

    def of_content(self, digests: Iterable[int]) -> str:
        """Digest and column texts of rows without key, by digest."""
        columns = [self.text(pair, whole=False) for pair in self.pair.hashed]
        numbers = ", ".join(map(str, digests))
        return f"SELECT {', '.join([self.digest, *columns])} FROM {self.name} WHERE {self.digest} IN ({numbers})"

    def within(self, ranges: Iterable[tuple[int, int]]) -> str:
        """The condition that the integer key lies in one of the ranges."""
        name = quoted(self.engine, self.column(self.pair.key[0]).name)
        return " OR ".join(f"{name} BETWEEN {low} AND {high}" for low, high in ranges)

    def segments(self, bounds: tuple[int, int] | None) -> list[tuple[str, str]]:
        """The table cut into pieces of a second or so, as conditions and places; each side cuts as it likes."""
        if self.engine is Engine.POSTGRESQL:
            return [piece for name, pages in self.table.parts for piece in _pages(name, pages)] or [("", "")]
        pieces = -(-(self.table.rows or 0) // SEGMENT_ROWS)
        if bounds is None or pieces < 2:
            return [("", "")]
        low, high = bounds
        width = (high - low) // pieces + 1
        # Open at both ends: bounds were read from both sides, and everything has to be in some piece.
        cuts = [low + width * number for number in range(1, pieces)]
        name = quoted(self.engine, self.column(self.pair.key[0]).name)
        first, last = [f"{name} < {cuts[0]}"], [f"{name} >= {cuts[-1]}"]
        middle = [f"{name} >= {a} AND {name} < {b}" for a, b in itertools.pairwise(cuts)]
        return [(where, "") for where in first + middle + last]

    def bounds(self) -> str:
        """The lowest and highest integer key."""
        name = quoted(self.engine, self.column(self.pair.key[0]).name)
        return f"SELECT min({name}), max({name}) FROM {self.name}"

    def _named_keys(self) -> list[str]:
        return [f"{text} AS k{number}" for number, text in enumerate(self.key_texts)]

    def _by_key(self, buckets: Buckets) -> str:
        name = quoted(self.engine, self.column(self.pair.key[0]).name)
        if self.engine is Engine.POSTGRESQL:
            return f"{name}::bigint / {buckets.size}"
        return f"{name} DIV {buckets.size}"

    def _by_digest(self, buckets: Buckets) -> str:
        return f"(coalesce(h, 0) & {buckets.size - 1})"

    def _marked(self, value: str) -> str:
        """MariaDB gives NULL for what is longer than its packets: such a row is counted, not passed over."""
        return f"IFNULL({value}, {1 << MARKER_BITS})" if self.engine is Engine.MARIADB else value

    def _part(self, pair: ColumnPair) -> str:
        text = self.text(pair, whole=False)
        if self.engine is Engine.POSTGRESQL:
            if pair.form in FREE and not pair.long:
                text = f"length({text}) || ':' || {text}"
            return f"coalesce({text}, 'N')"
        if pair.form in FREE and not pair.long:
            text = f"CONCAT(CHAR_LENGTH({text}), ':', {text})"
        return f"IF({quoted(self.engine, self.column(pair).name)} IS NULL, 'N', {text})"

    def _binary(self, pair: ColumnPair) -> str:
        column = self.column(pair)
        name = quoted(self.engine, column.name)
        if not pair.same_type:
            return self.text(pair)
        if column.type in ("float4", "float8") and column.category == "base":
            # One bit pattern for all of them: a dump restores another one than a calculation left.
            return f"CASE WHEN {name} = 'NaN' THEN 'NaN'::{column.type} ELSE ({name})::{column.type} END"
        plain = column.type.removeprefix("_") if column.category == "array" else column.type
        # The cast strips a domain, whose number differs from server to server and is part of the binary form.
        return f"({name})::{column.full}" if column.builtin and plain in _BINARY else f"({name})::text"

    def _md5(self, text: str) -> str:
        if self.engine is Engine.MARIADB:
            return f"MD5({text})"
        return f"md5({text})" if self.encoding == "UTF8" else f"md5(convert_to({text}, 'UTF8'))"


def _pages(name: str, pages: int) -> list[tuple[str, str]]:
    """Pieces of one table of PostgreSQL by pages, the last one without an end: it may have grown since."""
    starts = range(0, max(pages, 1), SEGMENT_PAGES)
    out = []
    for start in starts:
        low = f"ctid >= '({start},0)'" if start else ""
        high = f"ctid < '({start + SEGMENT_PAGES},0)'" if start + SEGMENT_PAGES < pages else ""
        out.append((" AND ".join(item for item in (low, high) if item), name))
    return out


def summed(rows: Iterable[Sequence[int]]) -> tuple[dict[int, tuple[int, int]], int]:
    """By chunk: rows, and the sum modulo 2**64; and how many rows had no digest."""
    found: dict[int, tuple[int, int]] = {}
    missing = 0
    for bucket, count, total in rows:
        value = int(total or 0)
        if value >= 1 << MARKER_BITS:
            missing += value >> MARKER_BITS
            value &= (1 << MARKER_BITS) - 1
        before = found.get(int(bucket), (0, 0))
        found[int(bucket)] = (before[0] + int(count), (before[1] + value) % WORD)
    return found, missing
