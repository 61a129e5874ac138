"""Rung 4: digests of chunks, added up inside of the databases, and the way down to the rows that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from govhub.migration.verify.kinds import Kind
from govhub.migration.verify.naming import name_columns, shown
from govhub.migration.verify.pairing import TablePair
from govhub.migration.verify.ranges import compare_counts
from govhub.migration.verify.result import Difference, Rung, Step, TableResult, Verdict
from govhub.migration.verify.side import Side
from govhub.migration.verify.statements import WORD, Buckets, Statements, summed

CHUNK_ROWS = 1024
MOST_CHUNKS = 4096
# A chunk with more rows is cut again before its rows are listed.
LISTED_ROWS = 16_384
FINER = 32
BATCH = 16
# Without an integer key the whole table is read again for each batch, so it is a larger one.
SCANNED = 64
Key = tuple[str | None, ...]


@dataclass(kw_only=True)
class HashRung:
    """Works on one table; ``sides`` and ``statements`` are source, target."""

    pair: TablePair
    result: TableResult
    sides: tuple[Side, Side]
    statements: tuple[Statements, Statements]
    named: int
    """Rows to name at most."""
    values: bool
    """Show values."""
    _missing: int = field(default=0, init=False)

    def run(self) -> None:
        """Compare, and name what differs; raises SqlFailed and OutOfTime, with what was found so far in the result."""
        if not self.pair.hashed:
            reason = "no column that both servers can digest alike"
            self.result.steps[Rung.HASHES] = Step(Verdict.UNVERIFIED, reasons=[reason])
            return
        buckets, bounds = self._buckets()
        chunks = self._chunks(buckets, bounds)
        rows = tuple(sum(count for count, _ in side.values()) for side in chunks)
        compare_counts(self.result, (rows[0], rows[1]))
        if self._missing:
            reason = f"{self._missing:,} rows are longer than max_allowed_packet lets the server digest"
            self.result.steps[Rung.HASHES] = Step(Verdict.UNVERIFIED, reasons=[reason])
        else:
            self.result.rows_hashed = rows[0]
        differing = _differing(chunks)
        if not differing:
            self.result.steps.setdefault(Rung.HASHES, Step(Verdict.PASS))
            return
        total = len(chunks[0].keys() | chunks[1].keys())
        text = f"{len(differing):,} of {total:,} chunks differ"
        self.result.steps[Rung.HASHES] = Step(Verdict.DIFFERS, reasons=[text])
        self.result.complete = False
        self._rows(buckets, differing, chunks)

    def _buckets(self) -> tuple[Buckets, tuple[int, int] | None]:
        """Ranges of an integer key where there is one: they can be read again through its index."""
        # The estimate is missing after a restore, until the server has analysed the table.
        rows = max(max(table.rows or 0, table.size // 512) for table in (self.pair.side(0), self.pair.side(1)))
        count = min(MOST_CHUNKS, max(1, rows // CHUNK_ROWS))
        key = self.pair.key
        if len(key) == 1 and key[0].form is Kind.INTEGER and key[0].source.type != "bit":
            found = [row for row in self._both(lambda side: side.bounds()) if row[0][0] is not None]
            if found:
                low, high = min(int(row[0][0]) for row in found), max(int(row[0][1]) for row in found)
                # Wider keys than PostgreSQL's bigint fall back to the digests.
                if low >= -(1 << 63) and high < 1 << 63:
                    return Buckets(True, (high - low) // count + 1), (low, high)
        size = 1 << (count - 1).bit_length()
        return Buckets(False, size), None

    def _chunks(self, buckets: Buckets, bounds: tuple[int, int] | None) -> list[dict[int, tuple[int, int]]]:
        """By side: all chunks of the table, from pieces that each side cuts as suits its storage."""
        waiting: list[list[Future[Any]]] = []
        for side, sql in zip(self.sides, self.statements, strict=True):
            pieces = sql.segments(bounds)
            waiting.append([side.ask(sql.chunks(buckets, where, place)) for where, place in pieces])
        found = []
        for futures in waiting:
            sums, missing = summed(row for rows in _all(futures) for row in rows)
            self._missing += missing
            found.append(sums)
        return found

    def _rows(self, buckets: Buckets, differing: list[int], chunks: list[dict[int, tuple[int, int]]]) -> None:
        complete = True
        for where, wanted in self._batches(buckets, differing, chunks):
            if len(self.result.differences) >= self.named:
                complete = False
                break
            listed = self._both(lambda side, where=where, wanted=wanted: side.rows(where(side), buckets, wanted))
            if self.pair.key:
                self._keyed(*listed)
            else:
                self._keyless(*listed)
        if not self.result.found and complete:
            # The sums differed and no row does: what was read twice was not the same.
            self.result.reasons.append("chunks differ and their rows do not: the tables are not read as one snapshot")
        self.result.complete = complete

    def _batches(
        self, buckets: Buckets, differing: list[int], chunks: list[dict[int, tuple[int, int]]]
    ) -> Iterator[Any]:
        """What to list next: a condition for each side, or chunks by number."""
        if not buckets.by_key:
            for start in range(0, len(differing), SCANNED):
                yield (lambda _: ""), differing[start : start + SCANNED]
            return
        small: list[int] = []
        large: list[int] = []
        for number in differing:
            rows = max(side.get(number, (0, 0))[0] for side in chunks)
            (large if rows > LISTED_ROWS and buckets.size > 1 else small).append(number)
        for start in range(0, len(small), BATCH):
            ranges = [buckets.bounds(number) for number in small[start : start + BATCH]]
            yield (lambda side, ranges=ranges: side.within(ranges)), ()
        for number in large:
            yield from self._finer(buckets, number)

    def _finer(self, buckets: Buckets, number: int) -> Iterator[Any]:
        """Cut one chunk into smaller ones and go on with those that differ."""
        low, high = buckets.bounds(number)
        finer = Buckets(True, max(1, buckets.size // FINER))
        answers = self._both(lambda side: side.chunks(finer, side.within([(low, high)])))
        chunks = [summed(rows)[0] for rows in answers]
        for where, wanted in self._batches(finer, _differing(chunks), chunks):
            # The outermost of the finer chunks may reach out of this one.
            yield (lambda side, where=where: f"({where(side)}) AND ({side.within([(low, high)])})"), wanted

    def _keyed(self, source: Sequence[Any], target: Sequence[Any]) -> None:
        left, right = _by_key(source), _by_key(target)
        changed: list[Key] = []
        for key in sorted(left.keys() | right.keys(), key=lambda item: tuple(part or "" for part in item)):
            if left.get(key) == right.get(key):
                continue
            kind = "missing" if key not in right else "extra" if key not in left else "changed"
            self._count(kind)
            if len(self.result.differences) < self.named:
                names = dict(zip((item.name for item in self.pair.key), key, strict=True))
                self.result.differences.append(Difference(kind=kind, key=names))
                changed += [key] if kind == "changed" else []
        if changed:
            name_columns(self, changed)

    def _keyless(self, source: Sequence[Any], target: Sequence[Any]) -> None:
        left, right = (Counter({int(digest) % WORD: int(count) for digest, count in rows}) for rows in (source, target))
        digests = []
        for digest in sorted(left.keys() | right.keys()):
            counts = left[digest], right[digest]
            if counts[0] == counts[1]:
                continue
            kind = "missing" if not counts[1] else "extra" if not counts[0] else "repeated"
            self._count(kind)
            if len(self.result.differences) < self.named:
                content: dict[str, str | None] = {"content": f"{digest:016x}"}
                self.result.differences.append(Difference(kind=kind, key=content, counts=counts))
                digests.append(digest)
        if digests and self.values:
            self._contents(digests)

    def _contents(self, digests: list[int]) -> None:
        """The rows themselves, for those who asked to see values."""
        by_digest: dict[str, list[dict[str, Any]]] = {}
        signed = [digest - WORD if digest >= WORD // 2 else digest for digest in digests]
        for index, (side, sql) in enumerate(zip(self.sides, self.statements, strict=True)):
            numbers = digests if sql.engine == "mariadb" else signed
            for row in side.ask(sql.of_content(numbers)).result():
                where = "target" if index else "source"
                cells = [
                    {"column": pair.name, where: shown(value, values=True, long=pair.long)}
                    for pair, value in zip(self.pair.hashed, row[1:], strict=True)
                ]
                by_digest.setdefault(f"{int(row[0]) % WORD:016x}", cells)
        for item in self.result.differences:
            item.columns = by_digest.get(item.key.get("content") or "", item.columns)

    def _both(self, statement: Any) -> list[list[Any]]:
        waiting = [side.ask(statement(sql)) for side, sql in zip(self.sides, self.statements, strict=True)]
        return _all(waiting)

    def _count(self, kind: str) -> None:
        self.result.found[kind] = self.result.found.get(kind, 0) + 1


def _all(futures: list[Future[Any]]) -> list[Any]:
    """All results; the first failure is raised after all have ended, so that nothing runs on behind our back."""
    failures, found = [], []
    for future in futures:
        try:
            found.append(future.result())
        except Exception as error:  # noqa: BLE001  # raised below, when the others are through
            failures.append(error)
    if failures:
        raise failures[0]
    return found


def _differing(chunks: list[dict[int, tuple[int, int]]]) -> list[int]:
    left, right = chunks
    return sorted(number for number in left.keys() | right.keys() if left.get(number) != right.get(number))


def _by_key(rows: Sequence[Any]) -> dict[Key, list[int]]:
    """Without a unique key on one side a key may come twice there."""
    found: dict[Key, list[int]] = {}
    for *key, digest in rows:
        found.setdefault(tuple(key), []).append(-1 if digest is None else int(digest) % WORD)
    for digests in found.values():
        digests.sort()
    return found
