"""Two real PostgreSQL servers, and moves between databases of them."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError
from govhub.core.secrets import Secret
from govhub.lab.postgres import PASSWORD, Server, running
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.protocol import Direction, Progress, Stage
from govhub.migration.movers.runner import LocalRunner

SETTINGS = (
    "wal_level=logical",
    "max_replication_slots=20",
    "max_wal_senders=20",
    "wal_retrieve_retry_interval=500ms",
    "max_logical_replication_workers=20",
    "max_worker_processes=30",
)
_NUMBERS = itertools.count(1)


def endpoint(server: Server, database: str) -> Endpoint:
    return Endpoint(host="127.0.0.1", port=server.port, database=database, user="govhub", password=Secret(PASSWORD))


@dataclass
class Pair:
    """An old server and a new one."""

    source: Server
    target: Server
    folder: Path
    made: list[Databases] = field(default_factory=list)

    def clear(self) -> None:
        """End what the last test left: its workers would be missing in the next one."""
        for databases in self.made:
            databases.clear()
        self.made.clear()

    def databases(self, *statements: str) -> Databases:
        """A new database on the source, in which ``statements`` were run, and a name for the target's."""
        name = f"old_{next(_NUMBERS)}"
        self.source.database(name)
        self.source.query(
            "postgres",
            "DO $$ BEGIN CREATE ROLE app LOGIN PASSWORD 'app-password'; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        )
        self.source.query(name, f'GRANT ALL ON SCHEMA public TO app; GRANT CONNECT ON DATABASE "{name}" TO app')
        for statement in statements:
            self.source.query(name, statement)
        self.made.append(Databases(self, name, f"new_{name}"))
        return self.made[-1]


@dataclass
class Databases:
    """One move's two databases."""

    pair: Pair
    old: str
    new: str
    movers: list[PostgresMover] = field(default_factory=list)

    def mover(self, options: Options | None = None) -> PostgresMover:
        """A controller of its own; two of them share nothing but the servers."""
        mover = PostgresMover(
            f"move-{self.old}",
            endpoint(self.pair.source, self.old),
            endpoint(self.pair.target, self.new),
            LocalRunner(self.pair.folder),
            options or Options(),
        )
        self.movers.append(mover)
        return mover

    @property
    def source(self) -> str:
        return self.pair.source.address(self.old)

    @property
    def target(self) -> str:
        return self.pair.target.address(self.new)

    def on_source(self, statement: str) -> str:
        return _said(self.source, statement)

    def on_target(self, statement: str) -> str:
        return _said(self.target, statement)

    def clear(self) -> None:
        mover = self.mover()
        with contextlib.suppress(GovhubError):
            for direction in Direction:
                mover.stop(direction)
        for item in self.movers:
            item.close()


def _said(address: str, statement: str) -> str:
    """Past the freeze, as a superuser could who knows how; columns with a bar between them, as psql does."""
    with psycopg.connect(address, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        cursor = connection.execute(statement)
        found = cursor.fetchall() if cursor.description else []
    return "\n".join("|".join(_text(value) for value in row) for row in found)


def _text(value: object) -> str:
    return {True: "t", False: "f", None: ""}.get(value, str(value)) if isinstance(value, bool | None) else str(value)


@contextmanager
def pair(folder: Path, *settings: str) -> Iterator[Pair]:
    with running(*SETTINGS, *settings) as source, running(*SETTINGS) as target:
        yield Pair(source, target, folder)


def until(mover: PostgresMover, stage: Stage = Stage.FOLLOWING, seconds: float = 90) -> Progress:
    """Turn the controller's loop until the move is so far."""
    end = time.monotonic() + seconds
    now = mover.advance()
    while now.stage is not stage:
        assert time.monotonic() < end, now
        time.sleep(0.1)
        now = mover.advance(now)
    return now


class Redirect:
    """Hooks that lead writers to the other side; what happens meanwhile is counted."""

    def __init__(self, databases: Databases, *writers: object) -> None:
        self._databases, self._writers = databases, writers
        self.calls: list[str] = []
        self.found: list[Diagnostic] = []

    def stop_writes(self, direction: Direction) -> None:
        self.calls.append("stop")

    def verify(self, direction: Direction) -> list[Diagnostic]:
        self.calls.append("verify")
        return self.found

    def switch(self, direction: Direction) -> None:
        self.calls.append("switch")
        there = self._databases.target if direction is Direction.FORWARD else self._databases.source
        for writer in self._writers:
            writer.address = there  # type: ignore[attr-defined]

    def resume_writes(self, direction: Direction) -> None:
        self.calls.append("resume")
