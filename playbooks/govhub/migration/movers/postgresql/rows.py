"""Rows carried by this process: several sessions read one snapshot of the source and write frozen rows to the target.

The snapshot is the one at which a replication slot begins. A table and the note that it is there are one transaction,
so whatever was noted is whole, and changes after the snapshot are in the slot.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from govhub.core.errors import GovhubError
from govhub.migration.governor import Governor
from govhub.migration.governor import Limits as Allowed
from govhub.migration.movers.postgresql.loads import Load, loads_of
from govhub.migration.movers.postgresql.names import REGISTRY
from govhub.migration.movers.postgresql.server import SETTINGS, Server
from govhub.migration.movers.postgresql.tables import Table
from govhub.migration.movers.protocol import Limits, MoveFailed
from govhub.migration.movers.throttle import Pace
from govhub.migration.sql import statements as sql

CARRIED = sql.Identifier(REGISTRY, "carried")
# Texts as pg_dump writes them, for columns that do not go in their binary form.
_FORMS = " -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC"
# Triggers fired on the source already. A lost commit of ours is a table that is copied again.
_WRITES = " -c session_replication_role=replica -c synchronous_commit=off"


class Carrier:
    """One copy of tables, in threads of this process."""

    def __init__(
        self, source: Server, target: Server, tables: Sequence[Table], limits: Limits, active: Callable[[Server], int]
    ) -> None:
        """Remember what to carry.

        Args:
            source: Where rows are read; connections of its own are made.
            target: Where they go; the table of what was carried is there already.
            tables: All that are to be copied.
            limits: How many at a time, and how fast.
            active: Sessions of others at work on the source, asked over the connection that is given.
        """
        encoding = str(source.value("SHOW server_encoding"))
        forms = f"{SETTINGS}{_FORMS} -c client_encoding={encoding}"
        self._source, self._target = source.clone(forms), target.clone(forms + _WRITES)
        self._limits, self._active, self._pace = limits, active, Pace(limits.bandwidth)
        self._loads: queue.SimpleQueue[Load] = queue.SimpleQueue()
        for load in loads_of(source, target, tables):
            self._loads.put(load)
        self._governor: Governor | None = None
        self.stopped = threading.Event()
        """Set from outside: the copy is given up."""
        self._failed = threading.Event()
        self._failures: list[GovhubError] = []

    def carry(self, slot: str) -> None:
        """Make the slot and copy everything at its snapshot.

        Raises:
            MoveFailed: a session failed, or it was stopped; what was noted as carried is whole.
        """
        with self._source.slot_with_snapshot(slot) as snapshot, self._governed():
            threads = [
                threading.Thread(target=self._work, args=(snapshot,), daemon=True)
                for _ in range(max(1, self._limits.parallel))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self._failures:
            raise self._failures[0]

    def _work(self, snapshot: str) -> None:
        source, target = self._source.clone(), self._target.clone()
        try:
            source.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            source.rows(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            while not self._over():
                self._give_way()
                try:
                    load = self._loads.get_nowait()
                except queue.Empty:
                    return
                self._copy(source, target, load)
        except GovhubError as error:
            self._failures.append(error)
            # The others end too: what is left is copied another way.
            self._failed.set()
        finally:
            for server in (source, target):
                server.close()

    @contextmanager
    def _governed(self) -> Iterator[None]:
        """Watch how much others do on the source, over a connection of its own."""
        watching = self._source.clone()
        self._governor = Governor(Allowed(others=self._limits.active_sessions), lambda: self._active(watching))
        try:
            yield
        finally:
            self._governor.stop()
            watching.close()

    def _give_way(self) -> None:
        if self._governor is not None:
            self._governor.wait(self._over)

    def _over(self) -> bool:
        return self.stopped.is_set() or self._failed.is_set()

    def _copy(self, source: Server, target: Server, load: Load) -> None:
        with target.transaction():
            target.rows(sql.SQL("TRUNCATE ONLY {}").format(load.table.identifier))
            # Rows that are frozen at once need no second writing by vacuum.
            read, write = load.statement("TO STDOUT", ""), load.statement("FROM STDIN", ", FREEZE")
            source.copy_into(target, read, write, self._pass)
            target.rows(sql.SQL("INSERT INTO {} VALUES (%s)").format(CARRIED), [str(load.table)])

    def _pass(self, size: int) -> None:
        if self._over():
            raise MoveFailed.one("MOV028", "the copy was stopped", hint="start it again: it goes on")
        # Rows wait in the server until they are taken: within a table too, the source has nothing to do for us.
        self._give_way()
        self._pace.take(size)


def carried(target: Server) -> set[str]:
    """Names of tables that are there as a whole."""
    if target.value("SELECT to_regclass(%s)", [f"{REGISTRY}.carried"]) is None:
        return set()
    return {row[0] for row in target.rows(sql.SQL("SELECT name FROM {}").format(CARRIED))}


def forget(target: Server) -> None:
    """Nothing counts as carried any more; the table for it is there afterwards."""
    target.rows(sql.SQL("CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY)").format(CARRIED))
    target.rows(sql.SQL("DELETE FROM {}").format(CARRIED))


def end_sessions(*servers: Server) -> None:
    """End sessions of other copies of this move, and wait until they are gone: a commit may still be under way."""
    for server in servers:
        for _ in range(200):
            found = server.rows(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s
                   AND pid <> pg_backend_pid()""",
                [server.application],
            )
            if not found:
                break
            time.sleep(0.02)
