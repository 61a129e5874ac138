"""Writers that remember what the database acknowledged, and wait out a cutover as an application would."""

from __future__ import annotations

import itertools
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

TABLES = (
    """CREATE TABLE written (writer int, number int, account int NOT NULL, at timestamptz DEFAULT clock_timestamp(),
       note text, PRIMARY KEY (writer, number))""",
    "CREATE TABLE accounts (id int PRIMARY KEY, total int8 NOT NULL DEFAULT 0)",
    "INSERT INTO accounts SELECT i FROM generate_series(0, 31) i",
    "ALTER TABLE written ADD FOREIGN KEY (account) REFERENCES accounts",
    "CREATE TABLE counted (id bigserial PRIMARY KEY, writer int)",
)


@dataclass
class Committing(ABC):
    """Threads that commit until they are stopped; what was acknowledged is kept, and when."""

    acknowledged: list[tuple[int, int]] = field(default_factory=list, init=False)
    times: list[float] = field(default_factory=list, init=False)
    problems: list[str] = field(default_factory=list, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False)

    @abstractmethod
    def writers(self) -> range:
        """Numbers of the threads."""

    @abstractmethod
    def _write(self, writer: int) -> None:
        """Commit until ``_stop`` is set."""

    def __enter__(self) -> Self:
        for number in self.writers():
            thread = threading.Thread(target=self._write, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def longest_gap(self) -> float:
        """Seconds between two commits that followed each other."""
        times = sorted(self.times)
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)


@dataclass
class Writers(Committing):
    """``count`` threads, together about ``rate`` commits a second, against wherever ``address`` leads now."""

    address: str
    count: int = 4
    rate: float = 500
    first: int = 0
    led_by: Path | None = None
    """A file with the address, which another process changes."""

    def writers(self) -> range:
        return range(self.first, self.first + self.count)

    def _write(self, writer: int) -> None:
        number, connection = 0, None
        pause = self.count / self.rate
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if connection is None:
                    connection = psycopg.connect(
                        self.led_by.read_text() if self.led_by else self.address, connect_timeout=5
                    )
                self._commit(connection, writer, number)
            except psycopg.Error as error:
                if isinstance(error, (psycopg.errors.IntegrityError, psycopg.errors.UndefinedTable)):
                    self.problems.append(repr(error))
                if connection is not None:
                    connection.close()
                connection = None
                self._stop.wait(0.03)
                continue
            self.acknowledged.append((writer, number))
            self.times.append(time.monotonic())
            number += 1
            self._stop.wait(max(0.0, pause - (time.monotonic() - began)))
        if connection is not None:
            connection.close()

    @staticmethod
    def _commit(connection: psycopg.Connection[Any], writer: int, number: int) -> None:
        account = (writer * 7 + number) % 32
        row = (writer, number, account, "注" * (number % 40))
        # The same number again after an answer that never came: it may be there or not.
        added = connection.execute(
            "INSERT INTO written (writer, number, account, note) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING 1",
            row,
        ).fetchall()
        if added:
            connection.execute("UPDATE accounts SET total = total + 1 WHERE id = %s", [account])
            connection.execute("INSERT INTO counted (writer) VALUES (%s)", [writer])
        connection.commit()


def missing(address: str, acknowledged: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Acknowledged rows that are not there."""
    with psycopg.connect(address, options="-c default_transaction_read_only=off") as connection:
        there = set(connection.execute("SELECT writer, number FROM written").fetchall())
    return sorted(set(acknowledged) - there)


def consistent(address: str) -> bool:
    """Whether every transaction is there as a whole: three tables say the same."""
    with psycopg.connect(address, options="-c default_transaction_read_only=off") as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM written), (SELECT sum(total) FROM accounts), (SELECT count(*) FROM counted)"
        ).fetchone()
    assert found is not None
    return len(set(found)) == 1
