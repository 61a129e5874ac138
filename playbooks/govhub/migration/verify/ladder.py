"""The ladder: all tables of two databases, rung by rung, within a budget."""

from __future__ import annotations

import fnmatch
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from govhub.migration.governor import Limits
from govhub.migration.sql.dsn import Engine
from govhub.migration.sql.port import Database, Row, SqlFailed, Trouble
from govhub.migration.verify.full import FullRung
from govhub.migration.verify.hashes import HashRung
from govhub.migration.verify.objects import large_objects
from govhub.migration.verify.pairing import TablePair, pair
from govhub.migration.verify.ranges import compare_counts, compare_ranges, counts_statement, ranges_statement
from govhub.migration.verify.result import SCHEMA, Rung, Step, TableResult, Verdict, coverage, sealed, worst
from govhub.migration.verify.side import Clock, OutOfTime, Side
from govhub.migration.verify.statements import Statements
from govhub.migration.verify.structure import NOT_COVERED, NOT_COVERED_ACROSS, compare_objects, compare_structure

SPENT = "the budget was spent: could not verify at this depth"
# Bytes that one session digests in a second on a modest server; only decides whether quick rungs go first.
RATE = 40_000_000
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How deep and how gently."""

    depth: Rung = Rung.HASHES
    budget: float | None = None
    """Seconds for all of it."""
    source: Limits = field(default_factory=Limits)
    target: Limits = field(default_factory=Limits)
    tables: tuple[str, ...] = ()
    """Globs; all when empty."""
    named: int = 100
    """Differing rows to name, by table."""
    values: bool = False
    """Show the values that differ."""
    portable: bool = False
    """Digest canonical texts with MD5 between equal engines too."""


class Ladder:
    """One verification of ``source`` against ``target``."""

    def __init__(
        self, source: Database, target: Database, options: Options, progress: Progress = lambda _: None
    ) -> None:
        """Nothing is connected yet."""
        self.options, self.progress = options, progress
        self.clock = Clock(options.budget)
        self.started = datetime.now(UTC)
        self.databases = (source, target)
        self.engines = (source.dsn.engine, target.dsn.engine)
        self.sides: tuple[Side, Side]
        self.seed: int | None = None

    def run(self) -> dict[str, Any]:
        """The document ``govhub.verification/1``.

        Raises:
            SqlFailed: a side could not be opened; afterwards, what fails is part of the result.
        """
        opened: list[Side] = []
        try:
            for index, name in enumerate(("source", "target")):
                limits = self.options.target if index else self.options.source
                opened.append(Side(name, index, self.databases[index], limits, self.clock))
            self.sides = (opened[0], opened[1])
            return self._run()
        finally:
            for side in opened:
                side.close()
            for database in self.databases[len(opened) :]:
                database.close()

    def _run(self) -> dict[str, Any]:
        self.seed = self._common_hash()
        pairs = [item for item in self._pairs() if self._wanted(item.name)]
        work = [(item, self._structure(item)) for item in pairs]
        objects = compare_objects(self.sides[0].catalog, self.sides[1].catalog, self.engines)
        ready = [(item, result) for item, result in work if self._comparable(item, result)]
        # Small ones first: when time runs out, more tables are through.
        ready.sort(key=lambda item: (item[0].side(0).size, item[0].name))
        for rung, step in ((Rung.COUNTS, self._counts), (Rung.RANGES, self._ranges)):
            if self.options.depth is rung or (self.options.depth.height > rung.height and self._tight(ready)):
                self._each(ready, rung, step)
        if self.options.depth.height >= Rung.HASHES.height:
            self._each(ready, Rung.HASHES, self._hashes)
        if self.options.depth is Rung.FULL:
            self._each(ready, Rung.FULL, self._full)
        if not self.options.tables:
            objects += self._guarded_objects()
        self._still_the_same([result for _, result in ready])
        for item, result in ready:
            self._settle(item, result)
        return self._document([result for _, result in work], objects)

    def _common_hash(self) -> int | None:
        """A seed for PostgreSQL's own hash, if both servers work it out alike; drawn anew for each run."""
        if self.options.portable or set(self.engines) != {Engine.POSTGRESQL}:
            return None
        seed = secrets.randbelow(1 << 62)
        probe = (
            f"SELECT hash_record_extended(ROW(record_send(ROW(4294967296::bigint, 'é'::text, 1.50::numeric,"
            f" '2026-01-01'::timestamptz))), {seed})"
        )
        try:
            answers = [side.ask(probe).result()[0][0] for side in self.sides]
        except (SqlFailed, OutOfTime):
            return None
        return seed if answers[0] == answers[1] else None

    def _pairs(self) -> list[TablePair]:
        return pair(self.sides[0].catalog, self.sides[1].catalog, self.engines)

    def _wanted(self, name: str) -> bool:
        short = name.rpartition(".")[2]
        globs = self.options.tables
        return not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs for text in (name, short))

    def _structure(self, item: TablePair) -> TableResult:
        table = item.source or item.target
        assert table is not None
        result = TableResult(name=item.name, columns=len(table.columns))
        result.key = [column.name for column in item.key]
        result.steps[Rung.SCHEMA] = compare_structure(item, self.engines)
        return result

    def _comparable(self, item: TablePair, result: TableResult) -> bool:
        if item.source is None or item.target is None:
            return False
        if "foreign" in (item.source.kind, item.target.kind):
            result.reasons.append("its rows are on another server")
            return False
        result.unverifiable = dict(item.unverifiable)
        if self.options.depth is not Rung.FULL:
            for column in item.columns:
                if column.client:
                    text = "JSON of two engines: only a full compare can tell (--depth full)"
                    result.unverifiable[column.name] = text
        if self.options.depth is not Rung.SCHEMA:
            result.reasons += [f"column {name}: {reason}" for name, reason in sorted(result.unverifiable.items())]
        for side in (item.source, item.target):
            if side.engine and side.engine not in ("InnoDB", "RocksDB"):
                result.notes.append(f"{side.engine} has no snapshots: its rows were read at different moments")
        return True

    def _tight(self, ready: list[tuple[TablePair, TableResult]]) -> bool:
        size = sum(item.side(0).size for item, _ in ready)
        return self.clock.budget is not None and size / (RATE * self.sides[0].width) > 0.8 * self.clock.left

    def _each(self, ready: list[Any], rung: Rung, step: Callable[[TablePair, TableResult], None]) -> None:
        """One rung for all tables, as many at a time as keep both sides busy."""
        count = 1 if rung is Rung.FULL else 2 * max(side.width for side in self.sides)
        with ThreadPoolExecutor(count, thread_name_prefix="govhub-tables") as threads:
            try:
                list(threads.map(lambda item: self._guarded(item[0], item[1], rung, step), ready))
            except BaseException:
                # Ctrl-C: the servers must not go on working for nobody.
                threads.shutdown(wait=False, cancel_futures=True)
                for side in self.sides:
                    side.interrupt()
                raise

    def _guarded(
        self, item: TablePair, result: TableResult, rung: Rung, step: Callable[[TablePair, TableResult], None]
    ) -> None:
        """Whatever ends a rung before its time is written down, and never as a pass."""
        started = time.monotonic()
        try:
            self.clock.statement()
            step(item, result)
        except OutOfTime:
            _unfinished(result, rung, SPENT)
        except SqlFailed as failed:
            _unfinished(result, rung, _WORDS[failed.trouble].format(text=failed.text))
        result.seconds += time.monotonic() - started
        self.progress(f"{item.name}: {rung.value}: {result.steps[rung].verdict.value}")

    def _statements(self, item: TablePair) -> tuple[Statements, Statements]:
        # Rows without a key are named by their content, so they get the digest that everybody can work out again.
        seed = self.seed if item.key else None
        first, second = (
            Statements(pair=item, index=index, engine=side.engine, encoding=side.catalog.charset, seed=seed)
            for index, side in enumerate(self.sides)
        )
        return first, second

    def _counts(self, item: TablePair, result: TableResult) -> None:
        first, second = self._asked(item, counts_statement)
        compare_counts(result, (int(first[0]), int(second[0])))

    def _ranges(self, item: TablePair, result: TableResult) -> None:
        compare_ranges(result, item.columns, self._asked(item, ranges_statement))

    def _asked(self, item: TablePair, statement: Callable[[Statements], str]) -> tuple[Row, Row]:
        """The one row with which each side answers, both asked at the same time."""
        waiting = [side.ask(statement(sql)) for side, sql in zip(self.sides, self._statements(item), strict=True)]
        first, second = (future.result()[0] for future in waiting)
        return first, second

    def _hashes(self, item: TablePair, result: TableResult) -> None:
        self._rows(HashRung, item, result)

    def _full(self, item: TablePair, result: TableResult) -> None:
        self._rows(FullRung, item, result)

    def _rows(self, rung: type[HashRung] | type[FullRung], item: TablePair, result: TableResult) -> None:
        rung(
            pair=item,
            result=result,
            sides=self.sides,
            statements=self._statements(item),
            named=self.options.named,
            values=self.options.values,
        ).run()

    def _guarded_objects(self) -> list[dict[str, Any]]:
        try:
            return large_objects(self.sides, deep=self.options.depth.height >= Rung.HASHES.height)
        except (SqlFailed, OutOfTime) as error:
            reason = error.text if isinstance(error, SqlFailed) else SPENT
            found = {"kind": "large objects", "name": "all", "verdict": Verdict.UNVERIFIED.value}
            return [{**found, "reason": reason}]

    def _still_the_same(self, results: list[TableResult]) -> None:
        """A definition that changed meanwhile takes away what was proven: the snapshot is of rows, not of tables."""
        for side in self.sides:
            try:
                now = side.database.catalog()
            except SqlFailed as failed:
                for result in results:
                    result.reasons.append(f"the {side.name} was lost before the end: {failed.text}")
                continue
            before = {item.qualified: item for item in side.catalog.tables}
            after = {item.qualified: item for item in now.tables}
            for item in self._pairs():
                table = item.target if side.index else item.source
                if table is None:
                    continue
                old, new = before[table.qualified], after.get(table.qualified)
                if new is None or (old.columns, old.incarnation) != (new.columns, new.incarnation):
                    text = f"its definition changed on the {side.name} while it was verified, or it was rewritten"
                    for result in results:
                        if result.name == item.name:
                            result.reasons.append(text)

    def _settle(self, item: TablePair, result: TableResult) -> None:
        """Rungs that a deeper one makes needless, and those that were not reached."""
        every = {item.source.name for item in item.columns} >= {column.name for column in item.side(0).columns}
        deepest = next((rung for rung in (Rung.FULL, Rung.HASHES) if rung in result.steps), None)
        passed = deepest is not None and result.steps[deepest].verdict is Verdict.PASS
        for rung in Rung:
            if rung.height > self.options.depth.height or rung in result.steps:
                continue
            if rung is Rung.RANGES and passed and every and not result.unverifiable:
                result.steps[rung] = Step(Verdict.PASS, how="implied")
            elif (
                rung is Rung.RANGES and deepest is not None and result.steps[deepest].verdict is not Verdict.UNVERIFIED
            ):
                # The deeper rung speaks for it: what it could not see is among the reasons already.
                result.steps[rung] = Step(result.steps[deepest].verdict, how="implied")
            else:
                result.steps[rung] = Step(Verdict.UNVERIFIED, reasons=[SPENT])
        result.steps = {rung: result.steps[rung] for rung in Rung if rung in result.steps}

    def _document(self, tables: list[TableResult], objects: list[dict[str, Any]]) -> dict[str, Any]:
        problems = [] if tables else ["there is no table to verify"]
        verdicts = [item.verdict for item in tables] + [Verdict(item["verdict"]) for item in objects]
        across = self.engines[0] != self.engines[1]
        verdict = worst(verdicts) if tables else Verdict.UNVERIFIED
        return sealed(
            {
                "schema": SCHEMA,
                "verdict": verdict.value,
                "source": self._side(0),
                "target": self._side(1),
                "started": self.started.isoformat(timespec="milliseconds"),
                "seconds": round(self.clock.spent, 3),
                "budget": self.options.budget,
                "depth": self.options.depth.value,
                "digest_of_rows": "md5 of canonical texts, 64 bits"
                if self.seed is None
                else f"hash_record_extended of the binary form, 64 bits, seed {self.seed}",
                "selected": list(self.options.tables),
                "tables": [item.as_dict() for item in tables],
                "objects": objects,
                "reasons": problems,
                "coverage": coverage(tables),
                "not_covered": [*NOT_COVERED, *(NOT_COVERED_ACROSS if across else ())],
            }
        )

    def _side(self, index: int) -> dict[str, Any]:
        side = self.sides[index]
        return {
            "address": str(side.database.dsn),
            "engine": side.engine.value,
            "version": side.catalog.version,
            "snapshot": side.database.snapshot,
            "sessions": side.width,
            "governor": side.governor.as_dict(),
        }


_WORDS = {
    Trouble.LOST: "the connection was lost: {text}",
    Trouble.TIME: "a statement took too long: {text}",
    Trouble.DENIED: "this account may not read it: {text}",
    Trouble.CHANGED: "its definition changed while it was verified: {text}",
    Trouble.OTHER: "a server refused: {text}",
}


def _unfinished(result: TableResult, rung: Rung, reason: str) -> None:
    """A difference that was found stays one."""
    step = result.steps.get(rung)
    if step is None or step.verdict is not Verdict.DIFFERS:
        result.steps[rung] = Step(Verdict.UNVERIFIED, reasons=[reason])
    else:
        step.reasons.append(f"not all of it: {reason}")
    result.complete = False
