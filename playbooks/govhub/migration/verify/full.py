"""Rung 5: every value of every row is streamed from both sides and compared here."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from govhub.migration.sql.dsn import Engine
from govhub.migration.sql.port import Session
from govhub.migration.verify.kinds import Kind
from govhub.migration.verify.naming import differing_columns
from govhub.migration.verify.pairing import ColumnPair, TablePair
from govhub.migration.verify.result import Difference, Rung, Step, TableResult, Verdict
from govhub.migration.verify.side import OutOfTime, Side
from govhub.migration.verify.spelling import quoted
from govhub.migration.verify.statements import Statements

AHEAD = 2000
_END = object()


@dataclass(kw_only=True)
class FullRung:
    """Works on one table; both sides are sorted by the bytes of the key's texts, or of the row's digest."""

    pair: TablePair
    result: TableResult
    sides: tuple[Side, Side]
    statements: tuple[Statements, Statements]
    named: int
    values: bool

    def run(self) -> None:
        """Compare; raises SqlFailed and OutOfTime."""
        # What the hashes named is found again here, with the columns that only this rung can compare.
        self.result.differences, self.result.found = [], {}
        streams = [self._stream(index) for index in (0, 1)]
        try:
            rows = self._merge(*(stream.rows() for stream in streams))
        finally:
            for stream in streams:
                stream.stop()
        differs = bool(self.result.found)
        text = f"{sum(self.result.found.values()):,} rows differ"
        self.result.rows = (rows[0], rows[1])
        self.result.steps[Rung.FULL] = Step(
            Verdict.DIFFERS if differs else Verdict.PASS, reasons=[text] if differs else []
        )
        self.result.complete = True

    def _stream(self, index: int) -> _Ahead:
        side, sql = self.sides[index], self.statements[index]
        statement = self._statement(sql)
        return _Ahead(side, lambda session: session.stream(statement, side.clock.statement()))

    def _statement(self, sql: Statements) -> str:
        values = [sql.text(pair, whole=pair.client or not pair.long) for pair in self.pair.columns]
        first = self._order(sql)
        order = ", ".join(f"{_bytewise(sql.engine, text)}" for text in first)
        return f"SELECT {', '.join([*first, *values])} FROM {sql.name} ORDER BY {order}"

    def _order(self, sql: Statements) -> list[str]:
        if self.pair.key:
            return sql.key_texts
        return [f"md5({sql.row_text})" if sql.engine is Engine.MARIADB else _md5(sql)]

    def _merge(self, left: Iterator[Any], right: Iterator[Any]) -> list[int]:
        width, counts = len(self.pair.key) or 1, [0, 0]
        one, other = next(left, None), next(right, None)
        while one is not None or other is not None:
            keys = [None if row is None else _sortable(row[:width]) for row in (one, other)]
            if keys[0] is not None and (keys[1] is None or keys[0] < keys[1]):
                self._found("missing", one, width)
                one, counts[0] = next(left, None), counts[0] + 1
            elif keys[0] is None or keys[1] is None or keys[1] < keys[0]:
                self._found("extra", other, width)
                other, counts[1] = next(right, None), counts[1] + 1
            else:
                assert one is not None
                assert other is not None
                self._row(one, other, width)
                one, other = next(left, None), next(right, None)
                counts = [counts[0] + 1, counts[1] + 1]
        return counts

    def _row(self, one: Any, other: Any, width: int) -> None:
        pairs = self.pair.columns
        texts = [
            [_canonical(pair, value) for pair, value in zip(pairs, row[width:], strict=True)] for row in (one, other)
        ]
        if texts[0] != texts[1]:
            self._found("changed", one, width, differing_columns(pairs, texts[0], texts[1], values=self.values))

    def _found(self, kind: str, row: Any, width: int, columns: list[dict[str, Any]] | None = None) -> None:
        self.result.found[kind] = self.result.found.get(kind, 0) + 1
        if len(self.result.differences) >= self.named:
            return
        if self.pair.key:
            key = dict(zip((item.name for item in self.pair.key), row[:width], strict=True))
        else:
            key = {"content": str(row[0])[:16]}
        self.result.differences.append(Difference(kind=kind, key=key, columns=columns or []))


class _Ahead:
    """A stream that is read by the side's own thread, some rows ahead of the one who compares."""

    def __init__(self, side: Side, source: Callable[[Session], Iterator[Any]]) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(maxsize=AHEAD)
        self._stopped = threading.Event()
        self._source, self._side = source, side
        self._future = side.submit(self._fill)

    def rows(self) -> Iterator[Any]:
        """The rows; raises what the stream ended with."""
        while True:
            try:
                item = self._queue.get(timeout=0.2)
            except queue.Empty:
                if self._future.done():
                    self._future.result()
                    if self._queue.empty():
                        return
                if self._side.clock.left <= 0:
                    raise OutOfTime from None
                continue
            if item is _END:
                return
            yield item

    def stop(self) -> None:
        """Read no further."""
        self._stopped.set()
        self._future.cancel()
        while not self._future.done():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue

    def _fill(self, session: Session) -> None:
        stream = self._source(session)
        for row in stream:
            self._put(row)
            if self._stopped.is_set():
                break
        self._put(_END)

    def _put(self, item: object) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return


def _bytewise(engine: Engine, text: str) -> str:
    """An order that is the same everywhere: by code points, without languages, blanks counted."""
    return (
        f"({text}) COLLATE {quoted(engine, 'C')}"
        if engine is Engine.POSTGRESQL
        else f"CONVERT({text} USING utf8mb4) COLLATE utf8mb4_nopad_bin"
    )


def _md5(sql: Statements) -> str:
    text = sql.row_text
    return f"md5({text})" if sql.encoding == "UTF8" else f"md5(convert_to({text}, 'UTF8'))"


def _sortable(key: Any) -> tuple[bytes, ...]:
    return tuple(str(part or "").encode() for part in key)


def _canonical(pair: ColumnPair, value: str | None) -> str | None:
    """JSON is taken apart here: each engine has its own order of keys, and numbers with or without a point."""
    if value is None or pair.form is not Kind.JSON or not pair.client:
        return value
    try:
        parsed = json.loads(value, parse_float=_number, parse_int=_number, parse_constant=str)
    except ValueError:
        return f"no JSON: {value}"
    return json.dumps(parsed, sort_keys=True, ensure_ascii=False)


def _number(text: str) -> str:
    """Marked, so that the number 1 is not the text "1"; minus zero is zero in JSON, as both engines read it."""
    value = Decimal(text)
    return f"\0{value.normalize() if value else 0}"
